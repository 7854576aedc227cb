import type { Bucketing, Column, Form, HashMethod, TableSide } from "../types.ts";
import { canonicalSql, concatenated, fromCanonical, reference, rendersInSql } from "./expressions.ts";
import { arrayText, literal } from "./identifier.ts";
import { hashedField } from "./hashed_field.ts";
import { recordHashSql } from "./record_hash.ts";
import { isMeasured } from "../row_text.ts";
import { fromClause } from "./select.ts";

/** Hashes and buckets of the rows of the table `t`, as expressions. */

/** What the server computes: all methods but `client`. */
export type ServerMethod = Exclude<HashMethod, "client">;

/** A row's hash as a signed 64-bit integer. */
export function rowHashSql(side: TableSide, method: ServerMethod): string {
  const columns = side.columns.map((column, at) => ({ column, form: side.forms[at] }));
  if (method === "md5") return md5Sql(rowTextSql(columns));
  if (method === "record" && side.key.length > 0) return recordHashSql(side);
  const row = `row(${columns.map(({ column, form }) => hashedField(column, form)).join(", ")})`;
  if (side.key.length > 0) return `hash_record_extended(${row}, ${seed(side)})`;
  // The hash of a record is a linear sum over its fields, and so is a sum of such hashes: values that two rows swap would hide.
  return `hashtextextended(hash_record_extended(${row}, 0)::text, 0)`;
}

/** A row's bucket, from 0; `hash` is the row's hash. */
export function bucketSql(side: TableSide, method: HashMethod, bucketing: Bucketing, hash: string): string {
  if (bucketing.scheme === "row") return `(${hash} & ${bucketing.buckets - 1})`;
  if (bucketing.scheme === "hash") {
    if (bucketing.buckets === 1) return "0";
    const text = rowTextSql(side.key.map((at) => ({ column: side.columns[at], form: side.forms[at] })));
    const bits = method === "md5"
      ? `('x' || left(md5(${text}), 8))::bit(32)::bigint`
      : `hashtextextended(${text} collate "C", 0)`;
    return `(${bits} & ${bucketing.buckets - 1})`;
  }
  if (bucketing.boundaries.length === 0) return "0";
  const column = side.columns[side.key[0]];
  const form = side.forms[side.key[0]];
  if (form === "integer" && bucketing.boundaries.every(isExactDouble)) {
    // Doubles are searched without a function call for each comparison, and rounding a key does not move it over such a boundary.
    return `width_bucket(${reference(column)}::float8, ${literal(arrayText(bucketing.boundaries))}::float8[])`;
  }
  const type = form === "integer" ? "bigint" : form;
  return `width_bucket(${reference(column)}::${type}, ${literal(arrayText(bucketing.boundaries))}::${type}[])`;
}

/** The buckets with their rows and the sums of their hashes, by a look at every row. */
export function bucketSumsSql(side: TableSide, method: ServerMethod, bucketing: Bucketing): string {
  const hash = rowHashSql(side, method);
  // Where the bucket is the hash's own, the hash is computed once.
  const rows = bucketing.scheme === "row"
    ? `select ${bucketSql(side, method, bucketing, "h")} as b, h from ` +
      `(select ${hash} as h ${fromClause(side)} offset 0) s`
    : `select ${bucketSql(side, method, bucketing, hash)} as b, ${hash} as h ${fromClause(side)}`;
  return `select b, count(*), sum(h) from (${rows}) r group by b`;
}

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

/**
 * The same, range by range along the index of the key, a whole number: no row has to be asked for its bucket. In statements small
 * enough that connections which run them one after the other end at about the same time.
 */
export function rangeSumsSql(side: TableSide, method: ServerMethod, boundaries: string[]): string[] {
  const key = reference(side.columns[side.key[0]]);
  const numbers = boundaries.map(BigInt);
  const ranges = [...numbers, MOST + 1n].map((end, n) => {
    const low = n === 0 ? LEAST : numbers[n - 1];
    // No row is where no key of the server's can be.
    return low > MOST || end <= LEAST ? [1n, 0n] : [low, end > MOST ? MOST : end - 1n];
  });
  const array = (of: bigint[][], at: number) => `${literal(arrayText(of.map((range) => String(range[at]))))}::bigint[]`;
  const rows = `${fromClause(side)} where ${key} >= r.low and ${key} <= r.high`;
  const sums = `select count(*) as c, sum(${rowHashSql(side, method)}) as h ${rows}`;
  return Array.from({ length: Math.ceil(ranges.length / RANGES) }, (_, piece) => {
    const start = piece * RANGES;
    const some = ranges.slice(start, start + RANGES);
    return `select r.n + ${start - 1}, s.c, s.h from ` +
      `unnest(${array(some, 0)}, ${array(some, 1)}) with ordinality r(low, high, n), lateral (${sums}) s where s.c > 0`;
  });
}

function md5Sql(text: string): string {
  return `('x' || left(md5(${text}), 16))::bit(64)::bigint`;
}

/** Forms that SQL cannot render are taken as the server has them. */
function textSql(column: Column, form: Form): string {
  return rendersInSql(column, form) ? canonicalSql(column, form) : `${reference(column)}::text`;
}

/** Rows that have a bucket: where they are read from, and what tells the bucket. */
export interface Part {
  bucket: string;
  from: string;
  condition: string;
}

/** A function of PostgreSQL takes 100 with the separator. */
const MOST_ARGUMENTS = 99;

/** Ranges of one statement. */
const RANGES = 1_000;

/** The rows of some buckets of the scheme `range`, by ranges of the key. */
export function* rangeParts(side: TableSide, boundaries: string[], buckets: number[]): Generator<Part> {
  const [at] = side.key;
  const name = reference(side.columns[at]);
  const value = (n: number) => fromCanonical(literal(boundaries[n]), side.columns[at], side.forms[at]);
  const from = fromClause(side);
  const wanted = [...new Set(buckets)].sort((a, b) => a - b);
  const last = boundaries.length;
  if (wanted.includes(0)) yield { bucket: "0", from, condition: `${name} < ${value(0)}` };
  if (wanted.includes(last)) yield { bucket: String(last), from, condition: `${name} >= ${value(last - 1)}` };
  const inner = wanted.filter((bucket) => bucket > 0 && bucket < last);
  for (let start = 0; start < inner.length; start += RANGES) {
    const ranges = inner.slice(start, start + RANGES).map((bucket) =>
      `(${bucket}, ${value(bucket - 1)}, ${value(bucket)})`
    );
    yield {
      bucket: "r.bucket",
      from: `from (values ${ranges.join(", ")}) r(bucket, low, high), ${from.slice("from ".length)}`,
      condition: `${name} >= r.low and ${name} < r.high`,
    };
  }
}

/** `rowText` of some columns. */
export function rowTextSql(columns: { column: Column; form: Form }[]): string {
  return joinedTexts(columns.map(({ column, form }) => {
    const text = textSql(column, form);
    const output = rendersInSql(column, form) ? concatenated(column, form) : text;
    return { text, output, form, nullable: column.nullable };
  }));
}

/** A value's text, and what `concat` writes as that text. */
export interface TextPart {
  text: string;
  output: string;
  form: Form;
  nullable: boolean;
}

/** `rowText` of values; `concat_ws` leaves NULL out. */
export function joinedTexts(parts: TextPart[]): string {
  const calls: string[][] = [[]];
  for (const { text, output, form, nullable } of parts) {
    const [value, absent] = isMeasured(form) ? [`octet_length(${text})`, "-1"] : [nullable ? text : output, "'N'"];
    const first = nullable ? `coalesce(${value}, ${absent})` : value;
    // Both in one call, for a call of which all is left out is an empty text.
    if (calls[calls.length - 1].length + 2 > MOST_ARGUMENTS) calls.push([]);
    calls[calls.length - 1].push(...isMeasured(form) ? [first, output] : [first]);
  }
  const joined = (texts: string[]) => `concat_ws('|', ${texts.join(", ")})`;
  return calls.length === 1 ? joined(calls[0]) : joined(calls.map(joined));
}

/**
 * A number that depends on the key, mixed into the hash of each field. Without it the hash of a record is a linear sum over its
 * fields, so that values that two rows swap do not change the sum over the rows.
 */
function seed(side: TableSide): string {
  const [at] = side.key;
  if (side.key.length === 1 && side.columns[at].logical.kind === "integer") return reference(side.columns[at]);
  const fields = side.key.map((position) => hashedField(side.columns[position], side.forms[position]));
  return `hash_record_extended(row(${fields.join(", ")}), 0)`;
}

function isExactDouble(integer: string): boolean {
  return Number.isSafeInteger(Number(integer)) && String(Number(integer)) === integer;
}

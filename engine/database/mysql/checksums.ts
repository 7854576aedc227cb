/** Checksums of buckets, computed by the server. */
import type { Bucketing, Checksum, TableSide } from "../types.ts";
import { bucketDigits, hashSumSql } from "./hash_sql.ts";
import type { Lanes } from "./lanes.ts";
import { Ranges } from "./ranges.ts";
import type { Session } from "./session.ts";
import { sideSql, whereAlso } from "./side_sql.ts";

/** Up to so many ranges are summed one by one; more are told apart row by row. */
const MOST_PARTS = 2000;
const PARTS_A_STATEMENT = 100;
const INTERVALS_A_STATEMENT = 256;
const STATEMENT_CHARACTERS = 512 << 10;
/** The warning that a text became NULL because it was longer than the server's limit. */
const TRUNCATED = "1301";

/** The checksums by the method `md5`; undefined where a row's text is too long for the server. */
export async function serverChecksums(
  lanes: Lanes,
  side: TableSide,
  bucketing: Bucketing,
): Promise<Checksum[] | undefined> {
  const sums = new Sums();
  const pieces = bucketing.scheme === "range"
    ? rangeStatements(side, new Ranges(side, bucketing.boundaries), lanes.count)
    : [wholeStatement(side, bucketing)];
  let truncated = false;
  await lanes.each(pieces, async (session, { sql, bucket }) => {
    if (truncated) return;
    for (const [name, rows, sum] of await session.rows(sql)) {
      if (rows !== "0") sums.add(bucket(name!), Number(rows), BigInt(sum ?? 0));
    }
    if (await isTruncated(session)) truncated = true;
  });
  return truncated ? undefined : sums.all();
}

/** Adds up what belongs to the same bucket. */
export class Sums {
  readonly #sums = new Map<number, Checksum>();

  add(bucket: number, rows: number, sum: bigint): void {
    const checksum = this.#sums.get(bucket);
    if (checksum === undefined) {
      this.#sums.set(bucket, { bucket, rows, sum: BigInt.asUintN(64, sum) });
    } else {
      checksum.rows += rows;
      checksum.sum = BigInt.asUintN(64, checksum.sum + sum);
    }
  }

  all(): Checksum[] {
    return [...this.#sums.values()];
  }
}

/** A query whose rows are the name of a bucket, its rows and their sum. */
interface Statement {
  sql: string;
  bucket(name: string): number;
}

function wholeStatement(side: TableSide, bucketing: Bucketing): Statement {
  const { table, where } = sideSql(side);
  const digits = bucketDigits(side, bucketing);
  const select = (name: string) => `SELECT ${name}, COUNT(*), ${hashSumSql(side)} FROM ${table} ${where}`;
  if (digits === undefined) return { sql: select("0"), bucket: Number };
  return { sql: `${select(`${digits.sql} AS \`#bucket\``)} GROUP BY \`#bucket\` ORDER BY NULL`, bucket: digits.bucket };
}

function rangeStatements(side: TableSide, ranges: Ranges, lanes: number): Statement[] {
  if (ranges.count > MOST_PARTS && ranges.areNumbers) return intervalStatements(side, ranges);
  const { table } = sideSql(side);
  const sums = `COUNT(*), ${hashSumSql(side)} FROM ${table}`;
  const parts: string[] = [];
  for (let bucket = 0; bucket < ranges.count; bucket++) {
    const condition = ranges.condition(bucket, bucket);
    if (condition !== undefined) parts.push(`(SELECT ${bucket}, ${sums} ${whereAlso(side, condition)})`);
  }
  const longest = Math.max(1, Math.floor(STATEMENT_CHARACTERS / (parts[0]?.length ?? 1)));
  const size = Math.min(PARTS_A_STATEMENT, longest, Math.ceil(parts.length / lanes));
  const statements: Statement[] = [];
  for (let at = 0; at < parts.length; at += size) {
    statements.push({ sql: parts.slice(at, at + size).join(" UNION ALL "), bucket: Number });
  }
  return statements;
}

/** Small enough that the server's table of sums is, and that connections which take one after the other end at about the same time. */
function intervalStatements(side: TableSide, ranges: Ranges): Statement[] {
  const { table } = sideSql(side);
  const statements: Statement[] = [];
  for (let first = 0; first < ranges.count; first += INTERVALS_A_STATEMENT) {
    const last = Math.min(ranges.count, first + INTERVALS_A_STATEMENT) - 1;
    const condition = ranges.condition(first, last);
    if (condition === undefined) continue;
    const bucket = `${first} + ${ranges.interval(first, last)} AS \`#bucket\``;
    const from = `FROM ${table} ${whereAlso(side, condition)}`;
    const sql = `SELECT ${bucket}, COUNT(*), ${hashSumSql(side)} ${from} GROUP BY \`#bucket\` ORDER BY NULL`;
    statements.push({ sql, bucket: Number });
  }
  return statements;
}

async function isTruncated(session: Session): Promise<boolean> {
  const [[count]] = await session.rows("SELECT @@warning_count");
  if (count === "0") return false;
  const warnings = await session.rows("SHOW WARNINGS");
  // The server does not keep all of them.
  return warnings.length < Number(count) || warnings.some(([, number]) => number === TRUNCATED);
}

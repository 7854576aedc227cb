import { Buffer } from "node:buffer";
import type { HashedRow, TableSide } from "../types.ts";
import { reference } from "./expressions.ts";
import { type Part, rowHashSql, type ServerMethod } from "./hash_sql.ts";
import { literal, quoteTable } from "./identifier.ts";

/**
 * Hashes of many rows in one value: the bucket, the hash and the key, each with its most significant byte first. To send and to read
 * a row by itself takes longer than to hash it. For tables whose key is one whole number.
 */

const ROW = 20;
/** Pages of the table in one value: with narrow rows, a few hundred thousand bytes. */
const PAGES = 200;
/** What binary COPY begins with. */
const HEADER = 19;
const LAST_PAGE = 4_294_967_295;

/** Whether the hashes of a side's rows can be packed. */
export function isPackable({ table, key, columns }: TableSide): boolean {
  return table.kind !== "view" && key.length === 1 && columns[key[0]].logical.kind === "integer";
}

/** The hashes of all rows, page by page of the table. For a table that keeps its rows in pages. */
export function allPackedSql(side: TableSide, method: ServerMethod, bucket: string): string {
  const page = (number: string) => `format('(%s,0)', ${number})::tid`;
  const end = `case when p + ${PAGES} > last then ${page(String(LAST_PAGE))} else ${page(`p + ${PAGES}`)} end`;
  const rows = `select ${packed(side, method, bucket)} from ${quoteTable(side.table)} t ` +
    `where t.ctid >= ${page("p")} and t.ctid < ${end}`;
  const pages = `pg_relation_size(${
    literal(quoteTable(side.table))
  }::regclass) / current_setting('block_size')::integer`;
  return binary(`select (${rows}) from (select ${pages} as last offset 0) s, generate_series(0, last, ${PAGES}) p`);
}

/** The hashes of rows of some buckets, each bucket by itself. */
export function partPackedSql(side: TableSide, method: ServerMethod, { bucket, from, condition }: Part): string {
  return binary(`select ${packed(side, method, bucket)} ${from} where ${condition} group by ${bucket}`);
}

function packed(side: TableSide, method: ServerMethod, bucket: string): string {
  const [key] = side.key;
  const values = [`int4send((${bucket})::integer)`, `int8send(${rowHashSql(side, method)})`];
  return `string_agg(${values.join(" || ")} || int8send(${reference(side.columns[key])}), ''::bytea)`;
}

function binary(query: string): string {
  return `copy (${query}) to stdout (format binary)`;
}

/** The rows of what the server sent. */
export async function* unpack(pieces: AsyncIterable<Buffer>): AsyncGenerator<HashedRow[]> {
  let rest: Buffer = Buffer.alloc(0);
  let isBegun = false;
  for await (const piece of pieces) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let at = isBegun ? 0 : HEADER;
    if (bytes.length < at) {
      rest = bytes;
      continue;
    }
    isBegun = true;
    // A field count, which is −1 at the end, the only field's length, which is −1 for NULL, and the field.
    while (at + 6 <= bytes.length && bytes.readInt16BE(at) === 1) {
      const length = Math.max(0, bytes.readInt32BE(at + 2));
      if (at + 6 + length > bytes.length) break;
      if (length > 0) yield unpackRows(bytes, at + 6, length);
      at += 6 + length;
    }
    rest = bytes.subarray(at);
  }
}

function unpackRows(bytes: Buffer, start: number, length: number): HashedRow[] {
  const rows = new Array<HashedRow>(length / ROW);
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, length);
  for (let n = 0, at = 0; n < rows.length; n++, at += ROW) {
    const high = view.getInt32(at + 12);
    // What fits into 53 bits is exact as a number, which is faster.
    const key = high >= -0x20_0000 && high < 0x20_0000
      ? String(high * 0x1_0000_0000 + view.getUint32(at + 16))
      : String(view.getBigInt64(at + 12));
    rows[n] = { bucket: view.getInt32(at), key: [key], hash: view.getBigUint64(at + 4) };
  }
  return rows;
}

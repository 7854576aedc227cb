import { Buffer } from "node:buffer";
import { rowHash } from "../row_text.ts";
import type { Row, TableSide } from "../types.ts";
import { rowHashSql } from "./hash_sql.ts";
import { mayBeLong } from "./hashed_rows.ts";
import { comparedLiteral } from "./literal.ts";
import { quoteName } from "./quote.ts";
import { render } from "./render.ts";
import { sideSql } from "./side_sql.ts";
import { fitsOf, type Writing } from "./writing.ts";

/** Rows of one statement that finds them by their hashes. */
const MOST_HASHES = 5000;

type Wanted = { row: Row; count: number };

/** As {@link Writer.deleteEqual}. */
export async function deleteEqualRows(writing: Writing, side: TableSide, wanted: Wanted[]): Promise<number> {
  let deleted = 0;
  let left = wanted;
  const inSql = side.columns.every((column, at) => render(column, side.forms[at]).inSql);
  if (inSql && !mayBeLong(side)) {
    left = [];
    for (let at = 0; at < wanted.length; at += MOST_HASHES) {
      const done = await deleteWhole(writing, side, wanted.slice(at, at + MOST_HASHES));
      deleted += done.deleted;
      left.push(...done.left);
    }
  }
  for (const { row, count } of left) deleted += await deleteSome(writing, side, row, count);
  return deleted;
}

/** Deletes those of which all copies shall go, in two looks at the table whatever their number. */
async function deleteWhole(
  { session }: Writing,
  side: TableSide,
  wanted: Wanted[],
): Promise<{ deleted: number; left: Wanted[] }> {
  const { table } = sideSql(side);
  const digits = wanted.map(({ row }) => rowHash(side, row).toString(16).padStart(16, "0"));
  const list = (of: string[]) => of.map((hash) => `'${hash}'`).join(", ");
  const hash = rowHashSql(side);
  const copies = new Map(
    (await session.rows(
      `SELECT ${hash} AS \`#hash\`, COUNT(*) FROM ${table} WHERE ${hash} IN (${
        list(digits)
      }) GROUP BY \`#hash\` FOR UPDATE`,
    )).map(([hash, count]) => [hash!, Number(count)]),
  );
  const isWhole = (i: number) => (copies.get(digits[i]) ?? 0) <= wanted[i].count;
  const whole = digits.filter((hash, i) => isWhole(i) && copies.has(hash));
  const left = wanted.filter((_, i) => !isWhole(i));
  if (whole.length === 0) return { deleted: 0, left };
  const { affectedRows } = await session.run(`DELETE FROM ${table} WHERE ${hash} IN (${list(whole)})`);
  return { deleted: affectedRows, left };
}

async function deleteSome({ session }: Writing, side: TableSide, row: Row, count: number): Promise<number> {
  const fits = fitsOf(side);
  if (row.some((value, at) => value !== null && fits[at]?.(value) !== undefined)) return 0;
  const { table } = sideSql(side);
  const loose: number[] = [];
  const conditions = row.map((value, at) => {
    const { columns, forms } = side;
    const { sql, inSql } = render(columns[at], forms[at]);
    if (value === null) return `${quoteName(columns[at].name)} IS NULL`;
    if (inSql) return isText(sql, value);
    if (forms[at] === "float") {
      return `${quoteName(columns[at].name)} = ${comparedLiteral(columns[at], forms[at], value)}`;
    }
    loose.push(at);
    return "TRUE";
  }).join(" AND ");
  let deleted = 0;
  for (const condition of loose.length === 0 ? [""] : await spellings(session, side, row, loose, conditions)) {
    const sql = `DELETE FROM ${table} WHERE ${conditions} ${condition} LIMIT ${count - deleted}`;
    deleted += (await session.run(sql)).affectedRows;
  }
  return deleted;
}

/** Where SQL does not write a value's canonical text: the ways in which it is there. */
async function spellings(
  session: Writing["session"],
  side: TableSide,
  row: Row,
  loose: number[],
  conditions: string,
): Promise<string[]> {
  const rendered = loose.map((at) => render(side.columns[at], side.forms[at]));
  const names = rendered.map(({ sql }, n) => `${sql} AS c${n}`).join(", ");
  const query = `SELECT DISTINCT ${names} FROM ${sideSql(side).table} WHERE ${conditions} LOCK IN SHARE MODE`;
  const found = (await session.rows(query)).filter((values) => {
    return values.every((value, n) => value !== null && rendered[n].convert?.(value) === row[loose[n]]);
  });
  return found.map((values) => values.map((value, n) => `AND ${isText(rendered[n].sql, value!)}`).join(" "));
}

/** Equal byte by byte. */
function isText(sql: string, value: string): string {
  return `CAST(${sql} AS BINARY) = x'${Buffer.from(value).toString("hex")}'`;
}

import { DatabaseError } from "../error.ts";
import type { ForeignKey, Row, TableSide } from "../types.ts";
import { comparedLiteral } from "./literal.ts";
import { quoteName } from "./quote.ts";
import { sideSql } from "./side_sql.ts";
import type { Writing } from "./writing.ts";

const MOST_REFERENCES = 1000;

/**
 * Checks what the server was told not to: that every row but those left out refers to rows that are there.
 *
 * @throws DatabaseError `foreign-key`
 */
export async function orphans(writing: Writing, side: TableSide, rows: Row[], leftOut: Set<number>): Promise<void> {
  for (const key of side.table.foreignKeys) {
    const positions = key.columns.map((name) => side.columns.findIndex((column) => column.name === name));
    // Columns that are not written have their default, which is NULL or has been checked by nobody else either.
    if (positions.includes(-1)) continue;
    const references = new Map<string, number>();
    for (const [number, row] of rows.entries()) {
      if (leftOut.has(number) || positions.some((at) => row[at] === null)) continue;
      references.set(JSON.stringify(positions.map((at) => row[at])), number);
    }
    const numbers = [...references.values()];
    for (let at = 0; at < numbers.length; at += MOST_REFERENCES) {
      await check(writing, side, key, positions, rows, numbers.slice(at, at + MOST_REFERENCES));
    }
  }
}

async function check(
  { session }: Writing,
  side: TableSide,
  key: ForeignKey,
  positions: number[],
  rows: Row[],
  numbers: number[],
): Promise<void> {
  const tuples = numbers.map((number, i) => {
    const values = positions.map((at) => comparedLiteral(side.columns[at], side.forms[at], rows[number][at]!));
    return [number, ...values].map((value, n) => i === 0 ? `${value} AS \`#${n}\`` : value).join(", ");
  });
  const parent = key.table === side.table.id ? sideSql(side).table : key.table.split(".").map(quoteName).join(".");
  const on = key.referenced.map((name, n) => `p.${quoteName(name)} = r.\`#${n + 1}\``).join(" AND ");
  const [orphan] = await session.rows(
    `SELECT r.\`#0\` FROM (SELECT ${tuples.join(" UNION ALL SELECT ")}) r LEFT JOIN ${parent} p ON ${on}
     WHERE p.${quoteName(key.referenced[0])} IS NULL LIMIT 1 LOCK IN SHARE MODE`,
  );
  if (orphan === undefined) return;
  const words = `the row refers by ${key.name} to a row of ${key.table} that is not there`;
  throw new DatabaseError("foreign-key", words, { table: side.table.id, constraint: key.name, row: Number(orphan[0]) });
}

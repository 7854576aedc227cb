import { rowHash } from "../row_text.ts";
import type { HashMethod, Row, TableSide } from "../types.ts";
import { canonicalSql, equalityIsIdentity, fromCanonical, reference, rendersInSql } from "./expressions.ts";
import { rowHashSql } from "./hash_sql.ts";
import { arrayText } from "./identifier.ts";
import { converter, fromClause, readings } from "./select.ts";
import type { Session, TextRow } from "./session.ts";

/** The parameters that hold keys, a column each, and the table `k` of them with their number from 1. */
export function keyTable(side: TableSide, keys: Row[]): { values: string[]; from: string; condition: string } {
  const columns = side.key.map((at) => ({ column: side.columns[at], form: side.forms[at] }));
  const arrays = columns.map((_, n) => `$${n + 1}::text[]`);
  const names = columns.map((_, n) => `k${n}`);
  return {
    values: columns.map((_, n) => arrayText(keys.map((key) => key[n]))),
    from: `unnest(${arrays.join(", ")}) with ordinality k(${[...names, "number"].join(", ")})`,
    condition: columns.map(({ column, form }, n) => {
      const equal = `${reference(column)} = ${fromCanonical(`k.k${n}`, column, form)}`;
      const isExact = equalityIsIdentity(column) || !rendersInSql(column, form);
      return isExact ? equal : `${equal} and ${canonicalSql(column, form)} = k.k${n} collate "C"`;
    }).join(" and "),
  };
}

/** The rows with these keys as they are ordered, with their hash where a method is given; locked where that is wanted. */
export async function findRows(
  session: Session,
  side: TableSide,
  keys: Row[],
  method: HashMethod = "client",
  lock = "",
): Promise<({ row: Row; hash: bigint } | undefined)[]> {
  const found = new Array<{ row: Row; hash: bigint } | undefined>(keys.length).fill(undefined);
  if (keys.length === 0) return found;
  const columns = readings(side);
  const convert = converter(side);
  const table = keyTable(side, keys);
  const hashSql = method === "client" ? "null" : rowHashSql(side, method);
  const sql = `select k.number, ${hashSql}, ${columns.map((column) => column.sql).join(", ")} ` +
    `${fromClause(side)}, ${table.from} where ${table.condition} ${lock}`;
  const results: TextRow[] = await session.query(sql, table.values, { table: side.table.id });
  for (const [number, hash, ...texts] of results) {
    const at = Number(number) - 1;
    const row = convert(texts);
    // Equal to the server is not always the same.
    if (!side.key.every((position, n) => row[position] === keys[at][n])) continue;
    found[at] = { row, hash: hash === null ? rowHash(row) : BigInt.asUintN(64, BigInt(hash)) };
  }
  return found;
}

import type { LockedRow } from "../dialect.ts";
import { rowHash } from "../row_text.ts";
import type { HashMethod, Row, TableSide } from "../types.ts";
import { canonicalSql, equalityIsIdentity, fromCanonical, reference, rendersInSql } from "./expressions.ts";
import { rowHashSql } from "./hash_sql.ts";
import { arrayText } from "./identifier.ts";
import { converter, fromClause, readings } from "./select.ts";
import type { Session, TextRow } from "./session.ts";

/** The parameters that hold keys, a column each, and the table `k` of them with their number from 1. */
export function keyTable(side: TableSide, keys: Row[]): { values: string[]; from: string; condition: string } {
  const arrays = side.key.map((_, n) => `$${n + 1}::text[]`);
  const names = side.key.map((_, n) => `k${n}`);
  return {
    values: side.key.map((_, n) => arrayText(keys.map((key) => key[n]))),
    from: `unnest(${arrays.join(", ")}) with ordinality k(${[...names, "number"].join(", ")})`,
    condition: keyCondition(side),
  };
}

/** The condition that a row `t` has the key of a row `k` of canonical texts `k0`, `k1`, … */
export function keyCondition(side: TableSide): string {
  return side.key.map((at, n) => {
    const [column, form] = [side.columns[at], side.forms[at]];
    const equal = `${reference(column)} = ${fromCanonical(`k.k${n}`, column, form)}`;
    const isExact = equalityIsIdentity(column) || !rendersInSql(column, form);
    return isExact ? equal : `${equal} and ${canonicalSql(column, form)} = k.k${n} collate "C"`;
  }).join(" and ");
}

/** The rows with these keys as they are ordered. */
export async function findRows(session: Session, side: TableSide, keys: Row[]): Promise<(Row | undefined)[]> {
  return (await find(session, side, keys, "null")).map((found) => found?.row);
}

/** The rows with these keys as they are ordered, with their hashes; locked against others' writes. */
export async function lockRows(
  session: Session,
  side: TableSide,
  keys: Row[],
  method: HashMethod,
): Promise<(LockedRow | undefined)[]> {
  const hashSql = method === "client" ? "null" : rowHashSql(side, method);
  return (await find(session, side, keys, hashSql, "for update of t")).map((found) => {
    if (found === undefined) return undefined;
    const { row, hash } = found;
    return { row, hash: hash === null ? rowHash(side, row) : BigInt.asUintN(64, BigInt(hash)) };
  });
}

async function find(
  session: Session,
  side: TableSide,
  keys: Row[],
  hashSql: string,
  lock = "",
): Promise<({ row: Row; hash: string | null } | undefined)[]> {
  const found = new Array<{ row: Row; hash: string | null } | undefined>(keys.length).fill(undefined);
  if (keys.length === 0) return found;
  const columns = readings(side);
  const convert = converter(side);
  const table = keyTable(side, keys);
  const sql = `select k.number, ${hashSql}, ${columns.map((column) => column.sql).join(", ")} ` +
    `${fromClause(side)}, ${table.from} where ${table.condition} ${lock}`;
  const results: TextRow[] = await session.query(sql, table.values, { table: side.table.id });
  for (const [number, hash, ...texts] of results) {
    const at = Number(number) - 1;
    const row = convert(texts);
    // Equal to the server is not always the same.
    if (!side.key.every((position, n) => row[position] === keys[at][n])) continue;
    found[at] = { row, hash };
  }
  return found;
}

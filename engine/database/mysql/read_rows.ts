import type { Row, TableSide } from "../types.ts";
import { holdable, joinKeys, POSITION } from "./keyed.ts";
import type { Session } from "./session.ts";
import { sideSql } from "./side_sql.ts";

/**
 * The rows with these keys, in their order.
 *
 * @param lock for SQL after the query, such as `FOR UPDATE`
 */
export async function readKeyed(
  session: Session,
  side: TableSide,
  keys: Row[],
  lock = "",
): Promise<(Row | undefined)[]> {
  const found: (Row | undefined)[] = keys.map(() => undefined);
  const positions = holdable(side, keys);
  if (positions.length === 0) return found;
  const { select, read, where } = sideSql(side);
  // What is to be locked is one row, whether the filter lets it through or not.
  const condition = lock === "" ? where : lock;
  const sql = `SELECT ${POSITION}, ${select()} FROM ${joinKeys(side, keys, positions)} ${condition}`;
  for (const [position, ...values] of await session.rows(sql)) {
    const row = read(values);
    const key = keys[Number(position)];
    // A collation may take another key for the same.
    if (side.key.every((at, n) => row[at] === key[n])) found[Number(position)] = row;
  }
  return found;
}

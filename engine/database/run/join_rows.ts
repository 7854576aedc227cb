import { EngineError } from "../../errors.ts";
import type { HashedRow, Row, TableSide } from "../types.ts";
import type { RowState, Side } from "./decide.ts";
import { keyWords } from "./report.ts";

/** The two sides' rows of one key. */
export interface RowPair {
  key: Row;
  source: RowState;
  target: RowState;
}

/**
 * Joins the rows of one segment by their keys.
 *
 * @throws EngineError `invalid` where a key is no key: the same twice, or NULL
 */
export function* joinRows(
  source: HashedRow[],
  target: HashedRow[],
  sides: { source: TableSide; target: TableSide },
): Generator<RowPair> {
  const others = index(target, sides.target, "target");
  for (const [name, { key, hash }] of index(source, sides.source, "source")) {
    const other = others.get(name);
    if (other !== undefined) others.delete(name);
    yield { key, source: hash, target: other?.hash };
  }
  for (const { key, hash } of others.values()) yield { key, source: undefined, target: hash };
}

function index(rows: HashedRow[], side: TableSide, name: Side): Map<string, HashedRow> {
  const byKey = new Map<string, HashedRow>();
  for (const row of rows) {
    const key = row.key.length === 1 ? row.key[0] : row.key.includes(null) ? null : JSON.stringify(row.key);
    if (key === null) throw noKey(side, name, row.key, "has a row without a key");
    if (byKey.has(key)) throw noKey(side, name, row.key, "has several rows with one key");
    byKey.set(key, row);
  }
  return byKey;
}

function noKey({ table, ...side }: TableSide, name: Side, key: Row, words: string): EngineError {
  const details = `${table.id}: the ${name} ${words} (${keyWords({ table, ...side }, key)})`;
  return new EngineError("invalid", "The rows cannot be told apart", details);
}

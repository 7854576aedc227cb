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
  let at = 0;
  // Mostly both sides send the same keys in the same order, and where the servers see to it that keys are keys, nothing has to be looked up.
  if (isKept(sides.source) && isKept(sides.target)) {
    for (; at < source.length && at < target.length; at++) {
      const { key, hash } = source[at];
      if (!isSame(key, target[at].key)) break;
      yield { key, source: hash, target: target[at].hash };
    }
  }
  const others = index(target, at, sides.target, "target");
  for (const [name, { key, hash }] of index(source, at, sides.source, "source")) {
    const other = others.get(name);
    if (other !== undefined) others.delete(name);
    yield { key, source: hash, target: other?.hash };
  }
  for (const { key, hash } of others.values()) yield { key, source: undefined, target: hash };
}

/** Whether the server has the key for one as well. Not in SQLite, where 1 and '1' may be two keys with one text. */
function isKept({ table, key, columns }: TableSide): boolean {
  const names = key.map((at) => columns[at].name);
  const isExact = (at: number) => !columns[at].nullable && columns[at].storage?.exact !== false;
  return table.kind !== "view" && key.every(isExact) &&
    [table.key, ...table.unique].some((unique) => {
      return unique.length === names.length && unique.every((name) => names.includes(name));
    });
}

function isSame(a: Row, b: Row): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The rows from a position on, by their keys. */
function index(rows: HashedRow[], from: number, side: TableSide, name: Side): Map<string, HashedRow> {
  const byKey = new Map<string, HashedRow>();
  for (let at = from; at < rows.length; at++) {
    const row = rows[at];
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

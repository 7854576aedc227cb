import { EngineError } from "../../errors.ts";
import type { Snapshot } from "../dialect.ts";
import type { Row } from "../types.ts";
import type { Side } from "./decide.ts";
import { onSide } from "./failure.ts";
import type { TablePair } from "./pairing.ts";

/** Keys of one query. */
const MOST_KEYS = 2000;

/**
 * The rows with these keys, which the snapshot has, in their order. All are held in memory, so the caller bounds them.
 *
 * @throws EngineError
 */
export async function fetchRows(side: Side, snapshot: Snapshot, pair: TablePair, keys: Row[]): Promise<Row[]> {
  const pieces: Promise<(Row | undefined)[]>[] = [];
  for (let at = 0; at < keys.length; at += MOST_KEYS) {
    pieces.push(snapshot.rows(pair[side], keys.slice(at, at + MOST_KEYS)));
  }
  const rows = await onSide(side, async () => (await Promise.all(pieces)).flat());
  if (rows.includes(undefined)) throw rowHasGone(side, pair);
  return rows as Row[];
}

/** The error of a row that a snapshot had and has no more, which MySQL's engines without transactions make possible. */
export function rowHasGone(side: Side, pair: TablePair): EngineError {
  const words = "a row went away while the table was read, which is not possible where its storage has snapshots";
  const details = `${side}: ${pair[side].table.id}: ${words}; run it again when nobody writes there`;
  return new EngineError("database-failed", "The database refused or failed", details);
}

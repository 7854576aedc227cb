import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { balanced } from "../balanced.ts";
import type { Column, TableSide } from "../types.ts";
import { Query, scalar } from "./query.ts";
import { LEAST_ROWID, MOST_ROWID, type ReadContext, TURN_MS } from "./row_reader.ts";
import { ATTACHED } from "./snapshot_state.ts";
import { quote } from "./stored.ts";

/** Segments that are compared by one statement are so many that they have about so many rows; it takes some milliseconds. */
const ROWS = 10_000;

/** The rows in which a table differs from the one of an attached file, by their rowids. */
export interface FileDifferences {
  /** Rows that are there on both sides and may differ. */
  changed: bigint[];
  here: bigint[];
  there: bigint[];
}

/** Whether two sides can be compared by SQLite itself, row by row: their keys are their rowids, and their values compare exactly. */
export function areComparable(here: TableSide, there: TableSide): boolean {
  return here.filter === undefined && there.filter === undefined && here.columns.every(({ storage }, i) => {
    return storage !== undefined && storage.affinity === there.columns[i].storage?.affinity;
  });
}

/**
 * Finds the rows in which a table differs from one of the attached file. Rows that it does not name are stored alike, bit by bit.
 *
 * @param boundaries of segments of both tables, ascending
 * @param most so many rows may differ
 * @returns undefined where more do
 */
export async function differencesOf(
  { database, signal }: ReadContext,
  here: TableSide,
  there: TableSide,
  { rows, boundaries, most }: { rows: number; boundaries: string[]; most: number },
): Promise<FileDifferences | undefined> {
  const [a, b] = [quote(here.columns[here.key[0]].name), quote(there.columns[there.key[0]].name)];
  const [one, other] = [`main.${quote(here.table.name)}`, `${ATTACHED}.${quote(there.table.name)}`];
  const same = here.columns.map((column, i) => sameValue(column, there.columns[i]));
  const differing = new Query(
    database,
    `SELECT a.${a}, b.${b} FROM ${one} a LEFT JOIN ${other} b ON b.${b} = a.${a} WHERE a.${a} BETWEEN ? AND ? ` +
      `AND (b.${b} IS NULL OR NOT (${balanced(same, "AND")}))`,
  );
  const found: FileDifferences = { changed: [], here: [], there: [] };
  const isTooMuch = () => found.changed.length + found.here.length + found.there.length > most;
  const slices = slicesOf(rows, boundaries);
  let turn = performance.now();
  const pause = async () => {
    signal.throwIfAborted();
    if (performance.now() - turn < TURN_MS) return;
    await nextTurn();
    turn = performance.now();
  };
  for (const slice of slices) {
    await pause();
    for (const [key, match] of differing.all(slice)) (match === null ? found.here : found.changed).push(key as bigint);
    if (isTooMuch()) return undefined;
  }
  const matched = countOf(database, one) - found.here.length;
  if (matched === countOf(database, other)) return found;
  const missing = new Query(
    database,
    `SELECT b.${b} FROM ${other} b WHERE b.${b} BETWEEN ? AND ? ` +
      `AND NOT EXISTS (SELECT 1 FROM ${one} a WHERE a.${a} = b.${b})`,
  );
  for (const slice of slices) {
    await pause();
    for (const [key] of missing.all(slice)) found.there.push(key as bigint);
    if (isTooMuch()) return undefined;
  }
  return found;
}

/**
 * A condition that holds only where two values are the same bit by bit. `IS` takes whole numbers and floating-point ones of the
 * same value for equal, and minus zero for zero. Columns that prefer numbers turn one into the other, but for -2^63; columns of
 * floating-point numbers have these only; others may hold both.
 */
function sameValue(here: Column, there: Column): string {
  const [a, b] = [`a.${quote(here.name)}`, `b.${quote(there.name)}`];
  const same = `${a} IS ${b} COLLATE BINARY`;
  switch (here.storage?.affinity) {
    case "integer":
    case "numeric":
      return `(${same} AND ${a} IS NOT -9223372036854775808)`;
    case "blob":
      return `(${same} AND typeof(${a}) = typeof(${b}) AND (${a} IS NOT 0 OR typeof(${a}) = 'integer'))`;
    default:
      return `(${same})`;
  }
}

/** Ranges of keys, both ends in them, of about {@link ROWS} rows. */
function slicesOf(rows: number, boundaries: string[]): [from: bigint, to: bigint][] {
  const step = Math.max(1, Math.floor(ROWS * (boundaries.length + 1) / Math.max(1, rows)));
  const slices: [bigint, bigint][] = [];
  let from = LEAST_ROWID;
  for (let at = step - 1; at < boundaries.length; at += step) {
    const next = BigInt(boundaries[at]);
    if (next > from) slices.push([from, next - 1n]);
    from = next;
  }
  slices.push([from, MOST_ROWID]);
  return slices;
}

function countOf(database: DatabaseSync, table: string): number {
  return Number(scalar(database, `SELECT count(*) FROM ${table}`));
}

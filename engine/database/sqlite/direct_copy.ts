import { setImmediate as nextTurn } from "node:timers/promises";
import type { DirectCopy } from "../dialect.ts";
import type { TableSide } from "../types.ts";
import { Query } from "./query.ts";
import { LEAST_ROWID, MOST_ROWID, type ReadContext, TURN_MS } from "./row_reader.ts";
import { SqliteSnapshot } from "./snapshot.ts";
import { ATTACHED } from "./snapshot_state.ts";
import { quote } from "./stored.ts";
import { SqliteWriter } from "./writer.ts";

/** Rows of one statement; it takes a few milliseconds. */
const ROWS = 4000;

/** Copies within SQLite, whose columns then hold exactly what they held in the other file. */
export const directCopy: DirectCopy = async ({ snapshot, side: from }, { writer, side: to }, progress) => {
  if (!(snapshot instanceof SqliteSnapshot && writer instanceof SqliteWriter)) return undefined;
  // In the other connection, a filter's subquery would look at the target's tables.
  if (from.filter !== undefined) return undefined;
  const rowid = snapshot.rowidOf(from.table);
  if (rowid === undefined || !areStoredAlike(from, to) || !writer.attach(snapshot)) return undefined;
  return await writer.copy(to, (context) => copyRows(context, from, { to, rowid, progress }));
};

/** Whether values that a column holds are what it would make of them again, which is so where both prefer the same class. */
function areStoredAlike(from: TableSide, to: TableSide): boolean {
  return from.columns.every(({ storage }, i) => {
    return storage !== undefined && storage.affinity === to.columns[i].storage?.affinity;
  });
}

async function copyRows(
  { database, signal }: ReadContext,
  from: TableSide,
  { to, rowid, progress }: { to: TableSide; rowid: string; progress: (rows: number) => void },
): Promise<number> {
  const names = ({ columns }: TableSide) => columns.map(({ name }) => quote(name)).join(", ");
  const source = `${ATTACHED}.${quote(from.table.name)}`;
  const some = `SELECT ${rowid} AS r FROM ${source} WHERE ${rowid} >= ? ORDER BY ${rowid} LIMIT ${ROWS}`;
  const lastOf = new Query(database, `SELECT max(r) FROM (${some})`);
  const insert = new Query(
    database,
    `INSERT INTO main.${quote(to.table.name)} (${names(to)}) ` +
      `SELECT ${names(from)} FROM ${source} WHERE ${rowid} BETWEEN ? AND ? ORDER BY ${rowid}`,
  );
  let rows = 0;
  let turn = performance.now();
  for (let start = LEAST_ROWID;;) {
    signal.throwIfAborted();
    const end = lastOf.first([start])?.[0] as bigint | null;
    if (end === null) return rows;
    const inserted = insert.run([start, end]);
    progress(inserted);
    rows += inserted;
    if (end === MOST_ROWID) return rows;
    start = end + 1n;
    if (performance.now() - turn < TURN_MS) continue;
    await nextTurn();
    turn = performance.now();
  }
}

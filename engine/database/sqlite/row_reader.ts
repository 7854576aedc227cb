import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { sqliteFailure } from "./failure.ts";
import { Query } from "./query.ts";
import type { RowLayout, StoredRow } from "./row_layout.ts";
import { quote, type Stored } from "./stored.ts";

const BLOCK_ROWS = 20_000;
const PAGE_ROWS = 1000;
const PAGE_BYTES = 4 << 20;
/** How long others may have to wait. */
const TURN_MS = 20;
const LEAST_ROWID = -(2n ** 63n);
const MOST_ROWID = 2n ** 63n - 1n;

/** Only rows whose only key column, of whole numbers, is at least `from` and less than `to`. */
export interface KeyRange {
  from: bigint | undefined;
  to: bigint | undefined;
}

/** What a reader needs beside a layout. */
export interface ReadContext {
  database: DatabaseSync;
  signal: AbortSignal;
}

/** Every row of a table, exactly as stored, in pages that are bounded in rows and bytes. Gives way to others between pages. */
export async function* readPages(
  { database, signal }: ReadContext,
  layout: RowLayout,
  range?: KeyRange,
): AsyncGenerator<StoredRow[]> {
  const conditions = new Conditions(layout.side.filter);
  const { key, columns, table } = layout.side;
  if (range?.from !== undefined) conditions.add(`${quote(columns[key[0]].name)} >= ?`, range.from);
  if (range?.to !== undefined) conditions.add(`${quote(columns[key[0]].name)} < ?`, range.to);
  // A range of another column than the rowid goes by that column's index.
  const pages = layout.isRowid && (range === undefined || layout.isKeyRowid)
    ? pagesByRowid(database, layout, conditions)
    : pagesInTurn(database, layout, conditions);
  try {
    let turn = performance.now();
    for (;;) {
      signal.throwIfAborted();
      const page = pages.next();
      if (page.done) return;
      yield page.value;
      if (performance.now() - turn < TURN_MS) continue;
      await nextTurn();
      turn = performance.now();
    }
  } catch (error) {
    throw sqliteFailure(error, { table: table.id });
  } finally {
    pages.return(undefined);
  }
}

/** The conditions of a query and what is bound to them. */
class Conditions {
  readonly values: Stored[] = [];
  readonly #texts: string[] = [];

  constructor(filter: string | undefined) {
    // The line break ends a comment.
    if (filter !== undefined) this.#texts.push(`(${filter}\n)`);
  }

  add(text: string, value: Stored): void {
    this.#texts.push(text);
    this.values.push(value);
  }

  /** `WHERE` with these and a further condition, which comes last. */
  where(last: string): string {
    const all = [...this.#texts, last].filter((text) => text !== "");
    return all.length === 0 ? "" : `WHERE ${all.join(" AND ")}`;
  }
}

/**
 * In blocks by rowid. A look at a block's sizes first costs little and tells how many rows a page may have, and whether its texts
 * can be read the fast way.
 */
function* pagesByRowid(database: DatabaseSync, layout: RowLayout, conditions: Conditions): Generator<StoredRow[]> {
  const table = quote(layout.side.table.name);
  const [rowid] = layout.locator;
  const block = new Query(
    database,
    `SELECT max(r), max(size), max(nul) FROM (SELECT ${rowid} AS r, ${layout.size} AS size, ${layout.hasNul} AS nul ` +
      `FROM ${table} ${conditions.where(`${rowid} >= ?`)} ORDER BY ${rowid} LIMIT ${BLOCK_ROWS})`,
  );
  const page = (columns: string) => {
    const where = conditions.where(`${rowid} BETWEEN ? AND ?`);
    return new Query(database, `SELECT ${columns} FROM ${table} ${where} ORDER BY ${rowid} LIMIT ?`);
  };
  const fast = page(layout.fastColumns);
  const exact = page(layout.exactColumns);
  const one = new Query(database, `SELECT ${layout.exactColumns} FROM ${table} WHERE ${rowid} = ?`);
  let start = LEAST_ROWID;
  for (;;) {
    const [end, size, nul] = block.first([...conditions.values, start]) as [bigint | null, bigint, bigint];
    if (end === null) return;
    const limit = BigInt(Math.max(1, Math.min(PAGE_ROWS, Math.floor(PAGE_BYTES / (Number(size) + 1)))));
    for (let from = start; from <= end;) {
      const found = (nul === 1n ? exact : fast).all([...conditions.values, from, end, limit]);
      if (found.length === 0) break;
      yield nul === 1n ? found.map((row) => layout.decode(row)) : found.map((row) => {
        return layout.isDoubtful(row) ? layout.decode(one.first([row[0]]) as Stored[]) : row;
      });
      from = found[found.length - 1][0] as bigint + 1n;
    }
    if (end === MOST_ROWID) return;
    start = end + 1n;
  }
}

/** In the order in which they come, for what has no rowid. */
function* pagesInTurn(database: DatabaseSync, layout: RowLayout, conditions: Conditions): Generator<StoredRow[]> {
  const sql = `SELECT ${layout.exactColumns} FROM ${quote(layout.side.table.name)} ${conditions.where("")}`;
  let page: StoredRow[] = [];
  let size = 0;
  for (const found of new Query(database, sql).each(conditions.values)) {
    const row = layout.decode(found);
    page.push(row);
    for (const value of row) size += typeof value === "string" || value instanceof Uint8Array ? value.length : 8;
    if (page.length < PAGE_ROWS && size < PAGE_BYTES) continue;
    yield page;
    page = [];
    size = 0;
  }
  if (page.length > 0) yield page;
}

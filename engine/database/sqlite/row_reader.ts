import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { sqliteFailure } from "./failure.ts";
import { Query, scalar } from "./query.ts";
import type { RowLayout, StoredRow } from "./row_layout.ts";
import { quote, type Stored } from "./stored.ts";

/** Below so many rows a page the sizes are looked at block by block. */
const FEW_ROWS = 64;
const BLOCK_ROWS = 20_000;
const PAGE_ROWS = 1000;
const PAGE_BYTES = 4 << 20;
/** Bytes of a file in which the longest row is looked for. */
const MOST_SURVEYED = 256 << 20;
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

/** Reads the rows of a table, exactly as stored. */
export class RowReader {
  readonly #context: ReadContext;
  readonly #layout: RowLayout;
  #byRowid: RowidPages | undefined;

  constructor(context: ReadContext, layout: RowLayout) {
    this.#context = context;
    this.#layout = layout;
  }

  /** Every row, in pages that are bounded in rows and bytes. Gives way to others between pages. */
  async *pages(range?: KeyRange): AsyncGenerator<StoredRow[]> {
    const { database, signal } = this.#context;
    const layout = this.#layout;
    const { table } = layout.side;
    // A range of another column than the rowid goes by that column's index.
    const isByRowid = layout.isRowid && (range === undefined || layout.isKeyRowid);
    let pages: Generator<StoredRow[]> | undefined;
    try {
      pages = isByRowid
        ? (this.#byRowid ??= new RowidPages(database, layout)).read(range)
        : pagesInTurn(database, layout, range);
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
      pages?.return(undefined);
    }
  }
}

/** Pages in the order of the rowid. */
class RowidPages {
  readonly #layout: RowLayout;
  readonly #page: Query;
  readonly #row: Query;
  /** Rows that a page may have wherever it lies; undefined where that would be too few. */
  readonly #limit: number | undefined;
  readonly #block: Query | undefined;

  constructor(database: DatabaseSync, layout: RowLayout) {
    const { table, filter } = layout.side;
    const [name, [rowid]] = [quote(table.name), layout.locator];
    // The line break ends a comment.
    const where = `WHERE ${filter === undefined ? "" : `(${filter}\n) AND `}${rowid} BETWEEN ? AND ? ORDER BY ${rowid}`;
    const columns = layout.isWide ? layout.exactColumns : layout.fastColumns;
    this.#layout = layout;
    this.#page = new Query(database, `SELECT ${columns} FROM ${name} ${where} LIMIT ?`);
    this.#row = new Query(database, `SELECT ${layout.exactColumns} FROM ${name} WHERE ${rowid} = ?`);
    const limit = pageLimit(longestRow(database, table.name) ?? Infinity);
    this.#limit = limit < FEW_ROWS ? undefined : limit;
    if (this.#limit !== undefined) return;
    const sizes = `SELECT ${rowid} AS r, ${layout.size} AS size FROM ${name} ${where} LIMIT ${BLOCK_ROWS}`;
    this.#block = new Query(database, `SELECT max(r), max(size) FROM (${sizes})`);
  }

  *read(range: KeyRange | undefined): Generator<StoredRow[]> {
    const [from, to] = [range?.from ?? LEAST_ROWID, range?.to === undefined ? MOST_ROWID : range.to - 1n];
    if (this.#limit !== undefined) return yield* this.#between(from, to, this.#limit);
    // A look at the sizes of a block of rows costs little beside reading them.
    for (let start = from; start <= to;) {
      const [end, size] = this.#block?.first([start, to]) as [bigint | null, bigint];
      if (end === null) return;
      yield* this.#between(start, end, pageLimit(Number(size)));
      if (end === MOST_ROWID) return;
      start = end + 1n;
    }
  }

  *#between(start: bigint, end: bigint, limit: number): Generator<StoredRow[]> {
    for (let from = start; from <= end;) {
      const found = this.#page.all([from, end, BigInt(limit)]);
      if (found.length > 0) yield this.#whole(found);
      if (found.length < limit) return;
      const last = found[limit - 1][0] as bigint;
      if (last === MOST_ROWID) return;
      from = last + 1n;
    }
  }

  #whole(found: StoredRow[]): StoredRow[] {
    const layout = this.#layout;
    if (layout.isWide) return found.map((row) => layout.decode(row));
    for (const [i, row] of found.entries()) {
      if (layout.isDoubtful(row)) found[i] = layout.decode(this.#row.first([row[0]]) as Stored[]);
    }
    return found;
  }
}

function pageLimit(bytesARow: number): number {
  return Math.max(1, Math.min(PAGE_ROWS, Math.floor(PAGE_BYTES / (bytesARow + 1))));
}

/** Bytes of a table's longest row; undefined where finding out would take long, for it is a pass over the table. */
function longestRow(database: DatabaseSync, table: string): number | undefined {
  const size = scalar(database, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
  if (Number(size) > MOST_SURVEYED) return undefined;
  const sql = "SELECT mx_payload FROM dbstat('main') WHERE name = ? AND aggregate = 1";
  const longest = scalar(database, sql, [table]);
  return typeof longest === "bigint" ? Number(longest) : undefined;
}

/** In the order in which they come, for what has no rowid. */
function* pagesInTurn(
  database: DatabaseSync,
  layout: RowLayout,
  range: KeyRange | undefined,
): Generator<StoredRow[]> {
  const { key, columns, table, filter } = layout.side;
  const conditions: string[] = [];
  const values: Stored[] = [];
  const add = (operator: string, value: bigint | undefined) => {
    if (value === undefined) return;
    conditions.push(`${quote(columns[key[0]].name)} ${operator} ?`);
    values.push(value);
  };
  if (filter !== undefined) conditions.push(`(${filter}\n)`);
  add(">=", range?.from);
  add("<", range?.to);
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const sql = `SELECT ${layout.exactColumns} FROM ${quote(table.name)} ${where}`;
  let page: StoredRow[] = [];
  let size = 0;
  for (const found of new Query(database, sql).each(values)) {
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

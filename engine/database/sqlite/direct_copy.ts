import type { DirectCopy, HashSink } from "../dialect.ts";
import { DatabaseError } from "../error.ts";
import type { TableSide } from "../types.ts";
import type { Query } from "./query.ts";
import type { RowLayout, StoredRow } from "./row_layout.ts";
import { RowHashes } from "./segments.ts";
import { SqliteSnapshot } from "./snapshot.ts";
import { InvalidText, quote, type Stored } from "./stored.ts";
import { SqliteWriter } from "./writer.ts";

/** Rows of one statement: more take no less time each. */
const ROWS = 16;
/** Values of one statement, but for a row that has more. */
const VALUES = 512;

/** Copies between SQLite files by what is stored, which the columns then hold exactly. */
export const directCopy: DirectCopy = async ({ snapshot, side: from }, { writer, side: to }, progress, sink) => {
  if (!(snapshot instanceof SqliteSnapshot && writer instanceof SqliteWriter) || !areStoredAlike(from, to)) {
    return undefined;
  }
  const { layout, reader } = snapshot.reader(from);
  const tell = sink === undefined ? undefined : teller(layout, sink);
  return await writer.copy(to, async (prepare, signal) => {
    const insert = new RowInserts(to, layout, prepare);
    let rows = 0;
    for await (const page of reader.pages()) {
      signal.throwIfAborted();
      insert.rows(page);
      tell?.(page);
      progress(page.length);
      rows += page.length;
    }
    return rows;
  });
};

/** Whether values that a column holds are what it would make of them again, which is so where both prefer the same class. */
function areStoredAlike(from: TableSide, to: TableSide): boolean {
  return from.columns.every(({ storage }, i) => {
    return storage !== undefined && storage.affinity === to.columns[i].storage?.affinity;
  });
}

function teller(layout: RowLayout, { method, bucketing, take }: HashSink): (page: StoredRow[]) => void {
  const hashes = new RowHashes(layout, method, bucketing);
  return (page) =>
    take(page.map((row) => {
      hashes.hash(row);
      return { bucket: hashes.bucket, key: layout.key(row), hash: hashes.hashed };
    }));
}

/** Inserts rows as they are stored, several at once. */
class RowInserts {
  readonly #layout: RowLayout;
  readonly #columns: number;
  readonly #several: Query;
  readonly #atOnce: number;
  readonly #one: Query;

  constructor({ table, columns }: TableSide, layout: RowLayout, prepare: (sql: string) => Query) {
    this.#layout = layout;
    this.#columns = columns.length;
    this.#atOnce = Math.max(1, Math.min(ROWS, Math.floor(VALUES / columns.length)));
    const names = columns.map(({ name }) => quote(name)).join(", ");
    const row = `(${columns.map(() => "?").join(", ")})`;
    const insert = `INSERT INTO ${quote(table.name)} (${names}) VALUES`;
    this.#one = prepare(`${insert} ${row}`);
    this.#several = prepare(`${insert} ${Array(this.#atOnce).fill(row).join(", ")}`);
  }

  rows(rows: StoredRow[]): void {
    const whole = rows.length - rows.length % this.#atOnce;
    for (let at = 0; at < whole; at += this.#atOnce) this.#insert(this.#several, rows, at, this.#atOnce);
    for (let at = whole; at < rows.length; at++) this.#insert(this.#one, rows, at, 1);
  }

  #insert(query: Query, rows: StoredRow[], from: number, count: number): void {
    const [layout, columns] = [this.#layout, this.#columns];
    const first = layout.locator.length;
    const values: Stored[] = [];
    for (let at = from; at < from + count; at++) {
      const row = rows[at];
      for (let column = 0; column < columns; column++) {
        const value = row[first + column];
        // Its error says where it is.
        if (typeof value === "object" && value instanceof InvalidText) layout.value(row, column);
        values.push(value);
      }
    }
    // A trigger may leave rows out, which the ordinary way tells of.
    if (query.run(values) !== count) throw new DatabaseError("other", "rows were left out");
  }
}

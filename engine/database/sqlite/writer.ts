import type { DatabaseSync } from "node:sqlite";
import type { LockedRow, RowUpdate, Writer } from "../dialect.ts";
import { DatabaseError, type DatabaseErrorPlace } from "../error.ts";
import type { HashMethod, Row, Table, TableSide } from "../types.ts";
import { findTable } from "./describe.ts";
import { sqliteFailure } from "./failure.ts";
import { KeyLookup } from "./lookup.ts";
import { patiently } from "./open_file.ts";
import { brokenReference } from "./broken_reference.ts";
import { Query } from "./query.ts";
import { placeholder, RowBinder } from "./row_binder.ts";
import { RowLayout, type StoredRow } from "./row_layout.ts";
import { type ReadContext, RowReader } from "./row_reader.ts";
import { RowHashes } from "./segments.ts";
import { quote, type Stored } from "./stored.ts";

/** More rows found by their key than this are not remembered. */
const MOST_FOUND = 50_000;
const MOST_STATEMENTS = 200;

/** Writes in transactions that hold the file's write lock from their start. */
export class SqliteWriter implements Writer {
  readonly #context: ReadContext;
  readonly #close: () => void;
  readonly #statements = new Map<string, Query>();
  /** What finds the rows that were locked, by table and key. */
  readonly #found = new Map<string, Stored[]>();
  /** Tables written in this transaction. */
  readonly #written = new Set<string>();

  constructor(context: ReadContext, close: () => void) {
    this.#context = context;
    this.#close = close;
  }

  get #database(): DatabaseSync {
    return this.#context.database;
  }

  async begin(): Promise<void> {
    await patiently(this.#context.signal, () => this.#statement("BEGIN IMMEDIATE").run([]));
    this.#statement("PRAGMA defer_foreign_keys = ON").run([]);
  }

  async commit(): Promise<void> {
    try {
      await patiently(this.#context.signal, () => this.#statement("COMMIT").run([]));
    } catch (error) {
      const isReference = error instanceof DatabaseError && error.kind === "foreign-key";
      throw isReference ? brokenReference(this.#database, this.#written, error) : error;
    }
    this.#forget();
  }

  // deno-lint-ignore require-await
  async rollback(): Promise<void> {
    if (this.#database.isTransaction) this.#statement("ROLLBACK").run([]);
    this.#forget();
  }

  async lock(side: TableSide, method: HashMethod, keys: Row[]): Promise<(LockedRow | undefined)[]> {
    const layout = this.#layout(side);
    const hashes = new RowHashes(layout, method, { scheme: "row", buckets: 1 });
    const rows = await this.#find(layout, keys);
    return rows.map((row) => {
      if (row === undefined) return undefined;
      hashes.hash(row);
      return { row: layout.row(row), hash: hashes.hashed };
    });
  }

  async insert(side: TableSide, rows: Row[]): Promise<number[]> {
    const { table, columns, key } = side;
    const names = columns.map(({ name }) => quote(name)).join(", ");
    const keyNames = key.map((at) => quote(columns[at].name)).join(", ");
    const skip = key.length === 0 ? "" : ` ON CONFLICT (${keyNames}) DO NOTHING`;
    const values = columns.map(() => "?").join(", ");
    const sql = `INSERT INTO ${quote(table.name)} (${names}) VALUES (${values})${skip}`;
    const binder = new RowBinder(side);
    const there: number[] = [];
    await this.#whole(side, (at) => {
      const statement = this.#statement(sql);
      for (const [i, row] of rows.entries()) {
        at.row = i;
        if (statement.run(binder.row(row)) === 0) there.push(i);
      }
    });
    return there;
  }

  async update(side: TableSide, updates: RowUpdate[]): Promise<void> {
    const layout = this.#layout(side);
    const binder = new RowBinder(side);
    const locators = await this.#locators(layout, updates.map(({ key }) => key));
    const set = (changed: number[], values: Stored[], row: number) => {
      const assignments = changed.map((at) => `${quote(side.columns[at].name)} = ?`).join(", ");
      const sql = `UPDATE ${quote(side.table.name)} SET ${assignments} WHERE ${where(layout)}`;
      if (this.#statement(sql).run([...values, ...locators[row]]) !== 1) throw gone(side);
    };
    const write = (at: { row?: number }) => {
      for (const [i, { row, changed }] of updates.entries()) {
        at.row = i;
        set(changed, changed.map((at) => binder.value(row, at)), i);
      }
    };
    try {
      await this.#whole(side, write);
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.kind !== "unique") throw error;
      // Rows may have changed places: what is unique is taken from all of them before any gets it.
      const unique = new Set(side.table.unique.flat());
      const isUnique = (at: number) => unique.has(side.columns[at].name);
      if (updates.filter(({ changed }) => changed.some(isUnique)).length < 2) throw error;
      await this.#whole(side, (at) => {
        for (const [i, { changed }] of updates.entries()) {
          const taken = changed.filter(isUnique);
          if (taken.length > 0) set(taken, taken.map((at) => placeholder(side.columns[at])), i);
        }
        write(at);
      });
    }
  }

  async delete(side: TableSide, keys: Row[]): Promise<void> {
    const layout = this.#layout(side);
    const locators = await this.#locators(layout, keys);
    await this.#whole(side, (at) => {
      const statement = this.#statement(`DELETE FROM ${quote(side.table.name)} WHERE ${where(layout)}`);
      for (const [i, locator] of locators.entries()) {
        at.row = i;
        if (statement.run(locator) !== 1) throw gone(side);
      }
    });
    for (const key of keys) this.#found.delete(foundKey(side, key));
  }

  async deleteEqual(side: TableSide, rows: { row: Row; count: number }[]): Promise<number> {
    const layout = this.#layout(side);
    const left = new Map<string, number>();
    let missing = 0;
    for (const { row, count } of rows) {
      const text = JSON.stringify(row);
      left.set(text, (left.get(text) ?? 0) + count);
      missing += count;
    }
    const locators: Stored[][] = [];
    for await (const page of new RowReader(this.#context, layout).pages()) {
      if (missing === 0) break;
      for (const row of page) {
        const text = JSON.stringify(layout.row(row));
        const count = left.get(text) ?? 0;
        if (count === 0) continue;
        left.set(text, count - 1);
        missing--;
        locators.push(row.slice(0, layout.locator.length));
      }
    }
    await this.#whole(side, () => {
      const statement = this.#statement(`DELETE FROM ${quote(side.table.name)} WHERE ${where(layout)}`);
      for (const locator of locators) statement.run(locator);
    });
    return locators.length;
  }

  /** Puts rows into a table, all or nothing. */
  async copy(
    side: TableSide,
    work: (prepare: (sql: string) => Query, signal: AbortSignal) => Promise<number>,
  ): Promise<number> {
    this.#written.add(side.table.name);
    this.#statement("SAVEPOINT call").run([]);
    try {
      const rows = await work((sql) => this.#statement(sql), this.#context.signal);
      this.#statement("RELEASE call").run([]);
      return rows;
    } catch (error) {
      throw this.#undone(error, { table: side.table.id });
    }
  }

  /** SQLite remembers the highest number by itself, also in AUTOINCREMENT's table. */
  async advanceIdentity(): Promise<void> {}

  // deno-lint-ignore require-await
  async create(statements: string[]): Promise<void> {
    this.#atomically(() => {
      for (const statement of statements) this.#statement(statement).run([]);
    });
  }

  // deno-lint-ignore require-await
  async find(entity: string): Promise<Table> {
    return findTable(this.#database, entity);
  }

  // deno-lint-ignore require-await
  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  #layout(side: TableSide): RowLayout {
    return new RowLayout(this.#database, side);
  }

  async #find(layout: RowLayout, keys: Row[]): Promise<(StoredRow | undefined)[]> {
    const rows = await new KeyLookup(this.#context, layout).find(keys);
    if (this.#found.size + keys.length > MOST_FOUND) this.#found.clear();
    for (const [i, row] of rows.entries()) {
      if (row !== undefined) this.#found.set(foundKey(layout.side, keys[i]), row.slice(0, layout.locator.length));
    }
    return rows;
  }

  /** What finds the rows with these keys, in their order. @throws DatabaseError where one is gone */
  async #locators(layout: RowLayout, keys: Row[]): Promise<Stored[][]> {
    const known = keys.map((key) => this.#found.get(foundKey(layout.side, key)));
    if (!known.includes(undefined)) return known as Stored[][];
    const rows = await this.#find(layout, keys);
    return rows.map((row) => {
      if (row === undefined) throw gone(layout.side);
      return row.slice(0, layout.locator.length);
    });
  }

  /** Writes to a table, all or nothing; `at.row` says which row an error is about. */
  // deno-lint-ignore require-await
  async #whole(side: TableSide, work: (at: { row?: number }) => void): Promise<void> {
    this.#context.signal.throwIfAborted();
    this.#written.add(side.table.name);
    const at: { row?: number } = {};
    this.#atomically(() => work(at), { table: side.table.id }, at);
  }

  #atomically(work: () => void, place: DatabaseErrorPlace = {}, at: { row?: number } = {}): void {
    this.#statement("SAVEPOINT call").run([]);
    try {
      work();
      this.#statement("RELEASE call").run([]);
    } catch (error) {
      throw this.#undone(error, { ...place, ...at });
    }
  }

  /** Undoes what a call has done before an error, and says where that was. */
  #undone(error: unknown, place: DatabaseErrorPlace): unknown {
    const aborts = !this.#database.isTransaction;
    if (!aborts) {
      this.#statement("ROLLBACK TO call").run([]);
      this.#statement("RELEASE call").run([]);
    }
    return placed(sqliteFailure(error), { ...place, ...(aborts ? { aborts } : {}) });
  }

  #statement(sql: string): Query {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      if (this.#statements.size === MOST_STATEMENTS) this.#statements.clear();
      this.#statements.set(sql, statement = new Query(this.#database, sql));
    }
    return statement;
  }

  #forget(): void {
    this.#found.clear();
    this.#written.clear();
  }
}

function placed(error: unknown, place: DatabaseErrorPlace): unknown {
  if (!(error instanceof DatabaseError)) return error;
  const { kind, message, cause } = error;
  return new DatabaseError(kind, message, { ...place, ...error.place }, { cause });
}

function where(layout: RowLayout): string {
  if (layout.locator.length === 0) {
    const { id } = layout.side.table;
    throw new DatabaseError(
      "other",
      `${id}: rows without a key cannot be told apart where columns are called rowid, _rowid_ and oid`,
    );
  }
  return layout.locator.map((expression) => `${expression} = ?`).join(" AND ");
}

function foundKey({ table }: TableSide, key: Row): string {
  return `${table.id}\0${JSON.stringify(key)}`;
}

function gone({ table }: TableSide): DatabaseError {
  return new DatabaseError("other", `${table.id}: a row that was there is gone; a trigger may have removed it`);
}

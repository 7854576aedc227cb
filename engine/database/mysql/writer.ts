import type { LockedRow, RowUpdate, Writer } from "../dialect.ts";
import { DatabaseError } from "../error.ts";
import { rowHash } from "../row_text.ts";
import type { HashMethod, Row, Table, TableSide } from "../types.ts";
import { findTable } from "./catalogue.ts";
import { deleteRows } from "./delete.ts";
import { deleteEqualRows } from "./delete_equal.ts";
import { insertRows } from "./insert.ts";
import { MOST_KEYS } from "./keyed.ts";
import { quoteName } from "./quote.ts";
import { readKeyed } from "./read_rows.ts";
import type { ServerFacts } from "./server.ts";
import type { Session } from "./session.ts";
import { type TableFacts, tableFacts } from "./table_facts.ts";
import { updateRows } from "./update.ts";
import { atomically, type Writing } from "./writing.ts";

/** Writes in transactions of one connection. Foreign keys are checked row by row: these servers cannot put it off. */
export class MySqlWriter implements Writer {
  readonly #session: Session;
  readonly #writing: Writing;
  readonly #facts = new Map<string, TableFacts>();
  #state: "none" | "open" | "written" | "over" = "none";

  private constructor(session: Session, server: ServerFacts) {
    this.#session = session;
    this.#writing = { session, server, notLoaded: new Set() };
  }

  static async open(session: Session, server: ServerFacts): Promise<MySqlWriter> {
    // What is locked is read as it has become; what is not there is not locked either.
    const level = server.logsStatements ? "REPEATABLE READ" : "READ COMMITTED";
    await session.run(`SET SESSION TRANSACTION ISOLATION LEVEL ${level}`);
    return new MySqlWriter(session, server);
  }

  async begin(): Promise<void> {
    await this.#session.run("START TRANSACTION");
    this.#state = "open";
  }

  async commit(): Promise<void> {
    await this.#call("open", () => this.#session.run("COMMIT"));
    this.#state = "none";
  }

  async rollback(): Promise<void> {
    this.#state = "none";
    await this.#session.run("ROLLBACK");
  }

  lock(side: TableSide, method: HashMethod, keys: Row[]): Promise<(LockedRow | undefined)[]> {
    if (method !== "md5" && method !== "client") throw new RangeError(`MySQL has no hash ${method}`);
    return this.#call("open", () =>
      atomically(this.#writing, side, async () => {
        const locked: (LockedRow | undefined)[] = [];
        for (let at = 0; at < keys.length; at += MOST_KEYS) {
          const rows = await readKeyed(this.#session, side, keys.slice(at, at + MOST_KEYS), "FOR UPDATE");
          for (const row of rows) locked.push(row === undefined ? undefined : { row, hash: rowHash(side, row) });
        }
        return locked;
      }));
  }

  async insert(side: TableSide, rows: Row[]): Promise<number[]> {
    if (rows.length === 0) return [];
    await this.#factsOf(side);
    return await this.#call("written", () => insertRows(this.#writing, side, rows));
  }

  async update(side: TableSide, updates: RowUpdate[]): Promise<void> {
    if (updates.length === 0) return;
    const facts = await this.#factsOf(side);
    await this.#call("written", () => updateRows(this.#writing, side, facts, updates));
  }

  async delete(side: TableSide, keys: Row[]): Promise<void> {
    if (keys.length === 0) return;
    await this.#factsOf(side);
    await this.#call("written", () => deleteRows(this.#writing, side, keys));
  }

  async deleteEqual(side: TableSide, rows: { row: Row; count: number }[]): Promise<number> {
    if (rows.length === 0) return 0;
    await this.#factsOf(side);
    return await this.#call(
      "written",
      () => atomically(this.#writing, side, () => deleteEqualRows(this.#writing, side, rows)),
    );
  }

  /** InnoDB counts on from the highest value by itself. */
  advanceIdentity(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * The server commits whenever a table is made, so this is refused after the transaction's first change.
   *
   * @throws DatabaseError
   */
  async create(statements: string[]): Promise<void> {
    if (this.#state === "written") {
      throw new Error("Cannot create a table: the transaction has changes, which that would commit");
    }
    const isOpen = this.#state === "open";
    this.#facts.clear();
    for (const statement of statements) await this.#session.run(statement);
    if (isOpen) await this.begin();
  }

  async dropEmpty(tables: Table[]): Promise<Table[]> {
    const dropped: Table[] = [];
    for (const table of tables) {
      const name = quoteName(table.name);
      // Nobody adds a row between the look and the drop.
      await this.#session.run(`LOCK TABLES ${name} WRITE`);
      try {
        if ((await this.#session.rows(`SELECT 1 FROM ${name} LIMIT 1`)).length > 0) continue;
        await this.#session.run(`DROP TABLE ${name}`);
        dropped.push(table);
      } finally {
        await this.#session.run("UNLOCK TABLES");
      }
    }
    return dropped;
  }

  find(entity: string): Promise<Table> {
    return findTable(this.#session, entity);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Not left to the server, which does it when it notices that nobody is there any more.
    if (this.#state !== "none") await this.rollback().catch(() => {});
    await this.#session[Symbol.asyncDispose]();
  }

  /** Where the server ended the transaction, nothing may be written after it, for that would be outside of any. */
  async #call<T>(state: "open" | "written", work: () => Promise<T>): Promise<T> {
    if (this.#state === "none") throw new Error("Cannot write: no transaction is open");
    if (this.#state === "over") {
      this.#session.check();
      throw new DatabaseError("other", "the transaction was ended by an error", { aborts: true });
    }
    if (state === "written") this.#state = "written";
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.place.aborts === true) this.#state = "over";
      throw error;
    }
  }

  async #factsOf({ table }: TableSide): Promise<TableFacts> {
    let facts = this.#facts.get(table.id);
    if (facts === undefined) this.#facts.set(table.id, facts = await tableFacts(this.#session, table));
    return facts;
  }
}

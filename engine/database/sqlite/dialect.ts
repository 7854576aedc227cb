import * as fs from "node:fs";
import { dirname } from "node:path/posix";
import { DatabaseSync } from "node:sqlite";
import type { Connection, Dialect, ServerInfo, Snapshot, Writer } from "../dialect.ts";
import type { ConnectionSpec, Table } from "../types.ts";
import { creation } from "./creation.ts";
import { findTable } from "./describe.ts";
import { directCopy } from "./direct_copy.ts";
import { isThere, missing, openFile, patiently } from "./open_file.ts";
import { Query, scalar } from "./query.ts";
import { SqliteSnapshot } from "./snapshot.ts";
import { SqliteWriter } from "./writer.ts";

/**
 * SQLite files, through `node:sqlite`. It blocks its thread for moments, so it is for workers. A missing file is an error, except with
 * `createFile` in a directory that is there: then it reads as empty and the first writer makes it.
 */
export const sqlite: Dialect = {
  engine: "sqlite",
  direct: { copy: directCopy, tellsHashes: true, locks: true },
  async connect(spec: ConnectionSpec, signal: AbortSignal): Promise<Connection> {
    const connection = new SqliteConnection(spec, signal);
    await connection.open();
    return connection;
  },
};

class SqliteConnection implements Connection {
  readonly server: ServerInfo;
  readonly #spec: ConnectionSpec;
  readonly #signal: AbortSignal;
  readonly #open = new Set<DatabaseSync>();

  constructor(spec: ConnectionSpec, signal: AbortSignal) {
    this.#spec = spec;
    this.#signal = signal;
    using memory = new DatabaseSync(":memory:");
    const version = String(scalar(memory, "SELECT sqlite_version()"));
    this.server = { engine: "sqlite", version: `SQLite ${version}`, major: Number(version.split(".")[0]) };
  }

  /** Shows whether the file can be read. @throws DatabaseError */
  async open(): Promise<void> {
    this.#release(await this.#reader());
  }

  async find(entity: string): Promise<Table> {
    const database = await this.#reader();
    try {
      return await patiently(this.#signal, () => findTable(database, entity));
    } finally {
      this.#release(database);
    }
  }

  /** Always: the values are hashed here in any case. */
  rendersInSql(): boolean {
    return true;
  }

  async snapshot(): Promise<Snapshot> {
    const database = await this.#reader();
    database.exec("BEGIN");
    // The transaction begins with the first read.
    await patiently(this.#signal, () => new Query(database, "SELECT count(*) FROM sqlite_schema").first([]));
    return new SqliteSnapshot({ database, signal: this.#signal }, () => this.#release(database));
  }

  async writer(): Promise<Writer> {
    const { database: path, createFile } = this.#spec;
    const isNew = createFile === true && !isThere(path);
    const database = await this.#opened(await openFile(path, createFile ? "create" : "write", this.#signal));
    return new SqliteWriter({ database, signal: this.#signal }, () => {
      this.#release(database);
      // Nothing was committed: then there was no need for a file.
      if (isNew && fs.existsSync(path) && fs.statSync(path).size === 0) fs.unlinkSync(path);
    });
  }

  creation(table: Table): { statements: string[]; notes: string[] } {
    return creation(table);
  }

  // deno-lint-ignore require-await
  async [Symbol.asyncDispose](): Promise<void> {
    for (const database of this.#open) this.#release(database);
  }

  async #reader(): Promise<DatabaseSync> {
    const { database: path, createFile } = this.#spec;
    if (isThere(path)) return this.#opened(await openFile(path, "read", this.#signal));
    if (!createFile || !fs.existsSync(dirname(path))) throw missing(path);
    return this.#opened(new DatabaseSync(":memory:"));
  }

  #opened(database: DatabaseSync): DatabaseSync {
    this.#open.add(database);
    return database;
  }

  /** Ends what was not committed, too. */
  #release(database: DatabaseSync): void {
    this.#open.delete(database);
    if (database.isOpen) database.close();
  }
}

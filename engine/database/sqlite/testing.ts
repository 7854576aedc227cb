import { DatabaseSync } from "node:sqlite";
import type { Connection } from "../dialect.ts";
import { pairForm } from "../forms.ts";
import type { Column, ConnectionSpec, Form, Row, Table, TableSide } from "../types.ts";
import { sqlite } from "./dialect.ts";

/** A file of a test, with a connection of its own beside the dialect's. */
export class TestFile implements AsyncDisposable {
  readonly directory: string;
  readonly path: string;
  readonly other: DatabaseSync;
  readonly connection: Connection;

  private constructor(directory: string, connection: Connection, other: DatabaseSync) {
    this.directory = directory;
    this.path = `${directory}/test.db`;
    this.other = other;
    this.connection = connection;
  }

  /** @param sql run first */
  static async open(sql = "", journal = "WAL"): Promise<TestFile> {
    const directory = await Deno.makeTempDir({ prefix: "syncline-sqlite-" });
    const other = new DatabaseSync(`${directory}/test.db`, { timeout: 0 });
    other.exec(`PRAGMA journal_mode = ${journal}; PRAGMA synchronous = OFF; ${sql}`);
    const connection = await sqlite.connect(spec(`${directory}/test.db`), new AbortController().signal);
    return new TestFile(directory, connection, other);
  }

  /** A table as one side; the forms are those between two SQLite files or, with `foreign`, between this and another engine. */
  async side(name: string, foreign = false): Promise<TableSide> {
    return sideOf(await this.connection.find(name), foreign);
  }

  /** Writes rows in a transaction of their own. */
  async insert(side: TableSide, rows: Row[]): Promise<void> {
    await using writer = await this.connection.writer();
    await writer.begin();
    await writer.insert(side, rows);
    await writer.commit();
  }

  /** Every row as the dialect reads it. */
  async read(side: TableSide): Promise<Row[]> {
    await using snapshot = await this.connection.snapshot(1);
    return (await Array.fromAsync(snapshot.all(side, 1000))).flat();
  }

  /** Every row as SQLite itself writes literals, sorted: independent of what is tested. */
  dump(table: string, columns: string[]): string[] {
    const list = columns.map((name) => `quote("${name}") || ' ' || typeof("${name}") || ' ' || hex("${name}")`);
    return this.other.prepare(`SELECT ${list.join(" || '|' || ")} AS row FROM "${table}" ORDER BY 1`).all()
      .map(({ row }) => String(row));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection[Symbol.asyncDispose]();
    this.other.close();
    await Deno.remove(this.directory, { recursive: true });
  }
}

export function spec(database: string, more: Partial<ConnectionSpec> = {}): ConnectionSpec {
  return { engine: "sqlite", database, ssl: "disable", connectTimeoutMs: 1000, ...more };
}

export function sideOf(table: Table, foreign = false): TableSide {
  const columns = table.columns.filter(({ generated }) => !generated);
  const other = (column: Column) => foreign ? { ...column, storage: undefined } : column;
  const forms = columns.map((column) => pairForm(column, other(column)) as Form);
  return { table, columns, forms, key: table.key.map((name) => columns.findIndex((column) => column.name === name)) };
}

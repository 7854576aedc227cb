import type { LockedRow, RowUpdate, Writer } from "../dialect.ts";
import { DatabaseError } from "../error.ts";
import type { HashMethod, Row, Table, TableSide } from "../types.ts";
import { deleteEqualRows, deleteRows } from "./delete.ts";
import { findTable } from "./describe.ts";
import { lockRows } from "./find_rows.ts";
import { advanceIdentity } from "./identity.ts";
import { insertRows } from "./insert.ts";
import { inSavepoint } from "./savepoint.ts";
import type { Session } from "./session.ts";
import { updateRows } from "./update.ts";

export class PostgresWriter implements Writer {
  readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }

  async begin(): Promise<void> {
    await this.session.run("begin isolation level read committed; set constraints all deferred");
  }

  async commit(): Promise<void> {
    try {
      const done = await this.session.run("commit");
      // What the server says where an error has ended the transaction before.
      if (done === "ROLLBACK") throw new DatabaseError("other", "The transaction had failed and was rolled back");
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      throw new DatabaseError(error.kind, error.message, { ...error.place, aborts: true });
    }
  }

  async rollback(): Promise<void> {
    await this.session.run("rollback");
  }

  async lock(side: TableSide, method: HashMethod, keys: Row[]): Promise<(LockedRow | undefined)[]> {
    assertWritable(side);
    return await inSavepoint(this.session, () => lockRows(this.session, side, keys, method));
  }

  async insert(side: TableSide, rows: Row[]): Promise<number[]> {
    assertWritable(side);
    return rows.length === 0 ? [] : await insertRows(this.session, side, rows);
  }

  async update(side: TableSide, updates: RowUpdate[]): Promise<void> {
    assertWritable(side);
    if (updates.length > 0) await updateRows(this.session, side, updates);
  }

  async delete(side: TableSide, keys: Row[]): Promise<void> {
    assertWritable(side);
    if (keys.length > 0) await inSavepoint(this.session, () => deleteRows(this.session, side, keys));
  }

  async deleteEqual(side: TableSide, rows: { row: Row; count: number }[]): Promise<number> {
    assertWritable(side);
    if (rows.length === 0) return 0;
    return await inSavepoint(this.session, () => deleteEqualRows(this.session, side, rows));
  }

  async advanceIdentity(side: TableSide): Promise<void> {
    await inSavepoint(this.session, () => advanceIdentity(this.session, side));
  }

  async create(statements: string[]): Promise<void> {
    await inSavepoint(this.session, async () => {
      for (const statement of statements) await this.session.run(statement);
    });
  }

  find(entity: string): Promise<Table> {
    return findTable(this.session, entity);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The server rolls back what was not committed.
    await this.session[Symbol.asyncDispose]();
  }
}

/** @throws DatabaseError where rows cannot be written into the relation itself */
export function assertWritable({ table }: TableSide): void {
  if (table.kind !== "view") return;
  throw new DatabaseError("read-only", `${table.id} is a view: rows are written into tables only`, { table: table.id });
}

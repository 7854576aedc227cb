import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Write, WriteResult } from "./protocol.ts";

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Commits batches on one connection. Blocks until they are on disk. */
export class BatchCommitter {
  readonly #database: DatabaseSync;
  readonly #compiled = new Map<string, StatementSync>();
  #durable = true;

  /** Takes a connection in WAL mode with `synchronous=FULL`. */
  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * Commits the writes in one transaction, with one wait for the disk, or none where no write of them is durable. A write
   * that fails leaves no trace and does not stop the others; where the commit fails, all have failed.
   */
  commit(writes: Write[]): WriteResult[] {
    try {
      this.#setDurable(writes.some((write) => write.durable));
      this.#run("BEGIN IMMEDIATE");
      const results = writes.map((write) => this.#apply(write));
      this.#run("COMMIT");
      return results;
    } catch (error) {
      if (this.#database.isTransaction) this.#run("ROLLBACK");
      return writes.map(() => ({ failure: wordsOf(error) }));
    }
  }

  #apply(write: Write): WriteResult {
    this.#run("SAVEPOINT one_write");
    try {
      const changes = write.statements.map(({ sql, parameters }) => Number(this.#run(sql, parameters).changes));
      this.#run("RELEASE one_write");
      return { changes };
    } catch (error) {
      // A full disk or an I/O error ends the whole transaction, and so the whole batch.
      if (!this.#database.isTransaction) throw error;
      this.#run("ROLLBACK TO one_write");
      this.#run("RELEASE one_write");
      return { failure: wordsOf(error) };
    }
  }

  #run(sql: string, parameters: (string | number | null)[] = []) {
    let statement = this.#compiled.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#compiled.set(sql, statement);
    }
    return statement.run(...parameters);
  }

  /** Without a sync at its end a commit survives the process's death all the same, and the next durable one syncs it too. */
  #setDurable(durable: boolean): void {
    if (durable === this.#durable) return;
    this.#database.exec(`PRAGMA synchronous = ${durable ? "FULL" : "NORMAL"}`);
    this.#durable = durable;
  }
}

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { BackupRecord, BackupStore, SourceBackups } from "./types.ts";
import type { Writer } from "./writer.ts";

/** Sources beyond this many are forgotten, those first whose last backup is the oldest. */
const MAX_SOURCES = 1_000;

const RECORD = `INSERT INTO backups (source, repository, last_run_at, last_success_at, stored_bytes)
  VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (source, repository) DO UPDATE SET
  last_run_at = excluded.last_run_at, last_success_at = coalesce(excluded.last_success_at, last_success_at),
  stored_bytes = stored_bytes + excluded.stored_bytes`;

const DROP_OLDEST = `DELETE FROM backups WHERE (source, repository) IN (SELECT source, repository FROM backups
  ORDER BY last_run_at DESC LIMIT 100 OFFSET ${MAX_SOURCES})`;

const LIST = `SELECT source, repository, last_success_at AS lastSuccessAt, stored_bytes AS storedBytes FROM backups
  ORDER BY source, repository`;

export class SqliteBackupStore implements BackupStore {
  readonly #writer: Writer;
  readonly #list: StatementSync;

  constructor(reader: DatabaseSync, writer: Writer) {
    this.#writer = writer;
    this.#list = reader.prepare(LIST);
  }

  async record({ source, repository, success, storedBytes }: BackupRecord): Promise<void> {
    const now = Date.now();
    await this.#writer.write([
      { sql: RECORD, parameters: [source, repository, now, success ? now : null, storedBytes] },
      { sql: DROP_OLDEST, parameters: [] },
    ]);
  }

  list(): SourceBackups[] {
    return this.#list.all() as unknown as SourceBackups[];
  }
}

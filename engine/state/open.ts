import { DatabaseSync } from "node:sqlite";
import { SqliteAuditStore } from "./audit.ts";
import { claimDirectory, type DirectoryClaim } from "./directory.ts";
import { SqliteBackupStore } from "./backups.ts";
import { SqliteIdempotencyStore } from "./idempotency.ts";
import { SqliteKeyStore } from "./keys.ts";
import { SqliteLocationStore } from "./locations.ts";
import { SqliteMetricStore } from "./metrics.ts";
import { type Report, reportToStderr } from "./report.ts";
import { SqliteSessionStore } from "./sessions.ts";
import { SqliteWebhookStore } from "./webhooks.ts";
import { SqliteScheduleStore } from "./schedules.ts";
import type { State } from "./types.ts";
import { Writer, type WriterOptions } from "./writer.ts";

export interface StateOptions {
  /** Absolute. Created (mode 0700) where it is missing; held until the state is closed or the process ends. */
  dataDir: string;
  /** Hears of failures of background work. Default: a line on stderr. */
  report?: Report;
  /** See {@link WriterOptions}; for tests. */
  spawn?: WriterOptions["spawn"];
}

/**
 * Opens the state, for this process alone.
 * @throws EngineError with a message of one line where the directory cannot be written or is in use, and where the
 * database is damaged, another program's, or a newer version's
 */
export async function openState(options: StateOptions): Promise<State> {
  const { dataDir, report = reportToStderr, spawn } = options;
  const claim = await claimDirectory(dataDir);
  let writer: Writer | undefined;
  let reader: DatabaseSync | undefined;
  try {
    writer = await Writer.open({ path: claim.databasePath, report, spawn });
    reader = new DatabaseSync(claim.databasePath, { readOnly: true });
    return new SqliteState(claim, writer, reader, report);
  } catch (error) {
    reader?.close();
    await writer?.close();
    claim.release();
    throw error;
  }
}

class SqliteState implements State {
  readonly keys: SqliteKeyStore;
  readonly idempotency: SqliteIdempotencyStore;
  readonly sessions: SqliteSessionStore;
  readonly metrics: SqliteMetricStore;
  readonly backups: SqliteBackupStore;
  readonly webhooks: SqliteWebhookStore;
  readonly locations: SqliteLocationStore;
  readonly schedules: SqliteScheduleStore;
  readonly audit: SqliteAuditStore;
  readonly report: Report;
  readonly #claim: DirectoryClaim;
  readonly #writer: Writer;
  readonly #reader: DatabaseSync;
  #closed: Promise<void> | undefined;

  constructor(claim: DirectoryClaim, writer: Writer, reader: DatabaseSync, report: Report) {
    this.#claim = claim;
    this.#writer = writer;
    this.#reader = reader;
    this.report = report;
    this.keys = new SqliteKeyStore(reader, writer, report);
    this.idempotency = new SqliteIdempotencyStore(reader, writer);
    this.sessions = new SqliteSessionStore(reader, writer);
    this.metrics = new SqliteMetricStore(reader, writer);
    this.audit = new SqliteAuditStore(reader, writer);
    this.schedules = new SqliteScheduleStore(reader, writer);
    this.locations = new SqliteLocationStore(reader, writer);
    this.webhooks = new SqliteWebhookStore(reader, writer);
    this.backups = new SqliteBackupStore(reader, writer);
  }

  // deno-lint-ignore require-await -- what is thrown must arrive as a rejection
  async ping(): Promise<void> {
    this.#writer.assertWorking();
    this.metrics.totals();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // The last connection to close moves the log into the database and waits for the disk: let that be the writer's.
    await this.#writer.drain();
    this.#reader.close();
    await this.#writer.close();
    this.#claim.release();
  }
}

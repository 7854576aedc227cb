import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { MetricStore, MetricTotals } from "./types.ts";
import type { Writer } from "./writer.ts";

interface Row {
  total: number;
  successful: number;
  failed: number;
  timed: number;
  duration: number;
  bytes: number;
  azure: number;
  s3: number;
  local: number;
}

const TOTALS = `SELECT total_syncs AS total, successful_syncs AS successful, failed_syncs AS failed,
  timed_syncs AS timed, sync_duration_ms AS duration, bytes_transferred AS bytes, azure_bytes AS azure, s3_bytes AS s3, local_bytes AS local
  FROM metrics`;

const SET_USAGE = {
  azure: "UPDATE metrics SET azure_bytes = ?",
  s3: "UPDATE metrics SET s3_bytes = ?",
  local: "UPDATE metrics SET local_bytes = ?",
};

/** The sums are added to by the session store, in the transaction that ends a run. */
export class SqliteMetricStore implements MetricStore {
  readonly #writer: Writer;
  readonly #totals: StatementSync;

  constructor(reader: DatabaseSync, writer: Writer) {
    this.#writer = writer;
    this.#totals = reader.prepare(TOTALS);
  }

  totals(): MetricTotals {
    const row = this.#totals.get() as unknown as Row;
    return {
      totalSyncOperations: row.total,
      successfulSyncs: row.successful,
      failedSyncs: row.failed,
      totalSyncDuration: row.duration,
      timedSyncs: row.timed,
      totalDataTransferred: row.bytes,
      cloudStorageUsage: { azure: row.azure, s3: row.s3, local: row.local },
    };
  }

  async setCloudUsage(provider: "azure" | "s3" | "local", bytes: number): Promise<void> {
    await this.#writer.write([{ sql: SET_USAGE[provider], parameters: [bytes] }]);
  }
}

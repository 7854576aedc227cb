/**
 * What the server remembers between starts: API keys, answers to repeated requests, sessions with their results, and
 * metrics, in an SQLite database (WAL, `synchronous=FULL`) that one process owns.
 *
 * A promise to write resolves when the data is on disk, and not before. Writes run in a thread of their own, so the caller's
 * thread never waits for an fsync; reads run on the caller's thread, each a bounded, indexed query on a snapshot.
 */
export { openState, type StateOptions } from "./open.ts";
export type { Report } from "./report.ts";
export type {
  ApiKey,
  AuditEntry,
  AuditQuery,
  AuditStore,
  BackupRecord,
  BackupStore,
  Claim,
  ClaimId,
  IdempotencyStore,
  KeyStore,
  Location,
  LocationStore,
  MetricStore,
  MetricTotals,
  Scope,
  State,
  StoredAnswer,
} from "./types.ts";
export type { OperationSums, RunFigures, SessionStore, StoredSession } from "./session_store.ts";

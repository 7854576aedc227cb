/** Sessions as the rest of the program sees them. */

export type SessionStatus = "pending" | "in-progress" | "completed" | "failed" | "cancelled" | "interrupted";

/** One run of an operation, or a group of operations that a client opened by hand. */
export interface Session {
  /** `session-` and a UUID. */
  sessionId: string;
  /** `sync.files`, later `sync.database`, `backup.create`, …; `manual` for a session started by hand. */
  kind: string;
  /** Caller's words for where data comes from and goes to: paths or names. */
  sourceIdentifier: string;
  targetIdentifier: string;
  /** `Full`, `Incremental`, …, as the caller gave it; null where it gave none. */
  syncType: string | null;
  status: SessionStatus;
  /** 0 to 100, never falling. */
  progressPercentage: number;
  message: string;
  /** Free-form figures of the running operation, such as `filesDone`, `bytesDone`, `bytesTotal`, `etaMs`. */
  progress: Record<string, number>;
  /** The operation's own answer; null until it ended well. A manual session's result sums up its operations'. */
  result: unknown;
  /** Why it failed, in the API's error shape without the timestamp; null otherwise. */
  error: { errorCode: string; message: string; details: string } | null;
  /** The manual session that this run belongs to, or null. */
  parentId: string | null;
  /** The API key's id that started it, or null. */
  keyId: string | null;
  /** ISO 8601 UTC. */
  createdAt: string;
  completedAt: string | null;
}

export interface ProgressUpdate {
  percentage?: number;
  message?: string;
  figures?: Record<string, number>;
}

/** What a running operation is given. */
export interface JobContext {
  readonly sessionId: string;
  /** Fires on cancellation and on shutdown; its reason is a `CancelledError`. */
  readonly signal: AbortSignal;
  /** Cheap and synchronous; updates are coalesced before they are stored or sent. */
  progress(update: ProgressUpdate): void;
}

export interface RunSpec {
  kind: string;
  sourceIdentifier: string;
  targetIdentifier: string;
  /** A manual session to join: must exist and be open, else an `EngineError` (`not-found`, `conflict`). */
  parentId?: string;
  keyId?: string;
}

/** A session that gathers operations. */
export interface GroupSpec {
  sourceLocation: string;
  targetLocation: string;
  syncType: string;
  keyId?: string;
  /** Default `manual`. */
  kind?: "manual" | "sync.locations";
}

/** What an operation's answer comes to, in the figures that sessions and metrics sum up. */
export interface RunOutcome {
  /** False is a partial failure: the session is `completed` all the same, and counts as a failed sync in the metrics. */
  success: boolean;
  changesApplied: number;
  conflictsEncountered: number;
  errors: string[];
  bytesTransferred: number;
}

/** The result of a manual session: the sum of the operations that carried its `sessionId`. */
export interface ManualResult {
  /** Whether every operation succeeded. */
  success: boolean;
  changesApplied: number;
  conflictsEncountered: number;
  /** In the order of the operations' ends, at most 1,000. */
  errors: string[];
  /** Operations that ended, and those of them that did not succeed. */
  operations: number;
  failedOperations: number;
  bytesTransferred: number;
  /** The operations' durations added up. */
  executionTimeMs: number;
  /** When the session was closed. */
  syncedAt: string;
}

/** The server's figures, over all runs that ended since its first start. */
export interface Metrics {
  totalSyncOperations: number;
  successfulSyncs: number;
  /** Runs that failed, succeeded in part, were cancelled or interrupted. */
  failedSyncs: number;
  /** Milliseconds. */
  averageSyncDuration: number;
  /** Bytes. */
  totalDataTransferred: number;
  cloudStorageUsage: { azure: number; s3: number; local: number };
}

export interface SessionQuery {
  /** 1 to 1,000. */
  limit: number;
  /** A `nextCursor` of an earlier page. */
  cursor?: string;
  status?: SessionStatus;
}

export interface SessionPage {
  /** Newest first. `result` is always null here, since results can be large: ask for the session itself. */
  sessions: Session[];
  /** Every session with the asked status, on all pages. */
  totalCount: number;
  nextCursor: string | null;
}

/** A started operation: the session is stored; `done` settles with the operation's outcome and never leaks unhandled. */
export interface StartedRun<T> {
  session: Session;
  done: Promise<T>;
}

/**
 * A server-sent event of a session. Ids grow by one from 1 within a session; after a restart they skip ahead, and an id is
 * never given twice.
 */
export interface SessionEvent {
  id: number;
  /** `progress` while it runs; then one of `completed`, `failed`, `cancelled`, `interrupted`, after which the stream ends. */
  type: string;
  session: Session;
}

/** What the server remembers between starts, as the rest of the program sees it. */
import type { ScheduleStore } from "../jobs/schedules/types.ts";
import type { WebhookStore } from "../jobs/webhooks/types.ts";
import type { Report } from "./report.ts";
import type { SessionStore } from "./session_store.ts";

/** `admin` implies all others. */
export type Scope = "read" | "sync" | "backup" | "cloud" | "merge" | "admin";

export interface ApiKey {
  id: string;
  name: string;
  scopes: Scope[];
  /** ISO 8601 UTC, as `lastUsedAt`; the latter is stored to the minute. */
  createdAt: string;
  lastUsedAt: string | null;
}

/** API keys, held in memory. Only SHA-256 hashes of tokens are stored: a token is seen once, when it is made. */
export interface KeyStore {
  /** Synchronous and without I/O. The key is the store's own object: read it, do not change it. */
  findByToken(token: string): ApiKey | undefined;
  /** Oldest first. */
  list(): ApiKey[];
  /**
   * Resolves once the key is on disk; it works from then on. The token is `syncline_` and 43 base64url characters unless
   * given. Rejects with an `EngineError`: `invalid` for a bad name, scope or token, `conflict` for a token in use.
   */
  create(input: { name: string; scopes: Scope[]; token?: string }): Promise<{ key: ApiKey; token: string }>;
  /**
   * The token stops working at once; resolves when that is on disk, with false where there is no such key. Refuses
   * (`conflict`) to delete the last key with the scope `admin`.
   */
  delete(id: string): Promise<boolean>;
  /** Marks use; coalesced, written at most once a minute a key. */
  touch(id: string): void;
}

/** A stored HTTP answer. */
export interface StoredAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface ClaimId {
  keyId: string;
  idempotencyKey: string;
}

export type Claim =
  | { kind: "new" }
  | { kind: "running" }
  | { kind: "mismatch" }
  | ({ kind: "done" } & StoredAnswer);

/**
 * Answers of requests with an `Idempotency-Key`, for 24 h. A claim belongs to an API key and an idempotency key. Claims of
 * requests still running live in memory only, so those of a dead process are gone by themselves.
 */
export interface IdempotencyStore {
  /** `new`: the caller owns the claim and ends it with `complete` or `release`. `mismatch`: claimed with another fingerprint. */
  claim(input: ClaimId & { fingerprint: string }): Promise<Claim>;
  /** Stores the answer durably. Where it rejects, the claim is still held: release it. */
  complete(input: ClaimId & StoredAnswer): Promise<void>;
  /** Forgets a claim that got no lasting answer. */
  release(input: ClaimId): Promise<void>;
}

/** Sums over every run that ended, whatever it did. Kept for ever. */
export interface MetricTotals {
  totalSyncOperations: number;
  /** Runs whose outcome was a success; every other end counts in `failedSyncs`. */
  successfulSyncs: number;
  failedSyncs: number;
  /** Milliseconds, over `timedSyncs` runs (a run that died with its process has no duration). */
  totalSyncDuration: number;
  timedSyncs: number;
  totalDataTransferred: number;
  cloudStorageUsage: { azure: number; s3: number; local: number };
}

export interface MetricStore {
  /** One indexed read; what is committed. */
  totals(): MetricTotals;
  /** Records how many bytes a provider holds for us, durably. */
  setCloudUsage(provider: "azure" | "s3" | "local", bytes: number): Promise<void>;
}

/** A backup that ran to its end. */
export interface BackupRecord {
  source: string;
  repository: string;
  /** Whether every file is in it. */
  success: boolean;
  storedBytes: number;
}

/** The backups of one source into one repository. */
export interface SourceBackups {
  source: string;
  repository: string;
  /** Milliseconds since 1970; null where none was complete. */
  lastSuccessAt: number | null;
  /** By all of them together. */
  storedBytes: number;
}

/** When each source was backed up last, for those who watch. */
export interface BackupStore {
  /** Resolves once it is on disk. */
  record(backup: BackupRecord): Promise<void>;
  /** At most 1,000. */
  list(): SourceBackups[];
}

/** A request that could change something. */
export interface AuditEntry {
  /** Grows with each. */
  id: number;
  /** ISO 8601 UTC. */
  at: string;
  keyId: string;
  /** As the key was called then. */
  keyName: string;
  address: string;
  method: string;
  path: string;
  requestId: string;
  /** Null while there is no answer, and where the process died first. */
  status: number | null;
  sessionId: string | null;
}

export interface AuditQuery {
  /** 1 to 1,000. */
  limit: number;
  /** Only those with a smaller id. */
  before?: number;
  keyId?: string;
}

/** Who did what. Entries are kept for a year, at most 100,000. */
export interface AuditStore {
  /** Resolves with the entry's id once it is on disk. */
  begin(entry: Omit<AuditEntry, "id" | "at" | "status" | "sessionId">): Promise<number>;
  /** Adds the answer. Not synced: it may be lost with the machine's power. */
  end(id: number, status: number, sessionId: string | null): Promise<void>;
  /** Newest first. */
  list(query: AuditQuery): AuditEntry[];
}

/** A named end of a synchronisation. */
export interface Location {
  name: string;
  /** Absolute. */
  directory: string | null;
  /** With its password: never to be shown. */
  connectionString: string | null;
  /** Of the database: what is synchronised where this is the source. */
  entityNames: string[];
  /** ISO 8601 UTC. */
  createdAt: string;
}

/** At most 1,000. */
export interface LocationStore {
  /** By name. */
  list(): Location[];
  find(name: string): Location | undefined;
  /** @throws EngineError `conflict` where the name is taken or there are too many */
  add(location: Location): Promise<void>;
  /** False where there is none. */
  remove(name: string): Promise<boolean>;
}

/** Everything that is remembered between starts. One running process owns it. */
export interface State {
  readonly keys: KeyStore;
  readonly idempotency: IdempotencyStore;
  readonly sessions: SessionStore;
  readonly metrics: MetricStore;
  readonly webhooks: WebhookStore;
  readonly audit: AuditStore;
  readonly locations: LocationStore;
  readonly schedules: ScheduleStore;
  readonly backups: BackupStore;
  /** Where failures of background work go. */
  readonly report: Report;
  /** Rejects where the database does not answer. Never waits for the writer or for an fsync. */
  ping(): Promise<void>;
  /** Commits what was written before, closes the files and frees the directory. Later writes reject. Idempotent. */
  close(): Promise<void>;
}

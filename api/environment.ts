/** What the parts of the HTTP API are given: by `main.ts` once, and for each request. */
import type { BackupOperations } from "../engine/backup/operations.ts";
import type { LinkSigner } from "../engine/cloud/link_signer.ts";
import type { CloudOperations } from "../engine/cloud/transfer/types.ts";
import type { CloudUsage } from "../engine/cloud/transfer/usage.ts";
import type { DatabaseOperations } from "../engine/database/mod.ts";
import type { SyncFilesRequest, SyncFilesResult } from "../engine/files/types.ts";
import type { JobContext, Sessions } from "../engine/jobs/mod.ts";
import type { Scheduler } from "../engine/jobs/schedules/mod.ts";
import type { Webhooks } from "../engine/jobs/webhooks/mod.ts";
import type { MergeFilesRequest, MergeFilesResult } from "../engine/merge/request.ts";
import type { ApiKey, State, StoredAnswer } from "../engine/state/mod.ts";
import type { CloudPlaces } from "./cloud_places.ts";
import type { HealthProbe } from "./health.ts";
import type { Logger } from "./logging.ts";
import type { PathGuard } from "./paths.ts";
import type { PrometheusMetrics } from "./prometheus.ts";
import type { AnnouncedRate } from "./rate_headers.ts";

export type SessionService = Pick<
  Sessions,
  "startManual" | "tell" | "settle" | "run" | "get" | "list" | "complete" | "cancel" | "events" | "totals"
>;

export interface AppDependencies {
  state: Pick<State, "keys" | "idempotency" | "backups" | "audit" | "locations">;
  sessions: SessionService;
  /** The engine's file synchronisation with its services bound. */
  syncFiles(request: SyncFilesRequest, job: JobContext): Promise<SyncFilesResult>;
  databases: DatabaseOperations;
  /** The engine's merge with its services bound. */
  mergeFiles(request: MergeFilesRequest, job: JobContext): Promise<MergeFilesResult>;
  backups: BackupOperations;
  cloud: CloudOperations;
  clouds: CloudPlaces;
  usage: Pick<CloudUsage, "changed" | "refresh">;
  /** Of shared links to objects of the provider `local`. */
  links: Pick<LinkSigner, "sign" | "verify">;
  /** Reads an object of the provider `local`. */
  openLocal(key: string, range: { offset: number; length: number }): Promise<ReadableStream<Uint8Array>>;
  webhooks: Pick<
    Webhooks,
    "list" | "find" | "subscribe" | "unsubscribe" | "deliveries" | "delivery" | "redeliver" | "test"
  >;
  scheduler: Pick<Scheduler, "list" | "find" | "save" | "remove" | "runs">;
  /** What clients reach this server at; undefined: what they say themselves. */
  publicUrl: string | undefined;
  paths: PathGuard;
  health: HealthProbe;
  prometheus: PrometheusMetrics;
  logger: Logger;
  /** Requests a minute for each API key. */
  rateLimit: number;
  /** Fires when the server begins to stop. */
  stopping: AbortSignal;
}

/** Of the request's client, as `Deno.serve` tells it. */
export interface Connection {
  readonly remoteAddr?: Deno.Addr;
}

/** What is known of a request before it reaches its route; there it is `c.env`. */
export interface Exchange {
  readonly requestId: string;
  /** Decoded, as the router matches it. */
  readonly path: string;
  /** Asked for the client's address only where it matters: each question costs. */
  readonly connection: Connection;
  /** Set by `authentication`, so under the base path only. */
  key: ApiKey | undefined;
  /** The session that the request started. */
  sessionId?: string;
  /** Set where a limit was applied. */
  rate: AnnouncedRate | undefined;
}

/** Hono's types: the exchange, and what middleware leaves for handlers. */
export interface AppEnv {
  Bindings: Exchange;
  Variables: {
    /** A POST's body, set by `jsonBody`. */
    body: Uint8Array;
    /** What a repeated request is answered with, where the first answer holds a secret that must not be stored. */
    storedAnswer: StoredAnswer | undefined;
  };
}

export const BASE_PATH = "/api/v1";

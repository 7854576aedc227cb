/** What the parts of the HTTP API are given: by `main.ts` once, and by middleware for each request. */
import type { SyncFilesRequest, SyncFilesResult } from "../engine/files/types.ts";
import type { JobContext, Sessions } from "../engine/jobs/mod.ts";
import type { ApiKey, State, StoredAnswer } from "../engine/state/mod.ts";
import type { HealthProbe } from "./health.ts";
import type { Logger } from "./logging.ts";
import type { PathGuard } from "./paths.ts";
import type { PrometheusMetrics } from "./prometheus.ts";
import type { AnnouncedRate } from "./rate_headers.ts";

export type SessionService = Pick<
  Sessions,
  "startManual" | "run" | "get" | "list" | "complete" | "cancel" | "events" | "totals"
>;

export interface AppDependencies {
  state: Pick<State, "keys" | "idempotency">;
  sessions: SessionService;
  /** The engine's file synchronisation with its services bound. */
  syncFiles(request: SyncFilesRequest, job: JobContext): Promise<SyncFilesResult>;
  paths: PathGuard;
  health: HealthProbe;
  prometheus: PrometheusMetrics;
  logger: Logger;
  /** Requests a minute for each API key. */
  rateLimit: number;
  /** Fires when the server begins to stop. */
  stopping: AbortSignal;
}

/** Hono's types: the connection, and what middleware leaves for handlers. */
export interface AppEnv {
  Bindings: { remoteAddr?: Deno.Addr } | undefined;
  Variables: {
    requestId: string;
    /** Set by `authentication`, so under the base path only. */
    key: ApiKey;
    /** Set where a limit was applied. */
    rate: AnnouncedRate | undefined;
    /** A POST's body, set by `jsonBody`. */
    body: Uint8Array;
    /** What a repeated request is answered with, where the first answer holds a secret that must not be stored. */
    storedAnswer: StoredAnswer | undefined;
  };
}

export const BASE_PATH = "/api/v1";

import type { SyncDatabaseRequest, SyncDatabaseResult } from "../request.ts";

/** What the task of a run is told. */
export interface RunInput {
  request: SyncDatabaseRequest;
  /** Directory of the baselines. */
  baselines: string;
  /** Empty directory of this run's own, for its spools. */
  workspace: string;
  /** File for the differences, where they are wanted; nothing is written to either database then. */
  differences?: string;
}

/** What it answers. */
export interface RunOutput {
  result: Omit<SyncDatabaseResult, "syncedAt" | "executionTimeMs" | "sessionId">;
  /** Lines in the file of the differences. */
  differences: number;
}

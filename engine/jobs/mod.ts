/**
 * Sessions: every operation runs as one, so that it can be watched, cancelled and looked up later, and so that a client
 * learns what became of it after a crash.
 */
export { Sessions } from "./sessions.ts";
export type {
  JobContext,
  ManualResult,
  Metrics,
  ProgressUpdate,
  RunOutcome,
  RunSpec,
  Session,
  SessionEvent,
  SessionPage,
  SessionQuery,
  SessionStatus,
  StartedRun,
} from "./types.ts";

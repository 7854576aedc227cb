import { EngineError, type ErrorKind } from "../errors.ts";
import type { Session } from "./types.ts";

/** The API's code for each kind of failure. */
const CODES: Record<ErrorKind, string> = {
  invalid: "INVALID_REQUEST",
  forbidden: "FORBIDDEN",
  "not-found": "NOT_FOUND",
  conflict: "CONFLICT",
  "sync-failed": "SYNC_FAILED",
  "backup-failed": "BACKUP_FAILED",
  "merge-failed": "MERGE_FAILED",
  "database-failed": "DATABASE_ERROR",
  "wrong-password": "FORBIDDEN",
  damaged: "BACKUP_FAILED",
  "storage-unavailable": "CLOUD_ERROR",
  unavailable: "UNAVAILABLE",
};

/** What a failed session says of its error. An unexpected error's own words may hold secrets and stay in the log. */
export function describeError(error: unknown): NonNullable<Session["error"]> {
  if (error instanceof EngineError) {
    return { errorCode: CODES[error.kind], message: error.message, details: error.details };
  }
  return {
    errorCode: "INTERNAL_ERROR",
    message: "The operation failed unexpectedly",
    details: "The server's log has the error under this session's id",
  };
}

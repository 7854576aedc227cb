/**
 * The errors that the engine throws on purpose. A kind says what a caller can do about it; `api/` maps kinds to HTTP
 * codes in one place. Anything else that is thrown is a defect and becomes an internal error.
 */

/**
 * - `invalid`: the request cannot be carried out as it stands; the caller must change it.
 * - `forbidden`: a path or an action that the configuration does not allow.
 * - `not-found`: what the request names does not exist.
 * - `conflict`: the state of things forbids it now; another run, a safety limit.
 * - `sync-failed`: the synchronisation could not start or go on.
 * - `backup-failed`: the same of a backup, a restore or the repository's care.
 * - `database-failed`: a database cannot be reached, or refused or failed to do something.
 * - `merge-failed`: a merge could not be brought to its end; a disk, a worker.
 * - `wrong-password`: the repository cannot be opened with the password that there is, or needs one and there is none.
 * - `damaged`: what is stored is not what was written, and the operation cannot do without it.
 * - `storage-unavailable`: an object store cannot be reached, throttles or is not configured.
 * - `unavailable`: the server is stopping.
 */
export type ErrorKind =
  | "invalid"
  | "forbidden"
  | "not-found"
  | "conflict"
  | "sync-failed"
  | "database-failed"
  | "backup-failed"
  | "merge-failed"
  | "wrong-password"
  | "damaged"
  | "storage-unavailable"
  | "unavailable";

export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly kind: ErrorKind;
  /** What exactly is wrong, with the field or path, in words a person can act on. Never a secret. */
  readonly details: string;

  constructor(kind: ErrorKind, message: string, details: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.details = details;
  }
}

/** The error of a job that was cancelled by `DELETE /sync/session/{id}` or whose caller's signal fired. */
export class CancelledError extends Error {
  override readonly name = "CancelledError";
}

/** Whether an error means that the work was stopped on purpose. */
export function isCancellation(error: unknown): boolean {
  return error instanceof CancelledError || (error instanceof Error && error.name === "AbortError");
}

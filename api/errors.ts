/** Every error that a client sees is made here: the one place that knows which failure is which status and code. */
import { HTTPException } from "hono/http-exception";
import { EngineError, type ErrorKind, isCancellation } from "../engine/errors.ts";
import { ZodError } from "zod";
import { describeIssues } from "./schemas/issues.ts";

export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 416 | 429 | 500 | 503;

/** A failure with its status and code decided; thrown by middleware and routes. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  /**
   * @param details What exactly is wrong, with the field or the path, in words a person can act on. Never a secret.
   * @param headers Headers of the answer, such as `Allow`.
   */
  constructor(
    readonly status: ErrorStatus,
    readonly errorCode: string,
    message: string,
    readonly details: string,
    readonly headers: Record<string, string> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The body of every error answer. */
export interface ErrorBody {
  errorCode: string;
  message: string;
  details: string;
  timestamp: string;
}

export function errorBody(error: ApiError): ErrorBody {
  const { errorCode, message, details } = error;
  return { errorCode, message, details, timestamp: new Date().toISOString() };
}

export function errorAnswer(error: ApiError): Response {
  const headers = { "Content-Type": "application/json", ...error.headers };
  return new Response(JSON.stringify(errorBody(error)), { status: error.status, headers });
}

const STATUS_OF_KIND: Record<ErrorKind, [ErrorStatus, string]> = {
  invalid: [400, "INVALID_REQUEST"],
  forbidden: [403, "FORBIDDEN"],
  "not-found": [404, "NOT_FOUND"],
  conflict: [409, "CONFLICT"],
  "sync-failed": [500, "SYNC_FAILED"],
  "backup-failed": [500, "BACKUP_FAILED"],
  "database-failed": [500, "DATABASE_ERROR"],
  "merge-failed": [500, "MERGE_FAILED"],
  "wrong-password": [403, "FORBIDDEN"],
  damaged: [500, "BACKUP_FAILED"],
  "storage-unavailable": [503, "CLOUD_ERROR"],
  unavailable: [503, "UNAVAILABLE"],
};

export function invalidRequest(details: string, message = "The request is not valid"): ApiError {
  return new ApiError(400, "INVALID_REQUEST", message, details);
}

/** The 503 of a server that is going down. */
export function stoppingError(): ApiError {
  const details = "The server is stopping. Repeat the request once it is up again.";
  return new ApiError(503, "UNAVAILABLE", "The server is stopping", details, { "Retry-After": "5" });
}

/** Turns whatever was thrown into what the client is told. What is not known here is a defect: a bare 500. */
export function toApiError(error: unknown, stopping: boolean): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof EngineError) {
    const [status, errorCode] = STATUS_OF_KIND[error.kind];
    const headers: Record<string, string> = status === 503 ? { "Retry-After": "5" } : {};
    return new ApiError(status, errorCode, error.message, error.details, headers, { cause: error });
  }
  if (error instanceof ZodError) return invalidRequest(describeIssues(error.issues));
  if (isCancellation(error)) {
    if (stopping) return stoppingError();
    const details =
      "Its session was cancelled while it ran; what was done until then stays done, but nothing of an open transaction.";
    return new ApiError(409, "CONFLICT", "The operation was cancelled", details);
  }
  if (error instanceof HTTPException && error.status < 500) return invalidRequest(error.message);
  const details = "An unexpected error; the server's log has it under this answer's X-Request-Id.";
  return new ApiError(500, "INTERNAL_ERROR", "The server failed to answer", details, {}, { cause: error });
}

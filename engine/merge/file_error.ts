import { EngineError, type ErrorKind } from "../errors.ts";
import { PosixError } from "../posix/mod.ts";

const KINDS: Record<string, ErrorKind> = {
  ENOENT: "not-found",
  ENOTDIR: "not-found",
  ELOOP: "forbidden",
  EACCES: "forbidden",
  EPERM: "forbidden",
  EROFS: "forbidden",
  EISDIR: "invalid",
  ENAMETOOLONG: "invalid",
};

/** A failed call on a file of a merge, as a caller is told of it; any other error as it is. */
export function fileError(error: unknown, field: string, path: string): unknown {
  if (!(error instanceof PosixError)) return error;
  const kind = KINDS[error.code] ?? "merge-failed";
  return new EngineError(kind, "A file cannot be used", `${field}: ${path}: ${error.message}`, { cause: error });
}

/** The error for a file that cannot be merged as it is. */
export function invalidFile(details: string): EngineError {
  return new EngineError("invalid", "The files cannot be merged", details);
}

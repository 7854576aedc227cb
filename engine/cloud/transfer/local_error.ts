import { EngineError, type ErrorKind } from "../../errors.ts";
import { PosixError } from "../../posix/mod.ts";

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

/** A failed call on a local file, as the API says it; any other error as it is. */
export function localError(error: unknown, path: string): unknown {
  if (!(error instanceof PosixError)) return error;
  const kind = KINDS[error.code] ?? "storage-unavailable";
  return new EngineError(kind, "The local file cannot be used", `localPath: ${path}: ${error.message}`, {
    cause: error,
  });
}

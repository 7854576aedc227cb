import { EngineError, type ErrorKind } from "./errors.ts";
import { PosixError } from "./posix/mod.ts";

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

/** The file that a failed call was about, and what its failure is where the caller is not to blame. */
export interface FileErrorContext {
  /** Of the request. */
  field: string;
  path: string;
  message: string;
  otherwise: ErrorKind;
}

/** A failed call on a file that a request names, as its caller is told of it; any other error as it is. */
export function fileError(error: unknown, { field, path, message, otherwise }: FileErrorContext): unknown {
  if (!(error instanceof PosixError)) return error;
  const kind = KINDS[error.code] ?? otherwise;
  return new EngineError(kind, message, `${field}: ${path}: ${error.message}`, { cause: error });
}

import { EngineError } from "../errors.ts";
import { fileError } from "../file_error.ts";

/** A failed call on a file of a merge, as a caller is told of it; any other error as it is. */
export function mergeFileError(error: unknown, field: string, path: string): unknown {
  return fileError(error, { field, path, message: "A file cannot be used", otherwise: "merge-failed" });
}

/** The error for a file that cannot be merged as it is. */
export function invalidFile(details: string): EngineError {
  return new EngineError("invalid", "The files cannot be merged", details);
}

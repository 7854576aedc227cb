import { fileError } from "../../file_error.ts";

/** A failed call on a local file, as the API says it; any other error as it is. */
export function localError(error: unknown, path: string): unknown {
  const message = "The local file cannot be used";
  return fileError(error, { field: "localPath", path, message, otherwise: "storage-unavailable" });
}

/** SQLite files that only spare work or tell conflicts: one that is damaged is worth no more than none, and is begun anew. */
import * as fs from "node:fs";

/** A file whose content cannot be what was written. */
export class DamagedFile extends Error {
  override readonly name = "DamagedFile";
}

/** SQLite's words for its codes `SQLITE_CORRUPT` and `SQLITE_NOTADB`: the runtime does not hand out every call's code. */
const WORDS = /malformed|not a database/;

/** Whether an error, of this thread or of a worker, says that such a file is damaged. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "DamagedFile" ||
    (error as { code?: unknown }).code === "ERR_SQLITE_ERROR" && WORDS.test(error.message);
}

/** Removes a database with what SQLite keeps beside it. A log that a kill leaves behind is dropped by whoever makes the file anew. */
export function removeDatabase(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) fs.rmSync(file, { force: true });
}

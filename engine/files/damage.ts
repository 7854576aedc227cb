/** A baseline that cannot be what a run wrote. It only tells conflicts, so it is worth no more than none. */
export class DamagedBaseline extends Error {
  override readonly name = "DamagedBaseline";
}

/** SQLite's words for its codes `SQLITE_CORRUPT` and `SQLITE_NOTADB`: the runtime does not hand out every call's code. */
const WORDS = /malformed|not a database/;

/** Whether an error, of this thread or of a worker, says that a baseline is damaged. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "DamagedBaseline" ||
    (error as { code?: unknown }).code === "ERR_SQLITE_ERROR" && WORDS.test(error.message);
}

/** A baseline that cannot be what a run wrote. It only tells conflicts, so it is worth no more than none. */
export class DamagedBaseline extends Error {
  override readonly name = "DamagedBaseline";
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Whether an error, of this thread or of a worker, says that a baseline is damaged. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { errcode?: unknown }).errcode;
  // The upper bits say more of the same.
  return error.name === "DamagedBaseline" ||
    typeof code === "number" && [SQLITE_CORRUPT, SQLITE_NOTADB].includes(code & 0xff);
}

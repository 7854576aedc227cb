/** What the program's end tells a script. */
export const EXIT = {
  ok: 0,
  /** Nothing was done, or not all that was asked: an error, an interruption. */
  failed: 1,
  /** The command line or an environment variable cannot be used. */
  usage: 2,
  /** Done but for single files, or a check that found problems. */
  partial: 3,
} as const;

export type ExitCode = typeof EXIT[keyof typeof EXIT];

/** A command line that cannot be used; the message says why. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

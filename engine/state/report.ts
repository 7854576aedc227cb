/** Takes the failure of work that nobody waits for, such as storing progress. Must not throw. */
export type Report = (message: string, error: unknown) => void;

/** The default: one line on stderr. */
export function reportToStderr(message: string, error: unknown): void {
  const words = error instanceof Error ? error.message : String(error);
  Deno.stderr.write(new TextEncoder().encode(`${message}: ${words}\n`)).catch(() => {
    // There is nowhere left to say it.
  });
}

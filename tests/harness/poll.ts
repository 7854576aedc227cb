/** Waits for conditions by looking again and again until a deadline, so that no test sleeps for a guessed time. */

export interface PollOptions {
  /** Default 30,000 ms. */
  deadlineMs?: number;
  /** Default 10 ms. */
  intervalMs?: number;
}

/**
 * Calls `probe` until it returns something other than `undefined` or `false`, and returns that. Throws, naming `what`,
 * when the deadline has passed.
 */
export async function poll<T>(
  what: string,
  probe: () => T | Promise<T>,
  options: PollOptions = {},
): Promise<Exclude<T, undefined | false>> {
  const { deadlineMs = 30_000, intervalMs = 10 } = options;
  const deadline = performance.now() + deadlineMs;
  while (true) {
    const value = await probe();
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    if (performance.now() > deadline) throw new Error(`Waited ${deadlineMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}

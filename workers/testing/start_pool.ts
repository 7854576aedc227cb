import { createPool, type PoolOptions } from "../pool.ts";
import type { TaskPool } from "../types.ts";
import type { TestTasks } from "./tasks.ts";

/** A pool of the test tasks. */
export function startPool(options: Partial<PoolOptions> = {}): TaskPool<TestTasks> {
  return createPool<TestTasks>({ size: 1, entry: new URL("./entry.ts", import.meta.url), ...options });
}

/** Runs a test with a pool of its own. */
export async function withPool(
  options: Partial<PoolOptions>,
  test: (pool: TaskPool<TestTasks>) => Promise<void>,
): Promise<void> {
  const pool = startPool(options);
  try {
    await test(pool);
  } finally {
    await pool.close(0);
  }
}

/** Polls until the condition holds; throws after 20 s. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 20_000; !condition();) {
    if (performance.now() > end) throw new Error(`It did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** What the promises reject with. Throws where one fulfils. */
export async function failures(...promises: Promise<unknown>[]): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(promises);
  return outcomes.map((outcome) => {
    if (outcome.status === "fulfilled") throw new Error("A promise that should have been rejected was fulfilled");
    return outcome.reason;
  });
}

/** The error that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const [error] = await failures(promise);
  return error as Error & Record<string, unknown>;
}

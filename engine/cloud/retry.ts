import { StoreError } from "./object_store.ts";

export interface RetryOptions {
  /** Tries in all, at least 1. */
  attempts: number;
  /** The most that is waited before the second try, in ms; doubled for each further one. */
  firstMs: number;
  /** The most that is waited before any, in ms, also where the store asks for more. */
  mostMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * Runs an action, again after a {@link StoreError} that says so: exponential backoff with full jitter, or as long as the store asks.
 * @param action is told which try it is, from 0.
 * @throws what the last try threw, or the signal's reason.
 */
export async function withRetry<T>(options: RetryOptions, action: (attempt: number) => Promise<T>): Promise<T> {
  const { attempts, firstMs, mostMs, signal } = options;
  for (let attempt = 0;; attempt++) {
    try {
      return await action(attempt);
    } catch (error) {
      if (!(error instanceof StoreError) || !error.retry || attempt + 1 >= attempts) throw error;
      const backoff = Math.random() * Math.min(mostMs, firstMs * 2 ** attempt);
      await pause(Math.min(mostMs, Math.max(error.retryAfterMs ?? 0, backoff)), signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

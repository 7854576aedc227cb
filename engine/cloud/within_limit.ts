import { StoreError } from "./object_store.ts";

export interface LimitOptions {
  /** How long nothing may happen, in ms. */
  limitMs: number;
  signal?: AbortSignal | undefined;
  /** For the message: what is waited for. */
  what: string;
}

const SIGN_MS = 10_000;
let sign: (() => void) | undefined;

/** What this thread does every few seconds while it waits for a store, so that nobody takes it for hung: the wait has a limit. */
export function whileWaiting(action: () => void): void {
  sign = action;
}

/**
 * Runs a call that ends at once where the caller's signal fires or where the call gives no sign of life for too long: its own
 * signal then fires too, and what it does afterwards is not waited for.
 * @param call calls `alive` whenever it got on.
 * @throws StoreError `unavailable` where it took too long, the signal's reason, or what the call throws
 */
export async function withinLimit<T>(
  { limitMs, signal, what }: LimitOptions,
  call: (signal: AbortSignal, alive: () => void) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {
    // Heard of where it wins the race below.
  });
  const stop = (reason: unknown) => {
    ended.reject(reason);
    controller.abort(reason);
  };
  const late = () => stop(new StoreError("unavailable", `${what}: no answer for ${limitMs / 1000} s`, true));
  let timer = setTimeout(late, limitMs);
  const signs = sign === undefined ? undefined : setInterval(sign, SIGN_MS);
  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const alive = () => {
      if (controller.signal.aborted) return;
      clearTimeout(timer);
      timer = setTimeout(late, limitMs);
    };
    const running = call(controller.signal, alive);
    running.catch(() => {
      // Where it lost the race, its error is the abort's echo.
    });
    return await Promise.race([running, ended.promise]);
  } finally {
    clearInterval(signs);
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    // An `alive` that comes later leaves no timer behind.
    controller.abort();
  }
}

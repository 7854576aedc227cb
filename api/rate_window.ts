/**
 * A fixed window of requests for each caller: as many as the limit from the first one until the window's end.
 *
 * Written by hand: rate-limiter-flexible's memory limiter arms a timer for each window and answers through a promise,
 * which costs the path of every request a turn of the microtask queue.
 */
export interface RateState {
  allowed: boolean;
  limit: number;
  remaining: number;
  /** When the window ends, in ms since the epoch. */
  resetAt: number;
}

interface Window {
  used: number;
  resetAt: number;
}

export interface RateWindowOptions {
  limit: number;
  /** Default 60,000. */
  windowMs?: number;
  /** Callers remembered at once, default 10,000; beyond that the oldest window is forgotten. */
  maxCallers?: number;
  /** Milliseconds since the epoch; for tests. */
  now?: () => number;
}

export class RateWindow {
  readonly limit: number;
  readonly windowMs: number;
  readonly #maxCallers: number;
  readonly #now: () => number;
  /** In the order of the windows' ends. */
  readonly #windows = new Map<string, Window>();

  constructor({ limit, windowMs = 60_000, maxCallers = 10_000, now = Date.now }: RateWindowOptions) {
    this.limit = limit;
    this.windowMs = windowMs;
    this.#maxCallers = maxCallers;
    this.#now = now;
  }

  /** Counts one request; one beyond the limit is not allowed and does not count. */
  take(caller: string): RateState {
    const window = this.#current(caller) ?? this.#open(caller);
    const allowed = window.used < this.limit;
    if (allowed) window.used++;
    return { allowed, limit: this.limit, remaining: this.limit - window.used, resetAt: window.resetAt };
  }

  #current(caller: string): Window | undefined {
    const window = this.#windows.get(caller);
    return window !== undefined && window.resetAt > this.#now() ? window : undefined;
  }

  #open(caller: string): Window {
    const now = this.#now();
    const window = { used: 0, resetAt: now + this.windowMs };
    this.#windows.delete(caller);
    for (const [oldest, { resetAt }] of this.#windows) {
      if (resetAt > now && this.#windows.size < this.#maxCallers) break;
      this.#windows.delete(oldest);
    }
    this.#windows.set(caller, window);
    return window;
  }
}

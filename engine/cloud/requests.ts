import { withRetry } from "./retry.ts";
import { withinLimit } from "./within_limit.ts";

export interface RequestOptions {
  /** How long nothing may come or go, in ms. */
  limitMs?: number;
  /** Tries of each request. */
  attempts?: number;
  /** {@link RetryOptions.firstMs} */
  firstMs?: number;
  /** A connection that sends fewer bytes a second counts as stalled; several may share a slow line. */
  slowest?: number;
}

/** Bytes that may be on their way, in buffers of the system where nobody sees them go. */
const IN_FLIGHT = 2 << 20;
const MOST_MS = 20_000;

/** Requests of one store: each ends some time after nothing moves any more, and is tried again where its failure may pass. */
export class Requests {
  readonly #limitMs: number;
  readonly #attempts: number;
  readonly #firstMs: number;
  readonly #slowest: number;

  /** @param place for messages. */
  constructor(
    private readonly place: string,
    { limitMs = 30_000, attempts = 6, firstMs = 250, slowest = 64 * 1024 }: RequestOptions,
  ) {
    this.#limitMs = limitMs;
    this.#attempts = attempts;
    this.#firstMs = firstMs;
    this.#slowest = slowest;
  }

  /** @param call is told which try it is, from 0, and calls `alive` whenever bytes have come or gone. */
  run<T>(
    { what, signal, bytes = 0 }: { what: string; signal?: AbortSignal | undefined; bytes?: number },
    call: (signal: AbortSignal, attempt: number, alive: () => void) => Promise<T>,
  ): Promise<T> {
    const limitMs = this.#limitMs + Math.min(bytes, IN_FLIGHT) / this.#slowest * 1000;
    const retry = { attempts: this.#attempts, firstMs: this.#firstMs, mostMs: MOST_MS, signal };
    const limit = { limitMs, signal, what: `${this.place}: ${what}` };
    return withRetry(retry, (attempt) => {
      return withinLimit(limit, (inner, alive) => call(inner, attempt, alive));
    });
  }
}

import { JobCounter } from "./counters.ts";
import type { TaskContext } from "../../workers/types.ts";

const sleeper = new Int32Array(new SharedArrayBuffer(4));
const LONGEST_NAP = 50;

/**
 * Keeps all workers of a job together under a rate: each takes its share of time from one shared counter, then waits until
 * that time has come.
 */
export class Throttle {
  readonly #bytesPerSecond: number | undefined;
  readonly #context: TaskContext;

  /** @param bytesPerSecond undefined: no limit */
  constructor(bytesPerSecond: number | undefined, context: TaskContext) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#context = context;
  }

  /** The largest piece to move at once, so that a low rate does not come in bursts of seconds. */
  get piece(): number {
    return this.#bytesPerSecond === undefined ? Infinity : Math.max(4096, Math.floor(this.#bytesPerSecond / 10));
  }

  /** Waits until so many bytes may go; cancellation ends the wait. */
  take(bytes: number): void {
    if (this.#bytesPerSecond === undefined) return;
    const cost = BigInt(Math.ceil(bytes * 1e6 / this.#bytesPerSecond));
    const { counters } = this.#context;
    let start: bigint;
    for (;;) {
      const next = Atomics.load(counters, JobCounter.nextByte);
      const now = BigInt(Date.now()) * 1000n;
      start = next > now ? next : now;
      if (Atomics.compareExchange(counters, JobCounter.nextByte, next, start + cost) === next) break;
    }
    const until = Number(start + cost) / 1000;
    for (let left = until - Date.now(); left > 0; left = until - Date.now()) {
      this.#context.checkpoint();
      Atomics.wait(sleeper, 0, 0, Math.min(left, LONGEST_NAP));
    }
  }
}

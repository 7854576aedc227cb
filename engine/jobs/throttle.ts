/** Runs an action at most once an interval: after the first request, then with the last of the requests since. */
export class Throttle {
  readonly #intervalMs: number;
  readonly #action: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #nextAt = -Infinity;
  #isStopped = false;

  constructor(intervalMs: number, action: () => void) {
    this.#intervalMs = intervalMs;
    this.#action = action;
  }

  /** Never runs the action itself: it comes in a later turn. */
  request(): void {
    if (this.#timer !== undefined || this.#isStopped) return;
    this.#timer = setTimeout(() => this.#run(), Math.max(0, this.#nextAt - performance.now()));
  }

  /** Drops what was requested and ignores requests until {@link restart}. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  restart(): void {
    this.#isStopped = false;
  }

  #run(): void {
    this.#timer = undefined;
    this.#nextAt = performance.now() + this.#intervalMs;
    this.#action();
  }
}

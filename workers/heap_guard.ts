import { getHeapStatistics } from "node:v8";

const PERIOD_MS = 100;

/**
 * Notices that this worker has reached its heap limit.
 *
 * V8 then raises the limit a little and ends the script that runs. The runtime reports that only where the event loop
 * itself had called the script; from a message's handler or a microtask the thread just goes on, with the task and its
 * channel dead. The raised limit is the one trace that is left, and timers still fire, so one looks for it.
 *
 * What it cannot help: V8 ends no script while a built-in function runs, so a task whose loop calls nothing else (as in
 * `all.push(new Array(n).fill(x))`) can fill the machine's memory, and array buffers do not count towards the limit.
 */
export class HeapGuard {
  readonly #limit = getHeapStatistics().heap_size_limit;
  #timer: ReturnType<typeof setInterval> | undefined;
  #busy = false;

  constructor(private readonly onExhausted: (error: Error) => void) {}

  /** To be called when a task begins. */
  watch(): void {
    this.#busy = true;
    this.#timer ??= setInterval(() => this.#look(), PERIOD_MS);
  }

  /** To be called when it ends. The timer goes on for one more period, as starting one for each task costs more. */
  rest(): void {
    this.#busy = false;
  }

  #look(): void {
    const exhausted = getHeapStatistics().heap_size_limit > this.#limit;
    if (this.#busy && !exhausted) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (exhausted) {
      this.onExhausted(new RangeError(`The heap is full: its limit is ${Math.round(this.#limit / 2 ** 20)} MiB`));
    }
  }
}

import { Word } from "./protocol.ts";
import type { TaskContext } from "./types.ts";

/** The task that a worker runs at the moment, as its code sees it. */
export class RunningTask implements TaskContext<unknown> {
  #controller: AbortController | undefined;

  constructor(
    readonly number: number,
    private readonly words: Int32Array<SharedArrayBuffer>,
    readonly counters: BigInt64Array<SharedArrayBuffer>,
    readonly progress: (value: unknown) => void,
  ) {}

  get aborted(): boolean {
    return Atomics.load(this.words, Word.cancelled) === this.number;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.aborted) this.cancel();
    }
    return this.#controller.signal;
  }

  /** Tells the pool's watchdog that the task is alive. */
  beat(): void {
    Atomics.add(this.words, Word.heartbeat, 1);
  }

  checkpoint(): void {
    this.beat();
    if (this.aborted) throw cancelled();
  }

  patiently<T>(call: () => T): T {
    this.checkpoint();
    Atomics.store(this.words, Word.patient, 1);
    try {
      return call();
    } finally {
      Atomics.add(this.words, Word.heartbeat, 1);
      Atomics.store(this.words, Word.patient, 0);
    }
  }

  /** Fires the signal. */
  cancel(): void {
    this.#controller?.abort(cancelled());
  }
}

function cancelled(): DOMException {
  return new DOMException("The task was cancelled", "AbortError");
}

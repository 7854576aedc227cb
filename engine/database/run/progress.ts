import type { ProgressUpdate } from "../../jobs/types.ts";
import type { TaskContext } from "../../../workers/types.ts";

const EVERY_MS = 200;
/** Where the comparison ends and the writing begins. */
const COMPARED = 60;
const DONE = 99;

/** How far a run is, told to the session a few times a second; also a sign of life while the servers work. */
export class Progress implements Disposable {
  readonly #context: TaskContext<ProgressUpdate>;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly figures = { rowsToCompare: 0, rowsCompared: 0, rowsToWrite: 0, rowsWritten: 0 };
  #message = "Connecting";
  #told = "";
  #toldAt = performance.now();

  constructor(context: TaskContext<ProgressUpdate>) {
    this.#context = context;
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
    this.#tell();
  }

  say(message: string): void {
    this.#message = message;
  }

  /** Calls for the run's end where it was cancelled. To be called often: work on a SQLite file keeps the timer from its turn. */
  checkpoint(): void {
    this.#context.checkpoint();
    if (performance.now() - this.#toldAt > EVERY_MS) this.#tell();
  }

  #look(): void {
    try {
      this.#context.checkpoint();
    } catch {
      // Whoever waits for a server hears of the cancellation by the signal.
    }
    this.#tell();
  }

  #tell(): void {
    this.#toldAt = performance.now();
    const { rowsToCompare, rowsCompared, rowsToWrite, rowsWritten } = this.figures;
    const share = (done: number, all: number) => all === 0 ? 0 : Math.min(1, done / all);
    const percentage = rowsToWrite === 0
      ? COMPARED * share(rowsCompared, rowsToCompare)
      : COMPARED + (DONE - COMPARED) * share(rowsWritten, rowsToWrite);
    const update = { percentage: Math.floor(percentage), message: this.#message, figures: { ...this.figures } };
    const told = JSON.stringify(update);
    if (told === this.#told) return;
    this.#told = told;
    this.#context.progress(update);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

import type { Job } from "./job.ts";
import type { RunOptions } from "./types.ts";

/** How a task ended. `cancelled` carries the reason that the caller is given. */
export type Outcome =
  | { type: "done"; output: unknown }
  | { type: "failed"; error: unknown }
  | { type: "cancelled"; error: unknown };

export type TaskOptions = RunOptions & { onProgress?: (value: never) => void };

/** The pool's side of a task. */
interface TaskHooks {
  cancel(task: Task, reason: unknown): void;
  settled(task: Task, outcome: Outcome): void;
}

/** One call of `run`, from the queue to its outcome. */
export class Task {
  readonly #deferred = Promise.withResolvers<unknown>();
  readonly #onAbort = () => this.cancel(this.options.signal?.reason);
  #settled = false;
  #cancelled: { reason: unknown } | undefined;

  constructor(
    readonly number: number,
    readonly job: Job,
    readonly name: string,
    readonly input: unknown,
    readonly options: TaskOptions,
    private readonly hooks: TaskHooks,
  ) {
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get promise(): Promise<unknown> {
    return this.#deferred.promise;
  }

  /** Why it is to stop; undefined where it is not. The first reason stays. */
  get cancelled(): { reason: unknown } | undefined {
    return this.#cancelled;
  }

  /** Asks it to stop; without effect once it is settled or asked before. */
  cancel(reason: unknown): void {
    if (this.#settled || this.#cancelled !== undefined) return;
    this.#cancelled = { reason };
    this.hooks.cancel(this, reason);
  }

  /** Hands a progress value to the caller. Where the caller throws, the task is cancelled and rejected with that error. */
  report(value: unknown): void {
    try {
      this.options.onProgress?.(value as never);
    } catch (error) {
      this.cancel(error);
    }
  }

  /** The only way to its end, to be gone once. */
  settle(outcome: Outcome): void {
    if (this.#settled) throw new Error(`Cannot settle the task ${this.name} twice`);
    this.#settled = true;
    this.options.signal?.removeEventListener("abort", this.#onAbort);
    if (outcome.type === "done") this.#deferred.resolve(outcome.output);
    else this.#deferred.reject(outcome.error);
    this.hooks.settled(this, outcome);
  }
}

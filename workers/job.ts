import { PoolClosedError, QueueFullError } from "./errors.ts";
import { Lane } from "./queue.ts";
import { type Outcome, Task, type TaskOptions } from "./task.ts";
import { JOB_COUNTERS, type JobOptions } from "./types.ts";

/** What a job needs of its pool. */
export interface JobHost {
  /** The most tasks of one job that may be queued before its producers wait. */
  readonly queueLimit: number;
  /** Why no task can be taken now, if so. */
  refusal(): Error | undefined;
  nextTaskNumber(): number;
  enqueue(task: Task): void;
  /** Takes the task out of the queue, or tells its worker. */
  cancel(task: Task, reason: unknown): void;
  settled(outcome: Outcome): void;
  /** The job has come to its end; its channels can go. */
  release(job: Job): void;
}

/** A job of the pool; the contract is `PoolJob`'s. */
export class Job {
  readonly name: string;
  readonly counters = new BigInt64Array(new SharedArrayBuffer(JOB_COUNTERS * BigInt64Array.BYTES_PER_ELEMENT));
  readonly lane: Lane<Task>;
  readonly #unsettled = new Set<Task>();
  readonly #producers: PromiseWithResolvers<void>[] = [];
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.#refuse(this.#signal?.reason);
  #recheck: ReturnType<typeof setTimeout> | undefined;
  #ended: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(private readonly host: JobHost, { name, priority = "bulk", signal }: JobOptions) {
    this.name = name;
    this.lane = new Lane(priority);
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  run(name: string, input: unknown, options: TaskOptions = {}): Promise<unknown> {
    const refusal = this.#refusal(options.signal);
    if (refusal !== undefined) return Promise.reject(refusal.error);
    const hard = 2 * this.host.queueLimit;
    if (this.lane.items.size >= hard) {
      const message = `Cannot queue the task ${name}: job ${this.name} has ${hard} tasks queued; await ready() first`;
      return Promise.reject(new QueueFullError(message));
    }
    const task = new Task(this.host.nextTaskNumber(), this, name, input, options, {
      cancel: (task, reason) => this.host.cancel(task, reason),
      settled: (task, outcome) => {
        this.#unsettled.delete(task);
        this.host.settled(outcome);
      },
    });
    this.#unsettled.add(task);
    this.host.enqueue(task);
    return task.promise;
  }

  ready(): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal.error);
    if (this.lane.items.size < this.host.queueLimit) return Promise.resolve();
    const producer = Promise.withResolvers<void>();
    this.#producers.push(producer);
    return producer.promise;
  }

  /** Called by the pool after a task has left the queue. */
  placeFreed(): void {
    const places = this.host.queueLimit - this.lane.items.size;
    if (places <= 0 || this.#producers.length === 0) return;
    for (const producer of this.#producers.splice(0, places)) producer.resolve();
    // One that was let in may find that it has nothing left to run; the next must not wait for its place for ever.
    clearTimeout(this.#recheck);
    if (this.#producers.length > 0) this.#recheck = setTimeout(() => this.placeFreed(), 0);
  }

  /** Called by the pool when it has no worker left to wait for. */
  rejectProducers(error: unknown): void {
    for (const producer of this.#producers.splice(0)) producer.reject(error);
  }

  /** Takes no task any more and cancels what is there. Idempotent: the first error stays. */
  end(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#refuse(error);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.end(new PoolClosedError(`Job ${this.name} is closed`));
    // Their callers hold the same promises; here only their end matters.
    await Promise.allSettled(Array.from(this.#unsettled, (task) => task.promise));
    this.host.release(this);
  }

  #refuse(reason: unknown): void {
    clearTimeout(this.#recheck);
    this.rejectProducers(reason);
    for (const task of [...this.#unsettled]) task.cancel(reason);
  }

  #refusal(signal?: AbortSignal): { error: unknown } | undefined {
    for (const each of [signal, this.#signal]) {
      if (each?.aborted) return { error: each.reason };
    }
    const error = this.#ended ?? this.host.refusal();
    return error && { error };
  }
}

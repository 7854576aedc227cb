import { type LostReason, PoolClosedError, WorkerStartError } from "./errors.ts";
import { Job, type JobHost } from "./job.ts";
import { MAX_TASK_NUMBER } from "./protocol.ts";
import { FairQueue } from "./queue.ts";
import { Slot, type SlotEnd, type SlotOptions } from "./slot.ts";
import type { Outcome, Task } from "./task.ts";
import type { TaskMap } from "./tasks/mod.ts";
import type { AnyTaskMap, JobOptions, PoolJob, PoolStats, TaskPool } from "./types.ts";

/** For the log and the metrics. */
export type PoolEvent =
  | { type: "worker-started"; worker: number }
  | {
    type: "worker-lost";
    worker: number;
    reason: LostReason;
    abandoned: boolean;
    cause: unknown;
    task: string | undefined;
    job: string | undefined;
  }
  | { type: "worker-start-failed"; failures: number; retryInMs: number; cause: unknown }
  | { type: "abandoned-thread-ended"; worker: number };

export interface PoolOptions {
  /** Workers, at least 1. */
  size: number;
  /** The workers' module; it must call `serve`. */
  entry?: URL;
  /** The most tasks of one job that may be queued before its producers wait. Default 16. */
  queueLimit?: number;
  /** A task without a checkpoint for that long counts as hung, 30 times that where it said so. Default 120,000. */
  stuckAfterMs?: number;
  /** How long a worker may take to load its code. Default 30,000. */
  startTimeoutMs?: number;
  /** How long a thread that was told to end may go on before it is given up and replaced. Default 2,000. */
  abandonAfterMs?: number;
  /** The limit of each worker's JavaScript heap, without array buffers. Default 1,024. */
  maxHeapMb?: number;
  /** Must not throw. */
  onEvent?: (event: PoolEvent) => void;
}

const START_FAILURES = 5;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 10_000;
const DEFAULT_GRACE_MS = 5000;

/** Starts a pool of workers. Throws a `RangeError` for an option that makes no sense. */
export function createPool<M extends AnyTaskMap = TaskMap>(options: PoolOptions): TaskPool<M> {
  return new Pool<M>(options);
}

class Pool<M extends AnyTaskMap> implements TaskPool<M>, JobHost {
  readonly size: number;
  readonly queueLimit: number;
  readonly #slotOptions: SlotOptions;
  readonly #onEvent: (event: PoolEvent) => void;
  readonly #slots = new Set<Slot>();
  readonly #jobs = new Set<Job>();
  readonly #queue = new FairQueue<Task>();
  readonly #restarts = new Set<ReturnType<typeof setTimeout>>();
  readonly #watchdog: ReturnType<typeof setInterval>;
  readonly #allEnded = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #stats = { replaced: 0, abandoned: 0, tasksCompleted: 0, tasksFailed: 0 };
  /** Of the first workers, those that are neither ready nor failed. */
  #stillStarting: number;
  #lastSlotId = 0;
  #lastTaskNumber = 0;
  /** Workers in a row that ended without having taken a task. */
  #startFailures = 0;
  #startError: unknown;
  #ended: PoolClosedError | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: PoolOptions) {
    const { size, entry = new URL("./worker.ts", import.meta.url), queueLimit = 16, onEvent = () => {} } = options;
    const { stuckAfterMs = 120_000, startTimeoutMs = 30_000, abandonAfterMs = 2000, maxHeapMb = 1024 } = options;
    for (const [name, value] of Object.entries({ size, queueLimit, maxHeapMb })) {
      if (!Number.isInteger(value) || value < 1) {
        throw new RangeError(`Cannot start a pool as ${name} must be a whole number from 1: current value is ${value}`);
      }
    }
    this.size = size;
    this.queueLimit = queueLimit;
    this.#slotOptions = { entry, maxHeapMb, stuckAfterMs, startTimeoutMs, abandonAfterMs };
    this.#onEvent = onEvent;
    this.#stillStarting = size;
    for (let i = 0; i < size; i++) this.#start();
    this.#watchdog = this.#watch(Math.min(Math.max(Math.min(stuckAfterMs, startTimeoutMs) / 8, 10), 5000));
  }

  job(options: JobOptions): PoolJob<M> {
    const job = new Job(this, options);
    if (this.#ended !== undefined) job.end(this.#ended);
    else this.#jobs.add(job);
    return job as PoolJob<M>;
  }

  ready(): Promise<void> {
    return this.#ready.promise;
  }

  stats(): PoolStats {
    const busy = Array.from(this.#slots).filter((slot) => slot.state === "busy").length;
    return { workers: this.#slots.size, busy, queued: this.#queue.size, ...this.#stats };
  }

  close(graceMs = DEFAULT_GRACE_MS): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  refusal(): Error | undefined {
    if (this.#ended !== undefined) return this.#ended;
    if (this.#startFailures < START_FAILURES || this.#hasWorker()) return undefined;
    const message = `Cannot run tasks: ${this.#startFailures} workers in a row failed to start`;
    return new WorkerStartError(message, { cause: this.#startError });
  }

  nextTaskNumber(): number {
    this.#lastTaskNumber = this.#lastTaskNumber % MAX_TASK_NUMBER + 1;
    return this.#lastTaskNumber;
  }

  enqueue(task: Task): void {
    this.#queue.push(task.job.lane, task);
    this.#dispatch();
  }

  cancel(task: Task, reason: unknown): void {
    if (this.#queue.remove(task.job.lane, task)) {
      task.settle({ type: "cancelled", error: reason });
      task.job.placeFreed();
    } else {
      for (const slot of this.#slots) {
        if (slot.task === task) slot.cancel();
      }
    }
  }

  settled({ type }: Outcome): void {
    if (type === "done") this.#stats.tasksCompleted++;
    else if (type === "failed") this.#stats.tasksFailed++;
  }

  release(job: Job): void {
    this.#jobs.delete(job);
    for (const slot of this.#slots) slot.forget(job);
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      while (slot.state === "idle") {
        const task = this.#queue.next();
        if (task === undefined) return;
        slot.run(task);
        task.job.placeFreed();
      }
    }
  }

  #hasWorker(): boolean {
    return Array.from(this.#slots).some(({ state }) => state === "idle" || state === "busy");
  }

  #start(): void {
    const id = ++this.#lastSlotId;
    const hooks = {
      idle: (slot: Slot) => this.#onIdle(slot),
      ended: (slot: Slot, end: SlotEnd) => this.#onEnded(slot, end),
      threadEnded: () => {
        this.#stats.abandoned--;
        this.#onEvent({ type: "abandoned-thread-ended", worker: id });
      },
    };
    try {
      this.#slots.add(new Slot(id, this.#slotOptions, hooks));
    } catch (error) {
      this.#onStartFailure(error);
    }
  }

  #onIdle(slot: Slot): void {
    if (this.#ended !== undefined) return slot.end("closed");
    if (slot.tasksTaken === 0) {
      this.#onEvent({ type: "worker-started", worker: slot.id });
      this.#startSettled();
    }
    this.#dispatch();
  }

  #onEnded(slot: Slot, { reason, abandoned, cause, task }: SlotEnd): void {
    this.#slots.delete(slot);
    if (abandoned) this.#stats.abandoned++;
    if (reason !== "closed") {
      const names = { task: task?.name, job: task?.job.name };
      this.#onEvent({ type: "worker-lost", worker: slot.id, reason, abandoned, cause, ...names });
    }
    if (this.#ended !== undefined) {
      if (this.#slots.size === 0) this.#allEnded.resolve();
      return;
    }
    this.#stats.replaced++;
    if (slot.tasksTaken > 0) {
      this.#startFailures = 0;
      this.#start();
    } else this.#onStartFailure(cause);
  }

  #startSettled(): void {
    if (--this.#stillStarting === 0) this.#ready.resolve();
  }

  #onStartFailure(cause: unknown): void {
    this.#startSettled();
    this.#startError = cause;
    const failures = ++this.#startFailures;
    const retryInMs = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LAST_RETRY_MS);
    this.#onEvent({ type: "worker-start-failed", failures, retryInMs, cause });
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#start();
    }, retryInMs);
    this.#restarts.add(timer);
    const refusal = this.refusal();
    if (refusal === undefined) return;
    for (const task of [...this.#queue]) this.#refuse(task, refusal);
    for (const job of this.#jobs) job.rejectProducers(refusal);
  }

  #refuse(task: Task, error: Error): void {
    this.#queue.remove(task.job.lane, task);
    task.settle({ type: "failed", error });
  }

  #watch(periodMs: number): ReturnType<typeof setInterval> {
    let last = performance.now();
    return setInterval(() => {
      const now = performance.now();
      // A process that was stopped as a whole must not find all its workers hung when it goes on.
      const elapsed = Math.min(now - last, 2 * periodMs);
      last = now;
      for (const slot of [...this.#slots]) slot.check(elapsed);
    }, periodMs);
  }

  async #close(graceMs: number): Promise<void> {
    const error = new PoolClosedError("The worker pool is closed");
    this.#ended = error;
    this.#ready.resolve();
    clearInterval(this.#watchdog);
    for (const timer of this.#restarts) clearTimeout(timer);
    for (const job of this.#jobs) job.end(error);
    for (const slot of [...this.#slots]) {
      if (slot.state !== "busy") slot.end("closed");
    }
    const grace = setTimeout(() => {
      for (const slot of [...this.#slots]) slot.end("closed");
    }, graceMs);
    if (this.#slots.size === 0) this.#allEnded.resolve();
    await this.#allEnded.promise;
    clearTimeout(grace);
  }
}

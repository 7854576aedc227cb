/**
 * What the engine sees of the worker pool: it opens a job, runs typed tasks in it and watches the job's counters.
 * The engine imports these types only; `main.ts` hands in the pool itself.
 */
import type { TaskMap } from "./tasks/mod.ts";

/** What a task map must look like: task name → the types of its input, output and progress values. */
export type AnyTaskMap = Record<string, { input: unknown; output: unknown; progress: unknown }>;

/** `interactive` tasks are dispatched before `bulk` ones, whatever was queued first. */
export type Priority = "interactive" | "bulk";

export interface JobOptions {
  /** A label for logs and statistics, such as the session's id. */
  name: string;
  /** Default `bulk`. */
  priority?: Priority;
  /** Aborting it cancels every queued and running task of the job. */
  signal?: AbortSignal;
}

export interface RunOptions {
  /** Cancels this task alone. */
  signal?: AbortSignal;
  /** Buffers to move rather than copy. */
  transfer?: Transferable[];
}

/** How many counters a job has; the job's owner gives each index its meaning. */
export const JOB_COUNTERS = 16;

/**
 * A unit of fairness: the pool serves open jobs of one priority in turn. Close it (or `await using` it) when its work is
 * over; closing cancels what it still has queued or running and waits for it.
 */
export interface PoolJob<M extends AnyTaskMap = TaskMap> extends AsyncDisposable {
  readonly name: string;
  /** {@link JOB_COUNTERS} shared counters, written by tasks with `Atomics`, readable here at any time. */
  readonly counters: BigInt64Array<SharedArrayBuffer>;
  /**
   * Runs one task and settles exactly once: with its output, with the error it threw, with the signal's reason, with a
   * `WorkerLostError` where its worker died or hung, with a `WorkerStartError` where no worker can be started, or with
   * a `PoolClosedError` once the job or the pool is closed.
   *
   * Cancelling a queued task rejects it at once. A running one is told, and its promise settles only when its code has
   * stopped, so nothing is touched behind the caller's back: with the reason where it stopped early, with its output or
   * its own error where it came to an end first.
   *
   * Accepts tasks up to twice the queue's bound, so that several producers may be let in by one {@link PoolJob.ready};
   * beyond that it rejects with a `QueueFullError`. Buffers in `transfer` are moved when the task is dispatched.
   */
  run<K extends keyof M & string>(
    name: K,
    input: M[K]["input"],
    options?: RunOptions & { onProgress?: (value: M[K]["progress"]) => void },
  ): Promise<M[K]["output"]>;
  /**
   * Resolves when the job may queue another task: the queue is bounded, so a producer waits here. Rejects where `run`
   * would. Producers are let in first come, first served, one for each place that gets free.
   */
  ready(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface PoolStats {
  workers: number;
  busy: number;
  queued: number;
  /** Workers replaced since the start, after a crash or a hang. */
  replaced: number;
  /**
   * Threads that hung and could not be ended, and still run: the runtime cannot interrupt a loop that never yields nor a
   * system call that never returns. They were replaced; only a restart of the process gets rid of them.
   */
  abandoned: number;
  tasksCompleted: number;
  /** Tasks that threw or lost their worker; cancelled ones are not counted. */
  tasksFailed: number;
}

export interface TaskPool<M extends AnyTaskMap = TaskMap> {
  /** Workers, and so the number of tasks that run at once. */
  readonly size: number;
  job(options: JobOptions): PoolJob<M>;
  /** Resolves once each of the first workers is ready, or has failed to start. */
  ready(): Promise<void>;
  stats(): PoolStats;
  /** Rejects what is queued, cancels what runs, waits up to `graceMs` for it, then ends the workers. Idempotent. */
  close(graceMs?: number): Promise<void>;
}

/** What a task's code sees of its job, inside the worker. */
export interface TaskContext<P = unknown> {
  readonly counters: BigInt64Array<SharedArrayBuffer>;
  readonly aborted: boolean;
  /** Fires on cancellation, but only while the task waits for something: synchronous code asks `aborted`. */
  readonly signal: AbortSignal;
  /**
   * Throws an `AbortError` where the task was cancelled, and tells the pool's watchdog that the task is alive. Call it
   * between files and between pieces of a large file: at least every 100 ms of work.
   */
  checkpoint(): void;
  /**
   * Runs a system call that may take minutes and cannot be interrupted, such as a flush of everything that a slow disk has yet to
   * take: the watchdog is 30 times as patient meanwhile. Checks for cancellation before it, not after.
   */
  patiently<T>(call: () => T): T;
  progress(value: P): void;
}

export type TaskHandler<I, O, P = never> = (input: I, context: TaskContext<P>) => O | Promise<O>;

/** The task map of a set of handlers. */
export type TaskMapOf<T> = {
  [K in keyof T & string]: T[K] extends TaskHandler<infer I, infer O, infer P>
    ? { input: I; output: Awaited<O>; progress: P }
    : never;
};

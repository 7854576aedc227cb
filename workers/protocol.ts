/**
 * Everything that the pool and a worker say to each other.
 *
 * Each worker has one lifeline, a channel that it is born with and whose closing tells the pool that the thread is gone.
 * Each job talks to each worker that serves it over a channel of its own, made on first use and closed with the job.
 * What must reach a task whose code does not yield goes through shared memory instead.
 */
import type { MessagePort } from "node:worker_threads";
import type { WireError } from "./wire_error.ts";

/** What a worker is born with, as its `workerData`. */
export interface WorkerSetup {
  lifeline: MessagePort;
  /** The shared words, one each at the indices of {@link Word}. */
  words: Int32Array<SharedArrayBuffer>;
}

/** Indices of the words that the pool and the worker share. */
export const Word = {
  /** Grows with every checkpoint; only the worker writes it. */
  heartbeat: 0,
  /** The number of the task that is to stop, or 0; only the pool writes it. */
  cancelled: 1,
  /** 1 while the task is in a call that may take long; only the worker writes it. */
  patient: 2,
  count: 3,
} as const;

/** Pool to worker, on the lifeline: a job's channel and its counters. */
export type ToWorker = { type: "open"; port: MessagePort; counters: BigInt64Array<SharedArrayBuffer> };

/** Worker to pool, on the lifeline. `fatal` asks the pool to end this worker. */
export type FromWorker =
  | { type: "ready" }
  | { type: "fatal"; reason: "crashed" | "out-of-memory"; error: WireError };

/** Pool to worker, on a job's channel. `cancel` wakes a task that waits; one that computes sees the shared word. */
export type ToTask =
  | { type: "run"; task: number; name: string; input: unknown }
  | { type: "cancel"; task: number };

/** Worker to pool, on a job's channel: any number of `progress`, then exactly one of the others. */
export type FromTask =
  | { type: "progress"; task: number; value: unknown }
  | { type: "done"; task: number; output: unknown }
  | { type: "failed"; task: number; error: WireError };

/** Task numbers run from 1 to this and start again, as the shared word holds 32 bits. */
export const MAX_TASK_NUMBER = 2 ** 31 - 1;

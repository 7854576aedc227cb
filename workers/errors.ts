/** The errors of the pool itself, as opposed to those that a task's code throws. */

/** What became of a worker: its code ended or threw, its heap was full, or it gave no sign of life. */
export type LostReason = "crashed" | "out-of-memory" | "stuck";

/** A task's worker was lost while the task ran: what the task had done until then stays done. */
export class WorkerLostError extends Error {
  override readonly name = "WorkerLostError";
  readonly reason: LostReason;
  /**
   * True where the worker's thread could not be ended: the task may go on behind the caller's back until the process
   * ends, so what it works on must not be given to another task.
   */
  readonly abandoned: boolean;

  constructor(message: string, reason: LostReason, abandoned: boolean, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.abandoned = abandoned;
  }
}

/** The pool or the job is closed, or was while the task waited or ran. */
export class PoolClosedError extends Error {
  override readonly name = "PoolClosedError";
}

/** No worker runs, and several in a row failed to start; the cause is the last one's error. */
export class WorkerStartError extends Error {
  override readonly name = "WorkerStartError";
}

/** A producer queues tasks without waiting for `ready()`. */
export class QueueFullError extends Error {
  override readonly name = "QueueFullError";
}

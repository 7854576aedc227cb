import type { PoolStats, TaskPool } from "./types.ts";

const NO_WORKERS: PoolStats = {
  workers: 0,
  busy: 0,
  queued: 0,
  replaced: 0,
  abandoned: 0,
  tasksCompleted: 0,
  tasksFailed: 0,
};

/** A pool whose workers are started for its first job: most servers never need it. */
export function lazyPool(size: number, start: () => TaskPool): TaskPool {
  let pool: TaskPool | undefined;
  let closed = false;
  return {
    size,
    job(options) {
      pool ??= start();
      if (closed) void pool.close(0);
      return pool.job(options);
    },
    ready: () => pool?.ready() ?? Promise.resolve(),
    stats: () => pool?.stats() ?? NO_WORKERS,
    close(graceMs) {
      closed = true;
      return pool?.close(graceMs) ?? Promise.resolve();
    },
  };
}

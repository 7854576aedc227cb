import { JOB_COUNTERS, type PoolJob, type TaskContext, type TaskPool } from "../../workers/types.ts";
import { tasks } from "../../workers/tasks/mod.ts";

/**
 * For tests: a pool that runs each task in this thread, one after the other, and calls a hook before each and one at each
 * checkpoint, so that a test can change the world at a known moment or break a known operation.
 */
export function inlinePool(
  before: (task: string, input: unknown) => void = () => {},
  atCheckpoint: (task: string) => void = () => {},
): TaskPool {
  let current = "";
  const execute = async (name: string, input: unknown, context: TaskContext) => {
    before(name, input);
    current = name;
    const handler = tasks[name as keyof typeof tasks] as (input: unknown, context: TaskContext) => unknown;
    return structuredClone(await handler(structuredClone(input), context));
  };
  let last: Promise<unknown> = Promise.resolve();
  const run = (name: string, input: unknown, context: TaskContext) => {
    const task = last.then(() => execute(name, input, context));
    last = task.catch(() => {});
    return task;
  };
  return {
    size: 2,
    job({ name, signal = new AbortController().signal }) {
      const counters = new BigInt64Array(new SharedArrayBuffer(JOB_COUNTERS * 8));
      const context: TaskContext = {
        counters,
        signal,
        get aborted() {
          return signal.aborted;
        },
        checkpoint: () => {
          atCheckpoint(current);
          signal.throwIfAborted();
        },
        patiently: (call) => call(),
        progress: () => {},
      };
      const job = {
        name,
        counters,
        run: (task: string, input: unknown) => run(task, input, context),
        ready: () => Promise.resolve(),
        close: () => Promise.resolve(),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
      return job as unknown as PoolJob;
    },
    stats: () => ({ workers: 2, busy: 0, queued: 0, replaced: 0, tasksCompleted: 0, tasksFailed: 0 }),
    close: () => Promise.resolve(),
  } as TaskPool;
}

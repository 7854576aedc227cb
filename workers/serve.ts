import { type MessagePort, workerData } from "node:worker_threads";
import type { FromTask, FromWorker, ToTask, ToWorker, WorkerSetup } from "./protocol.ts";
import { HeapGuard } from "./heap_guard.ts";
import { RunningTask } from "./running_task.ts";
import type { TaskHandler } from "./types.ts";
import { toWire } from "./wire_error.ts";

/**
 * The worker's side of the pool: takes tasks from the jobs' channels and runs them, one at a time as the pool sends them.
 * An error that no task caught makes it ask for its end, for nobody can say what state that error left behind.
 * @returns tells the pool that the running task, which waits for something that ends in bounded time, is alive.
 */
export function serve(tasks: Record<string, TaskHandler<never, unknown, never>>): () => void {
  const { lifeline, words } = workerData as WorkerSetup;
  const tell = (message: FromWorker) => lifeline.postMessage(message);
  let current: RunningTask | undefined;

  // Not `process.exit`: its thread would spin for ever where the pool ends the worker at the same moment.
  const giveUp = (reason: (FromWorker & { type: "fatal" })["reason"], error: unknown) =>
    tell({ type: "fatal", reason, error: toWire(error) });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    giveUp("crashed", event.error ?? new Error(event.message));
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    giveUp("crashed", event.reason);
  });
  const heap = new HeapGuard((error) => giveUp("out-of-memory", error));

  async function run(port: MessagePort, message: ToTask & { type: "run" }, counters: ToWorker["counters"]) {
    const { task, name, input } = message;
    const reply = (message: FromTask) => port.postMessage(message);
    current = new RunningTask(task, words, counters, (value) => reply({ type: "progress", task, value }));
    heap.watch();
    try {
      if (!Object.hasOwn(tasks, name)) throw new TypeError(`Cannot run the task ${name}: this worker has no such task`);
      const result = tasks[name](input as never, current);
      const output = result instanceof Promise ? await result : result;
      reply({ type: "done", task, output });
    } catch (error) {
      reply({ type: "failed", task, error: toWire(error) });
    } finally {
      current = undefined;
      heap.rest();
    }
  }

  lifeline.on("message", ({ port, counters }: ToWorker) => {
    port.on("message", (message: ToTask) => {
      if (message.type === "run") void run(port, message, counters);
      else if (current?.number === message.task) current.cancel();
    });
  });
  tell({ type: "ready" });
  return () => current?.beat();
}

import process from "node:process";
import { type MessagePort, workerData } from "node:worker_threads";
import { ExitCode, type FromTask, type FromWorker, type ToTask, type ToWorker, type WorkerSetup } from "./protocol.ts";
import { HeapGuard } from "./heap_guard.ts";
import { RunningTask } from "./running_task.ts";
import type { TaskHandler } from "./types.ts";
import { toWire } from "./wire_error.ts";

/**
 * The worker's side of the pool: takes tasks from the jobs' channels and runs them, one at a time as the pool sends them.
 * An error that no task caught ends the worker, for nobody can say what state it left behind.
 */
export function serve(tasks: Record<string, TaskHandler<never, unknown, never>>): void {
  const { lifeline, words } = workerData as WorkerSetup;
  const tell = (message: FromWorker) => lifeline.postMessage(message);
  let current: RunningTask | undefined;

  const die = (error: unknown, code: number): never => {
    tell({ type: "fatal", error: toWire(error) });
    process.exit(code);
  };
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    die(event.error ?? new Error(event.message), ExitCode.fatal);
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    die(event.reason, ExitCode.fatal);
  });
  const heap = new HeapGuard((error) => die(error, ExitCode.outOfMemory));

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
}

import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { type LostReason, WorkerLostError } from "./errors.ts";
import type { Job } from "./job.ts";
import { type FromTask, type FromWorker, type ToTask, type ToWorker, Word } from "./protocol.ts";
import type { WorkerSetup } from "./protocol.ts";
import { requireSpareDescriptors } from "./spare_descriptors.ts";
import type { Task } from "./task.ts";
import { fromWire } from "./wire_error.ts";

/**
 * - `starting`: the thread loads its code.
 * - `idle`, `busy`: without and with a task.
 * - `ending`: told to end; its thread may still run.
 * - `ended`: the thread is gone, or was given up.
 */
export type SlotState = "starting" | "idle" | "busy" | "ending" | "ended";

const NEXT: Record<SlotState, readonly SlotState[]> = {
  starting: ["idle", "ending", "ended"],
  idle: ["busy", "ending", "ended"],
  busy: ["idle", "ending", "ended"],
  ending: ["ended"],
  ended: [],
};

/** How a worker came to its end: `closed` is the pool's own wish. */
export interface SlotEnd {
  reason: LostReason | "closed";
  /** The thread could not be ended and was given up. */
  abandoned: boolean;
  cause: unknown;
  /** The task that was lost with it. */
  task: Task | undefined;
}

export interface SlotOptions {
  entry: URL;
  maxHeapMb: number;
  stuckAfterMs: number;
  startTimeoutMs: number;
  abandonAfterMs: number;
}

interface SlotHooks {
  /** It has started or finished a task, and is ready for one. */
  idle(slot: Slot): void;
  ended(slot: Slot, end: SlotEnd): void;
  /** The thread of a slot that ended `abandoned` has ended after all. */
  threadEnded(slot: Slot): void;
}

/**
 * Half of V8's default for a Node worker. A tree of 49,000 files is backed up, restored and checked as fast with it, and each worker
 * takes 20 to 40 MiB less; with half of this again, restores take a twelfth longer.
 */
const YOUNG_GENERATION_MB = 24;
/** How long the exit event may lag behind the closing of the lifeline. */
const EXIT_LAG_MS = 1000;

/** How many times as long a task may be quiet that said so: an hour, with the default of two minutes. */
const PATIENCE = 30;

/** One worker of the pool, from its start to its end; it is never started again. */
export class Slot {
  readonly #worker: Worker;
  readonly #lifeline: MessagePort;
  readonly #words: WorkerSetup["words"];
  readonly #channels = new Map<Job, MessagePort>();
  #state: SlotState = "starting";
  #task: Task | undefined;
  #tasksTaken = 0;
  #heartbeat = 0;
  #quietMs = 0;
  #reason: SlotEnd["reason"] = "crashed";
  #cause: unknown;
  #threadGone = false;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  /** Throws where the thread cannot be made at all. */
  constructor(readonly id: number, private readonly options: SlotOptions, private readonly hooks: SlotHooks) {
    requireSpareDescriptors();
    const { port1, port2 } = new MessageChannel();
    this.#lifeline = port1;
    this.#words = new Int32Array(new SharedArrayBuffer(Word.count * Int32Array.BYTES_PER_ELEMENT));
    const setup: WorkerSetup = { lifeline: port2, words: this.#words };
    // Not a Web Worker: one that fills its heap takes the whole process with it.
    this.#worker = new Worker(options.entry, {
      name: `pool-${id}`,
      workerData: setup,
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMb, maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    port1.on("message", (message: FromWorker) => this.#hear(message));
    port1.on("close", () => this.#onThreadGone());
    this.#worker.on("error", (error: Error & { code?: string }) => {
      this.#cause ??= error;
      if (error.code === "ERR_WORKER_OUT_OF_MEMORY") this.#reason = "out-of-memory";
    });
    this.#worker.on("exit", (code: number) => this.#onExit(code));
  }

  get state(): SlotState {
    return this.#state;
  }

  get task(): Task | undefined {
    return this.#task;
  }

  /** Tasks that were ever given to it. */
  get tasksTaken(): number {
    return this.#tasksTaken;
  }

  /** Gives an idle worker a task. An input that cannot be sent fails the task and leaves the worker idle. */
  run(task: Task): void {
    this.#move("busy");
    this.#task = task;
    this.#tasksTaken++;
    this.#quietMs = 0;
    Atomics.store(this.#words, Word.cancelled, 0);
    const message: ToTask = { type: "run", task: task.number, name: task.name, input: task.input };
    try {
      // deno-lint-ignore no-explicit-any -- the two libraries' types of the same transferable objects differ
      this.#channel(task.job).postMessage(message, task.options.transfer as any);
    } catch (error) {
      this.#task = undefined;
      this.#move("idle");
      task.settle({ type: "failed", error });
    }
  }

  /** Tells the running task to stop. */
  cancel(): void {
    const task = this.#task;
    if (task === undefined) return;
    Atomics.store(this.#words, Word.cancelled, task.number);
    this.#channels.get(task.job)?.postMessage({ type: "cancel", task: task.number } satisfies ToTask);
  }

  /** Closes the channel of a job that has ended. */
  forget(job: Job): void {
    this.#channels.get(job)?.close();
    this.#channels.delete(job);
  }

  /** Looks for a sign of life. `elapsedMs`: since the last look. */
  check(elapsedMs: number): void {
    if (this.#state !== "busy" && this.#state !== "starting") return;
    const heartbeat = Atomics.load(this.#words, Word.heartbeat);
    this.#quietMs = heartbeat === this.#heartbeat ? this.#quietMs + elapsedMs : 0;
    this.#heartbeat = heartbeat;
    const patience = Atomics.load(this.#words, Word.patient) === 1 ? PATIENCE : 1;
    const { stuckAfterMs, startTimeoutMs } = this.options;
    if (this.#quietMs >= (this.#state === "busy" ? stuckAfterMs * patience : startTimeoutMs)) {
      this.end("stuck", new Error(`It gave no sign of life for ${Math.round(this.#quietMs / 1000)} s`));
    }
  }

  /**
   * Ends the thread. The runtime only asks it to end at its next turn of the event loop, so the slot waits for that, and
   * gives the thread up after `abandonAfterMs`. A task that still comes to its end meanwhile is not lost.
   */
  end(reason: SlotEnd["reason"], cause?: unknown): void {
    if (this.#state === "ending" || this.#state === "ended") return;
    this.#reason = reason;
    this.#cause = cause;
    this.#move("ending");
    this.cancel();
    void this.#worker.terminate();
    if (this.#threadGone) this.#finish(false);
    else this.#setDeadline(this.options.abandonAfterMs, () => this.#finish(true));
  }

  #move(to: SlotState): void {
    if (!NEXT[this.#state].includes(to)) throw new Error(`A worker cannot move from ${this.#state} to ${to}`);
    this.#state = to;
  }

  #hear(message: FromWorker): void {
    if (message.type === "fatal") this.end(message.reason, fromWire(message.error));
    else if (this.#state === "starting") {
      this.#move("idle");
      this.hooks.idle(this);
    }
  }

  #channel(job: Job): MessagePort {
    const known = this.#channels.get(job);
    if (known !== undefined) return known;
    const { port1, port2 } = new MessageChannel();
    port1.on("message", (message: FromTask) => this.#receive(message));
    port1.on("messageerror", (error: unknown) => this.end("crashed", error));
    this.#channels.set(job, port1);
    this.#lifeline.postMessage({ type: "open", port: port2, counters: job.counters } satisfies ToWorker, [port2]);
    return port1;
  }

  #receive(message: FromTask): void {
    const task = this.#task;
    if (task === undefined || task.number !== message.task) return;
    if (message.type === "progress") return task.report(message.value);
    const ending = this.#state !== "busy";
    if (message.type === "failed" && message.error.name === "AbortError" && (ending || task.cancelled)) {
      if (task.cancelled === undefined) return; // stopped because it was stuck: lost with its worker
      this.#task = undefined;
      task.settle({ type: "cancelled", error: task.cancelled.reason });
    } else {
      this.#task = undefined;
      if (message.type === "done") task.settle({ type: "done", output: message.output });
      else task.settle({ type: "failed", error: fromWire(message.error) });
    }
    if (ending) return;
    this.#move("idle");
    this.hooks.idle(this);
  }

  #onExit(code: number): void {
    if (this.#state === "ending" || this.#state === "ended") return; // terminate() reports an exit before there is one
    this.#cause ??= new Error(`It exited with code ${code}`);
    this.#finish(false);
  }

  #onThreadGone(): void {
    if (this.#threadGone) return;
    this.#threadGone = true;
    if (this.#state === "ending") this.#finish(false);
    else if (this.#state === "ended") this.hooks.threadEnded(this);
    else this.#setDeadline(EXIT_LAG_MS, () => this.#finish(false));
  }

  #setDeadline(ms: number, action: () => void): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(action, ms);
  }

  #finish(abandoned: boolean): void {
    this.#move("ended");
    clearTimeout(this.#deadline);
    // Closing a port first delivers what has arrived on it: a task whose answer is among that is not lost.
    for (const job of [...this.#channels.keys()]) this.forget(job);
    if (abandoned) {
      // What goes on in that thread must not keep the process, but its end is worth knowing.
      this.#worker.unref();
      this.#lifeline.unref();
    } else {
      this.#threadGone = true;
      this.#lifeline.close();
    }
    const [reason, cause, task] = [this.#reason, this.#cause, this.#task];
    this.#task = undefined;
    if (task !== undefined) {
      if (reason === "closed") task.settle({ type: "cancelled", error: task.cancelled?.reason });
      else task.settle({ type: "failed", error: lost(task, reason, abandoned, cause) });
    }
    this.hooks.ended(this, { reason, abandoned, cause, task });
  }
}

const WHAT: Record<LostReason, string> = {
  crashed: "crashed",
  "out-of-memory": "ran out of memory",
  stuck: "hung",
};

function lost(task: Task, reason: LostReason, abandoned: boolean, cause: unknown): WorkerLostError {
  return new WorkerLostError(`The worker of the task ${task.name} ${WHAT[reason]}`, reason, abandoned, { cause });
}

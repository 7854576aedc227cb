import { Worker } from "node:worker_threads";
import { EngineError } from "../errors.ts";
import type { FromWriter, Statement, ToWriter, Write, WriteResult, WriterSetup } from "./protocol.ts";
import { requireSpareDescriptors } from "../../workers/spare_descriptors.ts";
import type { Report } from "./report.ts";

/** Writes that may wait; past them a write is refused, so that a disk that stands still does not fill the memory. */
const MAX_WAITING = 20_000;
const MAX_BATCH = 1_000;
/** A batch that the disk has not taken after this long is reported by {@link Writer.assertWorking}. */
const STUCK_MS = 30_000;
const FIRST_RESTART_MS = 50;
const LAST_RESTART_MS = 5_000;
const CLOSED = "The state is closed";

interface Pending {
  write: Write;
  resolve(changes: number[]): void;
  reject(error: Error): void;
}

export interface WriterOptions {
  path: string;
  report: Report;
  /** Starts the thread; a test hands in its own, to kill it. */
  spawn?: (setup: WriterSetup) => Worker;
}

/** @throws Error where there are too few descriptors */
function spawnThread(setup: WriterSetup): Worker {
  requireSpareDescriptors();
  return new Worker(new URL("./writer_thread.ts", import.meta.url), { workerData: setup });
}

function notRecorded(reason: string): EngineError {
  return new EngineError("unavailable", "Cannot record it in the state database", reason);
}

/**
 * Hands writes to the writer thread. Writes made while one batch is on its way to the disk form the next: however many
 * callers wait, the disk is waited for once a batch.
 *
 * The thread is `starting`, then `working`, and `down` from its death until it is started again; at last `closing`, then
 * `closed`. Where it dies, every pending write rejects: the batch that was under way may or may not be on disk.
 */
export class Writer {
  readonly #options: WriterOptions;
  #state: "starting" | "working" | "down" | "closing" | "closed" = "down";
  #thread: Worker | undefined;
  #waiting: Pending[] = [];
  #sent: Pending[] = [];
  #sentAt = 0;
  #isFlushPlanned = false;
  #restartMs = FIRST_RESTART_MS;
  #restartTimer: ReturnType<typeof setTimeout> | undefined;
  /** Of the last death, while the thread is down or starting again. */
  #downBecause = "";
  /** Resolved where nothing waits and nothing is under way. */
  #idle: PromiseWithResolvers<void> | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Starts the thread, which opens the database and brings its schema up to date.
   * @throws EngineError where the database cannot be opened
   */
  static async open(options: WriterOptions): Promise<Writer> {
    const writer = new Writer(options);
    await writer.#start();
    return writer;
  }

  /**
   * Runs the statements in order, all or none, and resolves with the rows that each changed once they are on disk.
   * Writes take effect in the order of the calls.
   */
  write(statements: Statement[], options: { durable?: boolean } = {}): Promise<number[]> {
    if (this.#state !== "working") return Promise.reject(notRecorded(this.#whyNot()));
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(notRecorded(`${MAX_WAITING} writes wait for the disk already`));
    }
    const { promise, resolve, reject } = Promise.withResolvers<number[]>();
    this.#waiting.push({ write: { statements, durable: options.durable ?? true }, resolve, reject });
    this.#planFlush();
    return promise;
  }

  /** Throws where writes would fail now, or have not reached the disk for long. */
  assertWorking(): void {
    if (this.#state !== "working") throw notRecorded(this.#whyNot());
    const waitedMs = performance.now() - this.#sentAt;
    if (this.#sent.length > 0 && waitedMs > STUCK_MS) {
      throw notRecorded(`The disk has not taken a write for ${Math.round(waitedMs / 1_000)} s`);
    }
  }

  /** Refuses further writes and waits until those made before are settled. */
  async drain(): Promise<void> {
    clearTimeout(this.#restartTimer);
    if (this.#state === "working") this.#state = "closing";
    if (this.#waiting.length + this.#sent.length === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  /** Commits what was written before, closes the database and ends the thread. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.drain();
    if (this.#state === "closing" && this.#thread !== undefined) await this.#closeDatabase(this.#thread);
    this.#state = "closed";
    await this.#thread?.terminate();
  }

  #closeDatabase(thread: Worker): Promise<void> {
    return new Promise((resolve) => {
      thread.on("message", (message: FromWriter) => message.type === "closed" && resolve());
      thread.on("exit", () => resolve());
      this.#post({ type: "close" });
    });
  }

  #start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#state = "starting";
    let thread: Worker;
    try {
      thread = (this.#options.spawn ?? spawnThread)({ path: this.#options.path });
    } catch (error) {
      const { message } = error as Error;
      reject(notRecorded(message));
      this.#died(message);
      return promise;
    }
    this.#thread = thread;
    let reason = "its thread ended";
    thread.on("message", (message: FromWriter) => {
      switch (message.type) {
        case "ready":
          if (this.#state === "starting") this.#state = "working";
          return resolve();
        case "refused":
          reject(new EngineError(message.kind, message.message, message.details));
          reason = message.message;
          return void thread.terminate();
        case "committed":
          this.#restartMs = FIRST_RESTART_MS;
          return this.#settle(message.results);
      }
    });
    thread.on("error", (error: Error) => reason = error.message);
    thread.on("exit", () => {
      reject(notRecorded(reason));
      if (this.#thread === thread) this.#died(reason);
    });
    return promise;
  }

  #died(reason: string): void {
    this.#thread = undefined;
    if (this.#state === "closing" || this.#state === "closed") return this.#rejectAll(CLOSED);
    const wasWorking = this.#state === "working";
    this.#state = "down";
    this.#downBecause = reason;
    this.#rejectAll(this.#whyNot());
    // A thread that never worked is for the caller of `open` to hear of, once.
    if (wasWorking || this.#restartTimer !== undefined) this.#planRestart(reason);
  }

  #planRestart(reason: string): void {
    this.#options.report("The state's writer stopped and is started again", reason);
    this.#restartTimer = setTimeout(() => {
      this.#start().catch(() => {
        // Reported and planned again by its exit.
      });
    }, this.#restartMs);
    this.#restartMs = Math.min(2 * this.#restartMs, LAST_RESTART_MS);
  }

  #whyNot(): string {
    if (this.#state === "closing" || this.#state === "closed") return CLOSED;
    return `The state's writer stopped and is started again: ${this.#downBecause}`;
  }

  /** Waits for the end of the caller's turn, so that what is written in one go is committed in one. */
  #planFlush(): void {
    if (this.#isFlushPlanned || this.#sent.length > 0) return;
    this.#isFlushPlanned = true;
    queueMicrotask(() => {
      this.#isFlushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#state !== "working" && this.#state !== "closing") return;
    if (this.#sent.length > 0 || this.#waiting.length === 0) return;
    this.#sent = this.#waiting.splice(0, MAX_BATCH);
    this.#sentAt = performance.now();
    this.#post({ type: "batch", writes: this.#sent.map((pending) => pending.write) });
  }

  #settle(results: WriteResult[]): void {
    const sent = this.#sent;
    this.#sent = [];
    sent.forEach((pending, index) => {
      const result = results[index];
      if ("changes" in result) pending.resolve(result.changes);
      else pending.reject(notRecorded(result.failure));
    });
    this.#flush();
    this.#tellIdle();
  }

  #rejectAll(reason: string): void {
    const pending = [...this.#sent, ...this.#waiting];
    this.#sent = [];
    this.#waiting = [];
    for (const { reject } of pending) reject(notRecorded(reason));
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#sent.length + this.#waiting.length > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #post(message: ToWriter): void {
    this.#thread?.postMessage(message);
  }
}

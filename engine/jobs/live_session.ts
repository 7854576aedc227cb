import type { OperationSums, SessionStore, StoredSession } from "../state/session_store.ts";
import type { Report } from "../state/report.ts";
import { EventLog } from "./event_log.ts";
import { Throttle } from "./throttle.ts";
import type { ProgressUpdate, Session } from "./types.ts";

const EVENT_INTERVAL_MS = 200;
const STORE_INTERVAL_MS = 1_000;
const MAX_MESSAGE_LENGTH = 1_000;

export interface LiveSessionOptions {
  store: SessionStore;
  report: Report;
  entry: StoredSession;
  /** The manual session that it belongs to. */
  parent?: LiveSession;
}

/** A session that is not over: its present state in memory, its events, and what stops it. */
export class LiveSession {
  readonly sequence: number;
  readonly id: string;
  readonly parent: LiveSession | undefined;
  readonly log: EventLog;
  readonly controller = new AbortController();
  /** The runs of a manual session that are not over. */
  readonly operations = new Set<LiveSession>();
  /** What it becomes where its work stops on the controller's signal. */
  stopsAs: "cancelled" | "interrupted" = "cancelled";
  /** A manual session that takes no more operations, since it is being cancelled. */
  isClosing = false;
  /** Set from the moment on when its end is being stored. */
  isEnding = false;
  readonly #store: SessionStore;
  readonly #report: Report;
  readonly #emit = new Throttle(EVENT_INTERVAL_MS, () => this.#emitProgress());
  readonly #save = new Throttle(STORE_INTERVAL_MS, () => this.#saveProgress());
  readonly #ended = Promise.withResolvers<void>();
  #session: Session;
  #isSaving = false;

  constructor({ store, report, entry, parent }: LiveSessionOptions) {
    this.#store = store;
    this.#report = report;
    this.#session = entry.session;
    this.sequence = entry.sequence;
    this.id = entry.session.sessionId;
    this.parent = parent;
    this.log = new EventLog(entry.eventId);
  }

  /** Resolves once it is over and its end is stored, or could not be. Never rejects. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Whether it gathers operations: opened by hand, or to synchronise two locations. */
  get isGroup(): boolean {
    return this.#session.kind === "manual" || this.completesItself;
  }

  /** Whether it is the server that opened it, and that closes it. */
  get completesItself(): boolean {
    return this.#session.kind === "sync.locations";
  }

  /** Its state now; a copy but for the result. */
  snapshot(): Session {
    return { ...this.#session, progress: { ...this.#session.progress } };
  }

  /** As it is to be stored now. */
  entry(): StoredSession {
    return { sequence: this.sequence, eventId: this.log.lastId, session: this.snapshot() };
  }

  /** Cheap; sent at most every 200 ms and stored at most once a second. Nothing of it reaches a session that is ending. */
  update(update: ProgressUpdate & { status?: "in-progress" }): void {
    if (this.isEnding) return;
    const session = this.#session;
    if (update.status !== undefined) session.status = update.status;
    if (update.message !== undefined) session.message = update.message.slice(0, MAX_MESSAGE_LENGTH);
    if (update.percentage !== undefined && Number.isFinite(update.percentage)) {
      const percentage = Math.floor(Math.min(100, update.percentage));
      session.progressPercentage = Math.max(session.progressPercentage, percentage);
    }
    for (const [name, figure] of Object.entries(update.figures ?? {})) {
      if (Number.isFinite(figure)) session.progress[name] = figure;
    }
    this.#emit.request();
    this.#save.request();
  }

  /** The first event, once it is stored. */
  begin(): void {
    this.log.append("progress", this.snapshot());
  }

  /** What is to be stored as its end: the state given, under the id of the last event. Its present state stays for now. */
  prepareEnd(end: Partial<Session>): StoredSession {
    this.isEnding = true;
    this.#emit.stop();
    this.#save.stop();
    return { sequence: this.sequence, eventId: this.log.lastId + 1, session: { ...this.snapshot(), ...end } };
  }

  /** Takes back {@link prepareEnd}, which was not stored: the session goes on. */
  resume(): void {
    this.isEnding = false;
    this.#emit.restart();
    this.#save.restart();
  }

  /** Makes the prepared end its state and sends the last event. */
  publishEnd(session: Session): void {
    this.#session = session;
    this.log.append(session.status, this.snapshot());
    this.log.end();
    this.#ended.resolve();
  }

  /** Stores its progress and ends its events, for the server's stop; it goes on after the next start. */
  suspend(): void {
    this.#emit.stop();
    this.#save.stop();
    if (!this.isEnding) this.#saveProgress();
    this.log.end();
  }

  #emitProgress(): void {
    this.log.append("progress", this.snapshot());
    this.parent?.follow();
  }

  /** Takes a manual session's figures anew from its operations. */
  follow(): void {
    let sums: OperationSums;
    try {
      sums = this.#store.sums(this.sequence);
    } catch (error) {
      // Called from timers and at the ends of operations, none of which may fail for it.
      return this.#report(`Cannot read the figures of ${this.id}`, error);
    }
    const runningOperations = this.operations.size;
    const count = sums.operations + runningOperations;
    if (count === 0) return;
    let done = 100 * sums.operations;
    for (const operation of this.operations) done += operation.#session.progressPercentage;
    const { executionTimeMs: _, ...figures } = sums;
    this.update({
      status: "in-progress",
      // It ends when it is completed, not when the operations so far have ended.
      percentage: Math.min(99, done / count),
      ...(this.completesItself
        ? {}
        : { message: `Operations: ${sums.operations} ended, ${runningOperations} running` }),
      figures: { ...figures, runningOperations },
    });
  }

  #saveProgress(): void {
    if (this.#isSaving) return this.#save.request();
    this.#isSaving = true;
    this.#store.saveProgress(this.entry())
      .catch((error) => this.#report(`Cannot store the progress of ${this.id}`, error))
      .finally(() => this.#isSaving = false);
  }
}

import { CancelledError, EngineError, isCancellation } from "../errors.ts";
import type { SessionStore, StoredSession } from "../state/session_store.ts";
import type { State } from "../state/types.ts";
import { BackgroundRetry } from "./background_retry.ts";
import { LiveSession } from "./live_session.ts";
import { metricsOf } from "./metrics.ts";
import { manualEnd } from "./manual_end.ts";
import { newSession } from "./new_session.ts";
import { endOfError, endOfStop, endOfSuccess, type RunEnd } from "./run_end.ts";
import { conflict, stopping } from "./session_errors.ts";
import { SessionView } from "./session_view.ts";
import type {
  GroupSpec,
  JobContext,
  Metrics,
  RunOutcome,
  RunSpec,
  Session,
  SessionEvent,
  SessionPage,
  SessionQuery,
  StartedRun,
} from "./types.ts";
import { eventOfEnd } from "./webhooks/event.ts";
import { endInterrupted } from "./end_interrupted.ts";
import { within } from "./within.ts";

/** How long {@link Sessions.cancel} waits for the work to stop. */
const CANCEL_WAIT_MS = 10_000;
/** Open manual sessions stay in memory and are never dropped by age. */
const MAX_OPEN_MANUAL = 10_000;
/** Runs operations as sessions and answers for them: now, and from disk once they are over. */
export class Sessions {
  readonly #state: State;
  readonly #onEnd: () => void;
  readonly #store: SessionStore;
  readonly #retry: BackgroundRetry;
  /** Every session that is not over, or whose end is not stored yet. */
  readonly #live = new Map<string, LiveSession>();
  readonly #running = new Set<LiveSession>();
  readonly #view: SessionView;
  #isStopping = false;

  private constructor(state: State, onEnd: () => void) {
    this.#state = state;
    this.#onEnd = onEnd;
    this.#store = state.sessions;
    this.#retry = new BackgroundRetry(state.report);
    this.#view = new SessionView(state.sessions, this.#live);
  }

  /**
   * Runs that a dead process left behind become `interrupted`; open manual sessions stay open.
   *
   * @param onEnd called whenever a run's end is stored, and with it what subscribers will be told. Must not throw.
   */
  static async open(state: State, onEnd: () => void = () => {}): Promise<Sessions> {
    const sessions = new Sessions(state, onEnd);
    for (const entry of await endInterrupted(state.sessions)) {
      const live = sessions.#hold(entry);
      live.begin();
      live.follow();
    }
    return sessions;
  }

  /**
   * Opens a session that gathers the operations started with its id. Resolves once it is on disk. One of the kind
   * `sync.locations` is the server's own: it ends with {@link Sessions.settle}, or as `interrupted` with the process.
   * @throws EngineError `conflict` where 10,000 are open, `unavailable`
   */
  async startManual(
    input: GroupSpec,
  ): Promise<Session> {
    if (this.#isStopping) throw stopping();
    if (this.#live.size - this.#running.size >= MAX_OPEN_MANUAL) {
      throw conflict("Too many sessions are open", `Complete or cancel one of the ${MAX_OPEN_MANUAL} open sessions`);
    }
    const live = this.#create(newSession({
      kind: input.kind ?? "manual",
      sourceIdentifier: input.sourceLocation,
      targetIdentifier: input.targetLocation,
      syncType: input.syncType,
      status: "pending",
      message: "Waiting for operations",
      parentId: null,
      keyId: input.keyId ?? null,
    }));
    await this.#insert(live);
    live.begin();
    return live.snapshot();
  }

  /**
   * Stores a session, then runs `work` in it. Resolves once it is on disk and started.
   *
   * The run is `completed` where the work resolves, also with `outcome.success` false (a partial failure, which counts as a
   * failed sync); `failed` where it throws; `cancelled` or `interrupted` where it throws a cancellation. Work that ends
   * well in spite of a cancellation has ended well. `done` settles once the end is on disk, or could not be stored for now.
   * @throws EngineError `not-found` or `conflict` for the parent, `unavailable`
   */
  async run<T>(
    spec: RunSpec & { outcome: (result: T) => RunOutcome },
    work: (job: JobContext) => Promise<T>,
  ): Promise<StartedRun<T>> {
    if (this.#isStopping) throw stopping();
    const parent = spec.parentId === undefined ? undefined : this.#openParent(spec.parentId);
    const live = this.#create(
      newSession({
        kind: spec.kind,
        sourceIdentifier: spec.sourceIdentifier,
        targetIdentifier: spec.targetIdentifier,
        syncType: null,
        status: "in-progress",
        message: "Started",
        parentId: spec.parentId ?? null,
        keyId: spec.keyId ?? null,
      }),
      parent,
    );
    this.#running.add(live);
    parent?.operations.add(live);
    await this.#insert(live);
    live.begin();
    parent?.follow();
    const session = live.snapshot();
    const done = this.#execute(live, spec.outcome, work);
    done.catch(() => {
      // Whoever awaits `done` hears of it, and the session tells everyone else.
    });
    return { session, done };
  }

  /** @throws EngineError `not-found` */
  // deno-lint-ignore require-await -- what is thrown must arrive as a rejection
  async get(sessionId: string): Promise<Session> {
    return this.#view.find(sessionId);
  }

  /**
   * Newest first, without results. Sessions that start between two pages shift nothing.
   * @throws EngineError `invalid` for a limit or cursor out of range
   */
  // deno-lint-ignore require-await -- what is thrown must arrive as a rejection
  async list(query: SessionQuery): Promise<SessionPage> {
    return this.#view.list(query);
  }

  /**
   * Closes a manual session and stores its result, the sum of its operations.
   * @throws EngineError `not-found`; `conflict` where an operation of it still runs, where it is closed, or is a run
   */
  async complete(sessionId: string): Promise<Session> {
    const ended = this.#live.has(sessionId) ? undefined : this.#view.find(sessionId);
    if (ended?.kind === "sync.locations") return ended;
    const live = this.#openSession(sessionId, "complete");
    if (!live.isGroup || live.completesItself) {
      throw conflict("Cannot complete the session", "It is a running operation, which completes by itself");
    }
    if (live.operations.size > 0) {
      throw conflict("Cannot complete the session", `${live.operations.size} of its operations still run`);
    }
    await this.#closeManual(live, "completed");
    return this.#view.find(sessionId);
  }

  /** Tells what a session of the kind `sync.locations` does now; nothing where it is over. */
  tell(sessionId: string, message: string): void {
    this.#live.get(sessionId)?.update({ status: "in-progress", message });
  }

  /**
   * Ends a session of the kind `sync.locations`, whose operations are over: as failed where there is an error. Does nothing where it
   * was cancelled meanwhile, and where the server stops: then it was interrupted.
   */
  async settle(sessionId: string, error: Session["error"]): Promise<void> {
    const live = this.#live.get(sessionId);
    if (live === undefined || live.isEnding || live.isClosing || this.#isStopping) return;
    await this.#closeManual(live, error === null ? "completed" : "failed", error);
  }

  /**
   * Stops a run, or a manual session with its runs, and waits up to 10 s until it has ended: the session is still
   * `in-progress` where it has not by then.
   * @throws EngineError `not-found`; `conflict` where it is over
   */
  async cancel(sessionId: string): Promise<Session> {
    const live = this.#openSession(sessionId, "cancel");
    for (const run of live.isGroup ? live.operations : [live]) {
      run.update({ message: "Cancelling" });
      run.controller.abort(new CancelledError("The session was cancelled"));
    }
    if (live.isGroup) {
      const closed = Promise.all([...live.operations].map((run) => run.ended))
        .then(() => this.#closeManual(live, "cancelled"));
      live.isClosing = true;
      if (!await within(closed, CANCEL_WAIT_MS)) {
        closed.catch((error) => this.#state.report(`Cannot cancel ${sessionId}`, error));
      }
    } else {
      await within(live.ended, CANCEL_WAIT_MS);
    }
    return this.#view.find(sessionId);
  }

  /**
   * The session's events after `lastEventId`, as far as they are kept, then those to come; ends after the last one. Of a
   * session that is over only the last event is kept. Progress is coalesced for a reader that is slow.
   * @throws EngineError at the call: `not-found`; `conflict` where 64 clients follow the session
   */
  events(sessionId: string, options: { lastEventId?: number; signal: AbortSignal }): AsyncIterable<SessionEvent> {
    return this.#view.events(sessionId, options.lastEventId ?? 0, options.signal);
  }

  /** Sums over every run that ended, however it did, since the server's first start. */
  totals(): Metrics {
    return metricsOf(this.#state.metrics.totals());
  }

  /** Operations that run now. */
  activeCount(): number {
    return this.#running.size;
  }

  /**
   * Refuses what is new, stops every run and waits up to `graceMs`; then marks as `interrupted` what still runs. Ends all
   * event streams. Manual sessions stay open for the next start. Never rejects.
   */
  async shutdown(graceMs: number): Promise<void> {
    this.#isStopping = true;
    for (const live of this.#running) {
      if (!live.controller.signal.aborted) live.stopsAs = "interrupted";
      live.controller.abort(new CancelledError("The server is stopping"));
    }
    await within(Promise.all([...this.#running].map((live) => live.ended)), graceMs);
    await Promise.all([...this.#running].map((live) => {
      const end = endOfStop("interrupted", live.snapshot(), "Interrupted: the server was stopped");
      return this.#end(live, end, null);
    }));
    for (const live of this.#live.values()) live.suspend();
    await this.#retry.stop();
  }

  #create(session: Session, parent?: LiveSession): LiveSession {
    return this.#hold({ sequence: this.#store.nextSequence(), eventId: 0, session }, parent);
  }

  #hold(entry: StoredSession, parent?: LiveSession): LiveSession {
    const live = new LiveSession({ store: this.#store, report: this.#state.report, entry, parent });
    this.#live.set(live.id, live);
    return live;
  }

  async #insert(live: LiveSession): Promise<void> {
    try {
      await this.#store.insert(live.entry());
    } catch (error) {
      this.#running.delete(live);
      this.#forget(live);
      // The write may have reached the disk all the same, and nothing would ever end such a session.
      this.#retry.add(`Cannot store ${live.id}`, () => this.#store.remove(live.sequence), error);
      throw error;
    }
  }

  async #execute<T>(
    live: LiveSession,
    outcome: (result: T) => RunOutcome,
    work: (job: JobContext) => Promise<T>,
  ): Promise<T> {
    const startedAt = performance.now();
    const { signal } = live.controller;
    let end: RunEnd;
    let settle: () => T;
    try {
      signal.throwIfAborted();
      const result = await work({ sessionId: live.id, signal, progress: (update) => live.update(update) });
      end = endOfSuccess(result, outcome(result));
      settle = () => result;
    } catch (error) {
      const isExpected = error instanceof EngineError || isCancellation(error);
      if (!isExpected) this.#state.report(`The operation of ${live.id} failed unexpectedly`, error);
      end = endOfError(error, live.stopsAs, live.snapshot());
      settle = () => {
        throw error;
      };
    }
    await this.#end(live, end, performance.now() - startedAt);
    return settle();
  }

  /** Stores and publishes the end of a run, once: the first end counts. */
  async #end(live: LiveSession, end: RunEnd, durationMs: number | null): Promise<void> {
    if (live.isEnding) return await live.ended;
    const entry = live.prepareEnd({ ...end.session, completedAt: new Date().toISOString() });
    const store = async () => {
      const figures = { ...end.figures, durationMs };
      await this.#store.finish(entry, end.result, figures, eventOfEnd(entry.session, figures));
      this.#forget(live);
      this.#onEnd();
    };
    try {
      await store();
    } catch (error) {
      this.#retry.add(`Cannot store the end of ${live.id}`, store, error);
    }
    this.#running.delete(live);
    live.publishEnd(entry.session);
  }

  #forget(live: LiveSession): void {
    this.#live.delete(live.id);
    live.parent?.operations.delete(live);
    live.parent?.follow();
  }

  async #closeManual(
    live: LiveSession,
    status: "completed" | "cancelled" | "failed",
    error: Session["error"] = null,
  ): Promise<void> {
    if (live.isEnding) return await live.ended;
    const end = { ...manualEnd(this.#store, live.sequence, status), error };
    const entry = live.prepareEnd(end);
    try {
      await this.#store.finish(entry, JSON.stringify(end.result), null);
    } catch (error) {
      live.resume();
      live.isClosing = false;
      throw error;
    }
    this.#forget(live);
    live.publishEnd(entry.session);
  }

  #openParent(parentId: string): LiveSession {
    const live = this.#openSession(parentId, "join");
    if (!live.isGroup) throw conflict("Cannot join the session", "It was not started by hand");
    return live;
  }

  #openSession(sessionId: string, action: string): LiveSession {
    const live = this.#live.get(sessionId);
    if (live !== undefined && !live.isEnding && !(live.isClosing && action !== "cancel")) return live;
    const { status } = this.#view.find(sessionId);
    throw conflict(`Cannot ${action} the session`, live === undefined ? `It is ${status} already` : "It is ending");
  }
}

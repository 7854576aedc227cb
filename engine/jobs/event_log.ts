import { EngineError } from "../errors.ts";
import type { Session, SessionEvent } from "./types.ts";

/** Events that are kept for replay. A subscriber that falls behind further skips to the oldest kept. */
const KEPT_EVENTS = 128;
export const MAX_SUBSCRIBERS = 64;

/**
 * The events of one running session. Memory is bounded whatever subscribers do: each is only a position in the kept
 * events, and each event is a whole snapshot, so one that was skipped is not missed.
 */
export class EventLog {
  readonly #events: SessionEvent[] = [];
  readonly #subscriptions = new Set<Subscription>();
  #lastId: number;
  #isOver = false;

  /** @param lastId the newest id that was given before, 0 for none */
  constructor(lastId: number) {
    this.#lastId = lastId;
  }

  get lastId(): number {
    return this.#lastId;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  append(type: string, session: Session): void {
    if (this.#isOver) return;
    this.#events.push({ id: ++this.#lastId, type, session });
    if (this.#events.length > KEPT_EVENTS) this.#events.shift();
    for (const subscription of this.#subscriptions) subscription.wake();
  }

  /** Ends every subscription once it has had the events so far. */
  end(): void {
    this.#isOver = true;
    for (const subscription of this.#subscriptions) subscription.wake();
  }

  /** The oldest kept event after an id. */
  after(id: number): SessionEvent | undefined {
    return this.#events.find((event) => event.id > id);
  }

  /**
   * The kept events after an id, then those to come, until the log ends or the signal fires. One is subscribed from this
   * call on, until the iteration ends or the signal fires.
   * @throws EngineError `conflict` where {@link MAX_SUBSCRIBERS} are subscribed already
   */
  subscribe(after: number, signal: AbortSignal): AsyncIterableIterator<SessionEvent> {
    if (this.#subscriptions.size >= MAX_SUBSCRIBERS) {
      throw new EngineError(
        "conflict",
        "Cannot follow the session's events",
        `${MAX_SUBSCRIBERS} clients follow this session already`,
      );
    }
    const position = Math.min(after, this.#lastId);
    const subscription = new Subscription(this, position, signal, () => this.#subscriptions.delete(subscription));
    if (!signal.aborted) this.#subscriptions.add(subscription);
    return subscription;
  }
}

/** A position in a log. */
class Subscription implements AsyncIterableIterator<SessionEvent> {
  readonly #log: EventLog;
  readonly #signal: AbortSignal;
  readonly #onEnd: () => void;
  #position: number;
  #isOpen = true;
  #changed: PromiseWithResolvers<void> | undefined;

  constructor(log: EventLog, position: number, signal: AbortSignal, onEnd: () => void) {
    this.#log = log;
    this.#position = position;
    this.#signal = signal;
    this.#onEnd = onEnd;
    signal.addEventListener("abort", this.#close);
    if (signal.aborted) this.#isOpen = false;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<SessionEvent>> {
    while (this.#isOpen) {
      const event = this.#log.after(this.#position);
      if (event !== undefined) {
        this.#position = event.id;
        return { done: false, value: event };
      }
      if (this.#log.isOver) break;
      this.#changed ??= Promise.withResolvers();
      await this.#changed.promise;
    }
    this.#close();
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<SessionEvent>> {
    this.#close();
    return Promise.resolve({ done: true, value: undefined });
  }

  wake(): void {
    this.#changed?.resolve();
    this.#changed = undefined;
  }

  readonly #close = (): void => {
    this.#isOpen = false;
    this.#signal.removeEventListener("abort", this.#close);
    this.#onEnd();
    this.wake();
  };
}

import type { Report } from "../../state/report.ts";
import { retryAt } from "./retry_schedule.ts";
import type { SendOutcome } from "./sender.ts";
import type { DeliveryFate, DueDelivery, WebhookDelivery, WebhookStore } from "./types.ts";

/** Deliveries at once to one receiver, so that a slow one holds up no other. */
const LANES = 8;
const RETRY_STORE_MS = 1_000;
/** A timer's longest wait. */
const MAX_WAIT_MS = 60_000;
const GONE = 410;

export interface DispatcherOptions {
  store: WebhookStore;
  sender: { send(delivery: DueDelivery, signal: AbortSignal): Promise<SendOutcome>; close(): void };
  report: Report;
}

/**
 * Empties the outbox: sends what is due, stores how it went, and waits for what comes next. A delivery stays in the outbox until its end
 * is on disk, so it may arrive twice after a kill, and never not at all.
 */
export class WebhookDispatcher {
  readonly #options: DispatcherOptions;
  readonly #stop = new AbortController();
  /** By subscription, then by delivery: each is sent once at a time. */
  readonly #running = new Map<string, Map<number, Promise<void>>>();
  readonly #waiters = new Map<number, PromiseWithResolvers<void>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isPlanned = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** There may be something to send. Cheap; call it whenever something was added. */
  wake(): void {
    if (this.#isPlanned || this.#stop.signal.aborted) return;
    this.#isPlanned = true;
    queueMicrotask(() => {
      this.#isPlanned = false;
      this.#fill();
    });
  }

  /** Resolves once this delivery has been tried, with how that went, or will not be any more; undefined where it is gone. */
  async tried(id: number): Promise<WebhookDelivery | undefined> {
    if (this.#options.store.delivery(id)?.status !== "pending") return this.#options.store.delivery(id);
    const waiter = this.#waiters.get(id) ?? Promise.withResolvers<void>();
    this.#waiters.set(id, waiter);
    this.wake();
    await waiter.promise;
    return this.#options.store.delivery(id);
  }

  /** To be called where subscriptions have ended: who waits for deliveries that will not be tried any more waits no longer. */
  settle(): void {
    for (const [id, waiter] of this.#waiters) {
      if (this.#options.store.delivery(id)?.status === "pending") continue;
      waiter.resolve();
      this.#waiters.delete(id);
    }
  }

  /** Ends what is under way; it is sent again after the next start. */
  async close(): Promise<void> {
    this.#stop.abort(new Error("the server is stopping"));
    clearTimeout(this.#timer);
    await Promise.all([...this.#running.values()].flatMap((running) => [...running.values()]));
    for (const waiter of this.#waiters.values()) waiter.resolve();
    this.#options.sender.close();
  }

  /** Starts what is due and fits, and plans the next look. */
  #fill(): void {
    clearTimeout(this.#timer);
    if (this.#stop.signal.aborted) return;
    const now = Date.now();
    let nextAt = Infinity;
    try {
      for (const { subscriptionId, at } of this.#options.store.waiting()) {
        // What is full is looked at again when one of its deliveries ends.
        if (at > now) nextAt = Math.min(nextAt, at);
        else this.#fillLanes(subscriptionId, now);
      }
    } catch (error) {
      this.#options.report("Cannot read the webhooks' outbox", error);
      nextAt = now + RETRY_STORE_MS;
    }
    if (nextAt === Infinity) return;
    this.#timer = setTimeout(() => this.#fill(), Math.min(nextAt - now, MAX_WAIT_MS));
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  #fillLanes(subscriptionId: string, now: number): void {
    const running = this.#running.get(subscriptionId) ?? new Map<number, Promise<void>>();
    this.#running.set(subscriptionId, running);
    if (running.size === LANES) return;
    for (const delivery of this.#options.store.due(subscriptionId, now, 2 * LANES)) {
      if (running.size === LANES) return;
      if (running.has(delivery.id)) continue;
      const done = this.#deliver(delivery).finally(() => {
        running.delete(delivery.id);
        this.wake();
      });
      running.set(delivery.id, done);
    }
  }

  async #deliver(delivery: DueDelivery): Promise<void> {
    const startedAt = Date.now();
    const { statusCode, error, retryAfterMs } = await this.#options.sender.send(delivery, this.#stop.signal);
    if (this.#stop.signal.aborted && error !== null) return;
    const at = new Date(startedAt).toISOString();
    const attempt = { at, durationMs: Date.now() - startedAt, statusCode, error };
    const fate: DeliveryFate = error === null
      ? { status: "delivered" }
      : retryAt(delivery, Date.now(), retryAfterMs) ?? { status: "failed" };
    await this.#record(() => this.#options.store.record(delivery, attempt, fate, statusCode === GONE));
    this.#waiters.get(delivery.id)?.resolve();
    this.#waiters.delete(delivery.id);
    if (statusCode === GONE) this.settle();
  }

  /** While the disk takes nothing the delivery keeps its lane, so that it is not sent over and over. */
  async #record(store: () => Promise<void>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        return await store();
      } catch (error) {
        this.#options.report("Cannot store how a webhook's delivery went; it is tried again", error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_STORE_MS));
      }
    }
    await store().catch((error) => this.#options.report("Cannot store how a webhook's delivery went", error));
  }
}

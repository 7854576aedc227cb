/** Webhooks: subscriptions, an outbox that loses no event, and its delivery as the Standard Webhooks specification has it. */
import { randomUUID } from "node:crypto";
import type { Report } from "../../state/report.ts";
import { AllowList } from "./address.ts";
import { WebhookDispatcher } from "./dispatcher.ts";
import { UrlGuard } from "./guard.ts";
import { WebhookSender } from "./sender.ts";
import { newSecret } from "./signature.ts";
import type {
  DeliveryQuery,
  WebhookDelivery,
  WebhookEvent,
  WebhookEventType,
  WebhookStore,
  WebhookSubscription,
} from "./types.ts";

export { isAllowEntry } from "./address.ts";
export { ForbiddenUrlError, UnknownHostError } from "./guard.ts";
export { isSecret } from "./signature.ts";
export * from "./types.ts";

export interface WebhooksOptions {
  store: WebhookStore;
  /** Host names, addresses and networks that may be private. */
  allow: string[];
  report: Report;
}

/** What can be done with webhooks, while the server runs. */
export class Webhooks {
  readonly #store: WebhookStore;
  readonly #guard: UrlGuard;
  readonly #dispatcher: WebhookDispatcher;

  constructor({ store, allow, report }: WebhooksOptions) {
    this.#store = store;
    this.#guard = new UrlGuard(new AllowList(allow));
    this.#dispatcher = new WebhookDispatcher({ store, sender: new WebhookSender(this.#guard), report });
  }

  /** There may be something in the outbox, such as after a start: nothing is sent before the first call. */
  wake(): void {
    this.#dispatcher.wake();
  }

  /** Oldest first. */
  list(): WebhookSubscription[] {
    return this.#store.subscriptions();
  }

  find(id: string): WebhookSubscription | undefined {
    return this.#store.subscriptions().find((subscription) => subscription.id === id);
  }

  /**
   * @param input.secret `whsec_` and base64; made here where none is given
   * @throws ForbiddenUrlError or UnknownHostError for the URL, EngineError `conflict` where there are too many
   */
  async subscribe(
    input: { url: string; events: WebhookEventType[]; description: string; secret?: string },
  ): Promise<{ subscription: WebhookSubscription; secret: string }> {
    const { url, events, description, secret = newSecret() } = input;
    await this.#guard.check(url);
    const id = `whk_${randomUUID()}`;
    const createdAt = new Date().toISOString();
    const subscription = { id, url, events, description, createdAt, disabledAt: null };
    await this.#store.subscribe(subscription, secret);
    return { subscription, secret };
  }

  /** False where there is none. */
  async unsubscribe(id: string): Promise<boolean> {
    const isRemoved = await this.#store.unsubscribe(id);
    this.#dispatcher.settle();
    return isRemoved;
  }

  deliveries(query: DeliveryQuery): WebhookDelivery[] {
    return this.#store.deliveries(query);
  }

  delivery(id: number): WebhookDelivery | undefined {
    return this.#store.delivery(id);
  }

  /** Sends a `webhook.test` to a subscription and tells how the first try went. */
  async test(subscriptionId: string): Promise<WebhookDelivery | undefined> {
    const event: WebhookEvent = {
      id: `msg_${randomUUID()}`,
      type: "webhook.test",
      payload: JSON.stringify({ type: "webhook.test", timestamp: new Date().toISOString(), data: {} }),
    };
    return await this.#dispatcher.tried(await this.#store.add(subscriptionId, event));
  }

  /** Sends the event of a delivery once more and tells how the first try went; undefined where there is no such delivery. */
  async redeliver(deliveryId: number): Promise<WebhookDelivery | undefined> {
    const id = await this.#store.repeat(deliveryId);
    return id === undefined ? undefined : await this.#dispatcher.tried(id);
  }

  close(): Promise<void> {
    return this.#dispatcher.close();
  }
}

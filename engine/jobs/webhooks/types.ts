/** Webhooks as the rest of the program sees them. */

export const WEBHOOK_EVENTS = [
  "sync.completed",
  "sync.failed",
  "backup.completed",
  "backup.failed",
  "restore.completed",
  "restore.failed",
  "cloud.completed",
  "cloud.failed",
] as const;

export type WebhookEventType = typeof WEBHOOK_EVENTS[number];

/** Something that happened, as every subscriber is told it. */
export interface WebhookEvent {
  /** `msg_` and a UUID; the `webhook-id` of all its deliveries, so that a receiver can tell a repetition. */
  id: string;
  /** `webhook.test` is sent only where a user asks for it. */
  type: WebhookEventType | "webhook.test";
  /** JSON, under 20 kB. */
  payload: string;
}

/** Where events are sent. */
export interface WebhookSubscription {
  id: string;
  url: string;
  events: WebhookEventType[];
  description: string;
  /** ISO 8601 UTC. */
  createdAt: string;
  /** Null while it is active. The receiver has ended it with the status 410. */
  disabledAt: string | null;
}

/** One event on its way to one subscription. */
export interface WebhookDelivery {
  id: number;
  subscriptionId: string;
  eventId: string;
  event: WebhookEvent["type"];
  /** `failed`: given up, after the last try. */
  status: "pending" | "delivered" | "failed";
  createdAt: string;
  /** Null where there will be none. */
  nextAttemptAt: string | null;
  attempts: WebhookAttempt[];
}

/** One try to deliver. */
export interface WebhookAttempt {
  at: string;
  durationMs: number;
  /** Of the answer; null where there was none. */
  statusCode: number | null;
  /** Why it does not count as delivered; null where it does. */
  error: string | null;
}

/** A delivery whose time has come. Times are milliseconds since 1970. */
export interface DueDelivery {
  id: number;
  subscriptionId: string;
  url: string;
  secret: string;
  event: WebhookEvent;
  createdAt: number;
  /** Tries so far. */
  attempts: number;
}

/** What becomes of a delivery after a try. */
export type DeliveryFate =
  | { status: "delivered" | "failed" }
  /** Milliseconds since 1970. */
  | { status: "pending"; nextAttemptAt: number };

/** Subscriptions, and the outbox of what they have yet to be told. Writes resolve once they are on disk. */
export interface WebhookStore {
  /** Oldest first, at most {@link MAX_SUBSCRIPTIONS}. */
  subscriptions(): WebhookSubscription[];
  /** @throws EngineError `conflict` where there are {@link MAX_SUBSCRIPTIONS} */
  subscribe(subscription: WebhookSubscription, secret: string): Promise<void>;
  /** Forgets it with its deliveries; false where there is none. */
  unsubscribe(id: string): Promise<boolean>;
  /** Sends an event to one subscription; the delivery's id. */
  add(subscriptionId: string, event: WebhookEvent): Promise<number>;
  /** Sends the event of a delivery once more, as a delivery of its own; undefined where there is no such delivery. */
  repeat(deliveryId: number): Promise<number | undefined>;
  delivery(id: number): WebhookDelivery | undefined;
  /** Newest first. */
  deliveries(query: DeliveryQuery): WebhookDelivery[];
  /** Those whose time has come, oldest first. */
  due(subscriptionId: string, now: number, limit: number): DueDelivery[];
  /** Active subscriptions with a pending delivery and the time of the next try. */
  waiting(): { subscriptionId: string; at: number }[];
  /** Stores a try and what becomes of the delivery. `ends`: the receiver wants no more, so nothing is sent there again. */
  record(delivery: DueDelivery, attempt: WebhookAttempt, fate: DeliveryFate, ends: boolean): Promise<void>;
}

export interface DeliveryQuery {
  subscriptionId: string;
  /** 1 to 1,000. */
  limit: number;
  /** Only those with a smaller id. */
  before?: number;
  status?: WebhookDelivery["status"];
}

export const MAX_SUBSCRIPTIONS = 100;

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { EngineError } from "../errors.ts";
import {
  type DeliveryFate,
  type DeliveryQuery,
  type DueDelivery,
  MAX_SUBSCRIPTIONS,
  type WebhookAttempt,
  type WebhookDelivery,
  type WebhookEvent,
  type WebhookStore,
  type WebhookSubscription,
} from "../jobs/webhooks/types.ts";
import type { SqlValue, Statement } from "./protocol.ts";
import * as sql from "./webhook_sql.ts";
import type { Writer } from "./writer.ts";

const KEPT_EVENTS = 10_000;
const KEPT_MS = 30 * 24 * 60 * 60 * 1_000;

type Times<T, K extends keyof T> = Omit<T, K> & Record<K, number | null>;
type SubscriptionRow = Times<Omit<WebhookSubscription, "events">, "createdAt" | "disabledAt"> & { events: string };
type DeliveryRow = Times<Omit<WebhookDelivery, "attempts">, "createdAt" | "nextAttemptAt">;
type DueRow = Omit<DueDelivery, "event"> & { eventId: string; type: WebhookEvent["type"]; payload: string };

/** What a session's end adds to the outbox, in the transaction that ends it and before the statement that does. */
export function outboxOfEnd(sequence: number, event: WebhookEvent): Statement[] {
  const now = Date.now();
  const parameters = [event.id, event.type, event.payload, now, sequence];
  return [
    { sql: sql.ADD_EVENT_OF_END, parameters },
    { sql: sql.ADD_DELIVERIES_OF_END, parameters },
    ...forgetOld(now),
  ];
}

/** A few at a time, so that no write takes long; with their events deliveries and tries go. */
function forgetOld(now: number): Statement[] {
  return [
    { sql: sql.DROP_OLD, parameters: [now - KEPT_MS] },
    { sql: sql.DROP_BEYOND, parameters: [KEPT_EVENTS] },
  ];
}

/** The {@link WebhookStore} in the state's database. Secrets are in it as they are, since signing needs them. */
export class SqliteWebhookStore implements WebhookStore {
  readonly #reader: DatabaseSync;
  readonly #writer: Writer;
  readonly #compiled = new Map<string, StatementSync>();

  constructor(reader: DatabaseSync, writer: Writer) {
    this.#reader = reader;
    this.#writer = writer;
  }

  subscriptions(): WebhookSubscription[] {
    return this.#all<SubscriptionRow>(sql.SUBSCRIPTIONS).map((row) => ({
      ...row,
      events: JSON.parse(row.events),
      createdAt: iso(row.createdAt) as string,
      disabledAt: iso(row.disabledAt),
    }));
  }

  async subscribe(subscription: WebhookSubscription, secret: string): Promise<void> {
    const { id, url, events, description, createdAt } = subscription;
    const parameters = [
      id,
      url,
      JSON.stringify(events),
      description,
      secret,
      Date.parse(createdAt),
      MAX_SUBSCRIPTIONS,
    ];
    const [added] = await this.#writer.write([{ sql: sql.SUBSCRIBE, parameters }]);
    if (added === 1) return;
    const details = `There may be ${MAX_SUBSCRIPTIONS}: delete one that is not needed`;
    throw new EngineError("conflict", "There are too many subscriptions", details);
  }

  async unsubscribe(id: string): Promise<boolean> {
    const [removed] = await this.#writer.write([
      { sql: sql.UNSUBSCRIBE, parameters: [id] },
      { sql: sql.DROP_ORPHANS, parameters: [] },
    ]);
    return removed === 1;
  }

  async add(subscriptionId: string, event: WebhookEvent): Promise<number> {
    const now = Date.now();
    await this.#writer.write([
      { sql: sql.ADD_EVENT, parameters: [event.id, event.type, event.payload, now] },
      { sql: sql.ADD_DELIVERY, parameters: [event.id, subscriptionId, now] },
      ...forgetOld(now),
    ]);
    return this.#newest(event.id, subscriptionId);
  }

  async repeat(deliveryId: number): Promise<number | undefined> {
    const first = this.delivery(deliveryId);
    if (first === undefined) return undefined;
    const [added] = await this.#writer.write([{ sql: sql.REPEAT, parameters: [deliveryId, Date.now()] }]);
    return added === 1 ? this.#newest(first.eventId, first.subscriptionId) : undefined;
  }

  delivery(id: number): WebhookDelivery | undefined {
    const [row] = this.#all<DeliveryRow>(sql.FIND, id);
    return row && this.#toDelivery(row);
  }

  deliveries({ subscriptionId, limit, before = Number.MAX_SAFE_INTEGER, status }: DeliveryQuery): WebhookDelivery[] {
    const rows = status === undefined
      ? this.#all<DeliveryRow>(sql.PAGE, subscriptionId, before, limit)
      : this.#all<DeliveryRow>(sql.PAGE_OF_STATUS, subscriptionId, status, before, limit);
    return rows.map((row) => this.#toDelivery(row));
  }

  due(subscriptionId: string, now: number, limit: number): DueDelivery[] {
    return this.#all<DueRow>(sql.DUE, subscriptionId, now, limit).map(({ eventId, type, payload, ...row }) => ({
      ...row,
      event: { id: eventId, type, payload },
    }));
  }

  waiting(): { subscriptionId: string; at: number }[] {
    return this.#all(sql.WAITING);
  }

  async record(delivery: DueDelivery, attempt: WebhookAttempt, fate: DeliveryFate, ends: boolean): Promise<void> {
    const { at, durationMs, statusCode, error } = attempt;
    const nextAttemptAt = fate.status === "pending" ? fate.nextAttemptAt : null;
    const statements: Statement[] = [
      { sql: sql.ADD_ATTEMPT, parameters: [delivery.id, Date.parse(at), durationMs, statusCode, error] },
      { sql: sql.SET_FATE, parameters: [delivery.id, fate.status, nextAttemptAt] },
    ];
    if (ends) {
      statements.push({ sql: sql.DISABLE, parameters: [delivery.subscriptionId, Date.now()] });
      statements.push({ sql: sql.END_PENDING, parameters: [delivery.subscriptionId] });
    }
    await this.#writer.write(statements);
  }

  #newest(eventId: string, subscriptionId: string): number {
    return this.#all<{ id: number }>(sql.NEWEST, eventId, subscriptionId)[0].id;
  }

  #toDelivery(row: DeliveryRow): WebhookDelivery {
    const attempts = this.#all<Times<WebhookAttempt, "at">>(sql.ATTEMPTS, row.id);
    return {
      ...row,
      createdAt: iso(row.createdAt) as string,
      nextAttemptAt: iso(row.nextAttemptAt),
      attempts: attempts.map((attempt) => ({ ...attempt, at: iso(attempt.at) as string })),
    };
  }

  #all<T>(text: string, ...parameters: SqlValue[]): T[] {
    let statement = this.#compiled.get(text);
    if (statement === undefined) {
      statement = this.#reader.prepare(text);
      this.#compiled.set(text, statement);
    }
    return statement.all(...parameters) as T[];
  }
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

/** Webhooks. */
import { z } from "@hono/zod-openapi";
import { isSecret, WEBHOOK_EVENTS } from "../../engine/jobs/webhooks/mod.ts";
import { idParams, numberedPage, text, timestamp } from "./common.ts";

const event = z.enum(WEBHOOK_EVENTS);

export const SubscribeBody = z.strictObject({
  url: text(1, 2048).openapi({ example: "https://your-app.com/webhook" }),
  events: z.array(event).min(1).max(WEBHOOK_EVENTS.length)
    .refine((list) => new Set(list).size === list.length, "must not name an event twice")
    .openapi({ example: ["sync.completed", "sync.failed"] }),
  description: text(0, 1024).default(""),
  secret: text(1, 128).refine(isSecret, "must be whsec_ and the base64 of 24 to 64 bytes").optional().openapi({
    description: "`whsec_` and the base64 of 24 to 64 bytes; made by the server where it is left out.",
  }),
}).openapi("SubscribeRequest");

export const SubscriptionAnswer = z.object({
  id: z.string(),
  url: z.string(),
  events: z.array(event),
  description: z.string(),
  createdAt: timestamp,
  disabledAt: timestamp.nullable().openapi({
    description: "Null while it is active. A receiver ends its subscription by answering 410.",
  }),
}).openapi("Subscription");

export const CreatedSubscriptionAnswer = SubscriptionAnswer.extend({
  secret: z.string().openapi({ description: "Verifies signatures; shown this once." }),
}).openapi("CreatedSubscription");

export const SubscriptionListAnswer = z.object({ webhooks: z.array(SubscriptionAnswer), totalCount: z.int().min(0) })
  .openapi("SubscriptionList");

export const DeliveryAnswer = z.object({
  id: z.int(),
  subscriptionId: z.string(),
  eventId: z.string().openapi({ description: "The header `webhook-id` of each try." }),
  event: z.enum([...WEBHOOK_EVENTS, "webhook.test"]),
  status: z.enum(["pending", "delivered", "failed"]),
  createdAt: timestamp,
  nextAttemptAt: timestamp.nullable(),
  attempts: z.array(z.object({
    at: timestamp,
    durationMs: z.int(),
    statusCode: z.int().nullable(),
    error: z.string().nullable(),
  })),
}).openapi("Delivery");

export const DeliveryListAnswer = z.object({
  deliveries: z.array(DeliveryAnswer),
  nextCursor: z.string().nullable(),
}).openapi("DeliveryList");

export const DeliveryParams = idParams.extend({
  deliveryId: z.string().min(1).max(128).openapi({ param: { name: "deliveryId", in: "path" } }),
});

export const DeliveryQueryParams = z.strictObject({
  ...numberedPage,
  status: z.enum(["pending", "delivered", "failed"]).optional(),
});

import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { ForbiddenUrlError, UnknownHostError, type WebhookSubscription } from "../../engine/jobs/webhooks/mod.ts";
import type { StoredAnswer } from "../../engine/state/mod.ts";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import { ApiError, errorBody, invalidRequest } from "../errors.ts";
import { needs } from "../middleware/authentication.ts";
import { cursorAfter, errorAnswers, idParams, jsonAnswer } from "../schemas/common.ts";
import {
  CreatedSubscriptionAnswer,
  DeliveryAnswer,
  DeliveryListAnswer,
  DeliveryParams,
  DeliveryQueryParams,
  SubscribeBody,
  SubscriptionListAnswer,
} from "../schemas/webhooks.ts";

const PATH = `${BASE_PATH}/webhooks`;
const common = { tags: ["Webhooks"], ...needs("admin") };
const TRIED = "How the first try went. It goes on trying where that failed.";

const subscribe = createRoute({
  ...common,
  method: "post",
  path: `${PATH}/subscribe`,
  summary: "Subscribes a URL to events",
  description:
    "Events are sent as the Standard Webhooks specification has it, signed with the secret that this answer holds, this " +
    "once. A URL that leads into a private network is refused unless `SYNCLINE_WEBHOOK_ALLOW` names it.",
  request: { body: { required: true, content: { "application/json": { schema: SubscribeBody } } } },
  responses: { 201: jsonAnswer(CreatedSubscriptionAnswer, "Subscribed"), ...errorAnswers(400, 409, 413, 503) },
});

const list = createRoute({
  ...common,
  method: "get",
  path: PATH,
  summary: "Lists subscriptions, oldest first",
  responses: { 200: jsonAnswer(SubscriptionListAnswer, "The subscriptions, without their secrets"), ...errorAnswers() },
});

const remove = createRoute({
  ...common,
  method: "delete",
  path: `${PATH}/{id}`,
  summary: "Deletes a subscription, with what it has yet to be sent",
  request: { params: idParams },
  responses: { 204: { description: "Deleted" }, ...errorAnswers(404, 503) },
});

const deliveries = createRoute({
  ...common,
  method: "get",
  path: `${PATH}/{id}/deliveries`,
  summary: "Lists what was sent to a subscription, newest first, with every try",
  description: "Kept for 30 days, of the newest 10,000 events.",
  request: { params: idParams, query: DeliveryQueryParams },
  responses: { 200: jsonAnswer(DeliveryListAnswer, "A page of deliveries"), ...errorAnswers(400, 404) },
});

const redeliver = createRoute({
  ...common,
  method: "post",
  path: `${PATH}/{id}/deliveries/{deliveryId}/redeliver`,
  summary: "Sends an event once more",
  request: { params: DeliveryParams },
  responses: { 200: jsonAnswer(DeliveryAnswer, TRIED), ...errorAnswers(400, 404, 409, 503) },
});

const test = createRoute({
  ...common,
  method: "post",
  path: `${PATH}/{id}/test`,
  summary: "Sends a `webhook.test` to a subscription",
  request: { params: idParams },
  responses: { 200: jsonAnswer(DeliveryAnswer, TRIED), ...errorAnswers(404, 409, 503) },
});

export function registerWebhooks(app: OpenAPIHono<AppEnv>, { webhooks }: AppDependencies): void {
  const find = (id: string): WebhookSubscription => {
    const subscription = webhooks.find(id);
    if (subscription !== undefined) return subscription;
    throw notFound("Subscription not found", `There is no webhook with the id ${JSON.stringify(id)}.`);
  };
  const findActive = (id: string) => {
    if (find(id).disabledAt === null) return;
    const details = "Its receiver answered 410: delete it and subscribe again.";
    throw new ApiError(409, "CONFLICT", "The subscription has ended", details);
  };

  app.openapi(subscribe, async (c) => {
    const { subscription, secret } = await webhooks.subscribe(c.req.valid("json")).catch((error) => {
      if (!(error instanceof ForbiddenUrlError || error instanceof UnknownHostError)) throw error;
      throw invalidRequest(`"url" ${error instanceof UnknownHostError ? "cannot be used: " : ""}${error.message}`);
    });
    c.set("storedAnswer", alreadySubscribed(subscription.id));
    return c.json({ ...subscription, secret }, 201);
  });
  app.openapi(list, (c) => {
    const all = webhooks.list();
    return c.json({ webhooks: all, totalCount: all.length }, 200);
  });
  app.openapi(remove, async (c) => {
    const { id } = find(c.req.valid("param").id);
    await webhooks.unsubscribe(id);
    return c.body(null, 204);
  });
  app.openapi(deliveries, (c) => {
    const { id: subscriptionId } = find(c.req.valid("param").id);
    const { limit, cursor: before, status } = c.req.valid("query");
    const page = webhooks.deliveries({ subscriptionId, limit, before, status });
    return c.json({ deliveries: page, nextCursor: cursorAfter(page, limit) }, 200);
  });
  app.openapi(redeliver, async (c) => {
    const { id, deliveryId: written } = c.req.valid("param");
    findActive(id);
    const deliveryId = /^\d{1,15}$/.test(written) ? Number(written) : 0;
    const isThere = webhooks.delivery(deliveryId)?.subscriptionId === id;
    const delivery = isThere ? await webhooks.redeliver(deliveryId) : undefined;
    if (delivery !== undefined) return c.json(delivery, 200);
    throw notFound("Delivery not found", `The webhook has no delivery with the id ${JSON.stringify(written)}.`);
  });
  app.openapi(test, async (c) => {
    const { id } = c.req.valid("param");
    findActive(id);
    const delivery = await webhooks.test(id);
    if (delivery !== undefined) return c.json(delivery, 200);
    throw notFound("Subscription not found", "The webhook was deleted meanwhile.");
  });
}

function notFound(message: string, details: string): ApiError {
  return new ApiError(404, "NOT_FOUND", message, details);
}

/** A repeated request is not shown the secret again, so that no stored answer holds it. */
function alreadySubscribed(id: string): StoredAnswer {
  const details =
    `The first request made ${id}, and its answer held the secret. Where it was lost, delete the webhook.`;
  const body = errorBody(new ApiError(409, "CONFLICT", "The subscription was made already", details));
  return { status: 409, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { KeyStore, StoredAnswer } from "../../engine/state/mod.ts";
import { CONFIGURED_KEY_NAME } from "../admin_token.ts";
import { type AppEnv, BASE_PATH } from "../environment.ts";
import { ApiError, errorBody, invalidRequest } from "../errors.ts";
import { needs } from "../middleware/authentication.ts";
import { errorAnswers, idParams, jsonAnswer } from "../schemas/common.ts";
import { CreatedKeyAnswer, CreateKeyBody, KeyListAnswer } from "../schemas/keys.ts";

const PATH = `${BASE_PATH}/keys`;
const tags = ["Keys"];

const create = createRoute({
  method: "post",
  path: PATH,
  summary: "Makes an API key",
  description: "The answer holds the token, this once: a request repeated with an `Idempotency-Key` is a 409.",
  tags,
  ...needs("admin"),
  request: { body: { required: true, content: { "application/json": { schema: CreateKeyBody } } } },
  responses: { 201: jsonAnswer(CreatedKeyAnswer, "Made"), ...errorAnswers(400, 409, 413) },
});

const list = createRoute({
  method: "get",
  path: PATH,
  summary: "Lists API keys, oldest first",
  tags,
  ...needs("admin"),
  responses: { 200: jsonAnswer(KeyListAnswer, "The keys, without their tokens"), ...errorAnswers() },
});

const remove = createRoute({
  method: "delete",
  path: `${PATH}/{id}`,
  summary: "Deletes an API key",
  description: "It stops working at once. The last key with the scope `admin` stays (409).",
  tags,
  ...needs("admin"),
  request: { params: idParams },
  responses: { 204: { description: "Deleted" }, ...errorAnswers(404, 409) },
});

/** A repeated request cannot be shown the token: nothing has it any more. */
function alreadyMade(id: string): StoredAnswer {
  const details =
    `The key ${id} was made by the first request, whose answer held the token. Where it was lost, delete the key.`;
  const body = errorBody(new ApiError(409, "CONFLICT", "The key was made already", details));
  return { status: 409, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

export function registerKeys(app: OpenAPIHono<AppEnv>, keys: KeyStore): void {
  app.openapi(create, async (c) => {
    const { name, scopes } = c.req.valid("json");
    if (name === CONFIGURED_KEY_NAME) throw invalidRequest(`"name" must not be ${name}: that key is the server's own.`);
    const { key, token } = await keys.create({ name, scopes });
    c.set("storedAnswer", alreadyMade(key.id));
    return c.json({ ...key, token }, 201);
  });
  app.openapi(list, (c) => {
    const all = keys.list();
    return c.json({ keys: all, totalCount: all.length }, 200);
  });
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    if (await keys.delete(id)) return c.body(null, 204);
    throw new ApiError(404, "NOT_FOUND", "Key not found", `There is no API key with the id ${JSON.stringify(id)}.`);
  });
}

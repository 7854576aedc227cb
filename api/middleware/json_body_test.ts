import assert from "node:assert/strict";
import { Hono } from "hono";
import type { AppEnv } from "../environment.ts";
import { errorAnswer, toApiError } from "../errors.ts";
import { jsonBody } from "./json_body.ts";

function post(body: BodyInit, headers: Record<string, string> = {}, timeoutMs?: number): Promise<Response> {
  const app = new Hono<AppEnv>();
  app.post("/", jsonBody({ timeoutMs }), async (c) => c.body(await c.req.text()));
  app.onError((error) => errorAnswer(toApiError(error, false)));
  const all = { "Content-Type": "application/json", ...headers };
  return Promise.resolve(app.request("/", { method: "POST", headers: all, body }));
}

Deno.test("a body that stops arriving is 400 after the timeout, and read no further", async () => {
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"a":')),
    cancel: () => cancelled.resolve(),
  });
  const answer = await post(body, {}, 20);
  assert.equal(answer.status, 400);
  assert.match((await answer.json()).details, /did not arrive within 0.02 s/);
  await cancelled.promise;
});

Deno.test("a compressed body is 400, and says so", async () => {
  const answer = await post("{}", { "Content-Encoding": "gzip" });
  assert.equal(answer.status, 400);
  assert.match((await answer.json()).details, /Content-Encoding/);
  assert.equal((await post("{}", { "Content-Encoding": "identity" })).status, 200);
});

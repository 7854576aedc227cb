import assert from "node:assert/strict";
import { EngineError } from "../../engine/errors.ts";
import { assertError, RESULT, startTestApp } from "../testing.ts";

const keyed = (key: string) => ({ headers: { "idempotency-key": key } });

Deno.test("the same request again gets the first answer and does nothing", async () => {
  await using test = await startTestApp();
  const first = await test.sync({}, keyed("one"));
  const again = await test.sync({}, keyed("one"));
  assert.deepEqual([again.status, again.text], [first.status, first.text]);
  assert.deepEqual([first.headers.get("idempotency-replayed"), again.headers.get("idempotency-replayed")], [
    null,
    "true",
  ]);
  assert.equal(again.headers.get("content-type"), first.headers.get("content-type"));
  assert.equal(test.requests.length, 1);
  await test.sync({}, keyed("two"));
  const other = await test.makeKey(["sync"]);
  await test.sync({}, { ...keyed("one"), token: other.token });
  assert.equal(test.requests.length, 3);
});

Deno.test("another body or route under the same key is CONFLICT", async () => {
  await using test = await startTestApp();
  await test.sync({}, keyed("one"));
  assertError(await test.sync({ dryRun: true }, keyed("one")), 409, "CONFLICT");
  const started = await test.send("POST", "/sync/session/start", { ...keyed("one"), body: {} });
  assertError(started, 409, "CONFLICT");
  assert.equal(test.requests.length, 1);
});

Deno.test("requests that come while the first runs wait for its answer", async () => {
  await using test = await startTestApp();
  const { promise, resolve } = Promise.withResolvers<typeof RESULT>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  test.onSync(() => {
    begin();
    return promise;
  });
  const first = test.sync({}, keyed("one"));
  await begun;
  const others = [test.sync({}, keyed("one")), test.sync({}, keyed("one"))];
  assertError(await test.sync({ dryRun: true }, keyed("one")), 409, "CONFLICT");
  resolve(RESULT);
  const texts = (await Promise.all([first, ...others])).map(({ text }) => text);
  assert.equal(new Set(texts).size, 1);
  assert.equal(test.requests.length, 1);
});

Deno.test("a failure is not an answer to keep: the next request does the work", async () => {
  await using test = await startTestApp();
  test.onSync(() => Promise.reject(new EngineError("sync-failed", "It failed", "for now")));
  assertError(await test.sync({}, keyed("one")), 500, "SYNC_FAILED");
  test.onSync(() => Promise.resolve(RESULT));
  assert.equal((await test.sync({}, keyed("one"))).status, 200);
  // A refusal of the request itself is one.
  test.onSync(() => Promise.reject(new EngineError("conflict", "It failed", "a limit")));
  assertError(await test.sync({}, keyed("two")), 409, "CONFLICT");
  test.onSync(() => Promise.resolve(RESULT));
  const again = await test.sync({}, keyed("two"));
  assert.equal(assertError(again, 409, "CONFLICT"), "a limit");
});

Deno.test("a new key's token is not kept for a repeated request", async () => {
  await using test = await startTestApp();
  const body = { name: "k", scopes: ["read"] };
  const made = await test.send("POST", "/keys", { ...keyed("one"), body });
  assert.equal(made.status, 201);
  const again = await test.send("POST", "/keys", { ...keyed("one"), body });
  assert.match(assertError(again, 409, "CONFLICT"), new RegExp(made.body.id));
  assert.ok(!again.text.includes(made.body.token));
  assert.equal((await test.send("GET", "/keys")).body.totalCount, 2);
});

Deno.test("a key that is no plain word is 400", async () => {
  await using test = await startTestApp();
  for (const key of ["", "a b", "x".repeat(256)]) assertError(await test.sync({}, keyed(key)), 400, "INVALID_REQUEST");
});

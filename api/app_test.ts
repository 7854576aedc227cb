/** What holds for every route: shapes, headers, limits, authentication. */
import assert from "node:assert/strict";
import { EngineError, type ErrorKind } from "../engine/errors.ts";
import { assertError, startTestApp } from "./testing.ts";

Deno.test("unknown paths are 404 and wrong methods 405 with Allow, outside the base path too", async () => {
  await using test = await startTestApp();
  assertError(await test.send("GET", "/nowhere"), 404, "NOT_FOUND");
  assertError(await test.send("GET", "//nowhere", { token: null }), 404, "NOT_FOUND");
  const cases: [string, string, string][] = [
    ["PUT", "/sync/files", "POST"],
    ["GET", "/sync/session/start", "DELETE, POST"],
    ["PATCH", "/sync/session/abc/status", "GET, HEAD"],
    ["DELETE", "/keys", "GET, HEAD, POST"],
    ["POST", "//livez", "GET, HEAD"],
    ["DELETE", "//openapi.json", "GET, HEAD"],
  ];
  for (const [method, path, allow] of cases) {
    const answer = await test.send(method, path);
    assertError(answer, 405, "INVALID_REQUEST");
    assert.equal(answer.headers.get("allow"), allow, `${method} ${path}`);
  }
});

Deno.test("nothing under the base path answers without a token, unknown paths included", async () => {
  await using test = await startTestApp();
  for (const path of ["/health", "/nowhere", "/keys", ""]) {
    const answer = await test.send("GET", path, { token: null });
    assertError(answer, 401, "UNAUTHORIZED");
    assert.equal(answer.headers.get("www-authenticate"), 'Bearer realm="syncline"');
  }
  const wrong = await test.send("GET", "/health", { token: "wrong" });
  assertError(wrong, 401, "UNAUTHORIZED");
  assert.match(wrong.headers.get("www-authenticate") ?? "", /error="invalid_token"/);
  assertError(
    await test.send("GET", "/health", { token: null, headers: { authorization: "Basic YTpi" } }),
    401,
    "UNAUTHORIZED",
  );
});

Deno.test("failed authentication is limited by address; a valid key passes all the same", async () => {
  await using test = await startTestApp();
  const guess = (address: string) => test.send("GET", "/health", { token: "guess", address });
  for (let tries = 0; tries < 20; tries++) assert.equal((await guess("192.0.2.1")).status, 401);
  const limited = await guess("192.0.2.1");
  assertError(limited, 429, "RATE_LIMITED");
  assert.ok(Number(limited.headers.get("retry-after")) >= 1);
  assert.match(limited.headers.get("ratelimit-policy") ?? "", /^"authentication";q=20;w=60$/);
  assert.equal((await guess("192.0.2.2")).status, 401);
  assert.equal((await test.send("GET", "/health", { address: "192.0.2.1" })).status, 200);
});

Deno.test("a key without the scope is 403, which names it", async () => {
  await using test = await startTestApp();
  const reader = await test.makeKey(["read"]);
  const answer = await test.sync({}, { token: reader.token });
  assert.match(assertError(answer, 403, "FORBIDDEN"), /\bsync\b.*\bread\b/);
  assert.match(answer.headers.get("www-authenticate") ?? "", /error="insufficient_scope", scope="sync"/);
  assert.equal(test.requests.length, 0);
  const syncer = await test.makeKey(["sync"]);
  assertError(await test.send("GET", "/health", { token: syncer.token }), 403, "FORBIDDEN");
  assertError(await test.send("GET", "/keys", { token: reader.token }), 403, "FORBIDDEN");
});

Deno.test("the rate limit is per key, announced on every answer, errors included", async () => {
  await using test = await startTestApp({ rateLimit: 3 });
  const other = await test.makeKey(["read"]);
  const paths = ["/health", "/nowhere", "/health"];
  for (const [index, path] of paths.entries()) {
    const { headers } = await test.send("GET", path);
    assert.equal(headers.get("x-ratelimit-limit"), "3");
    assert.equal(headers.get("x-ratelimit-remaining"), String(2 - index));
    assert.ok(Number(headers.get("x-ratelimit-reset")) * 1000 > Date.now());
    assert.equal(headers.get("ratelimit-policy"), '"default";q=3;w=60');
    assert.match(headers.get("ratelimit") ?? "", new RegExp(`^"default";r=${2 - index};t=\\d+$`));
  }
  const limited = await test.send("GET", "/health");
  assertError(limited, 429, "RATE_LIMITED");
  assert.ok(Number(limited.headers.get("retry-after")) <= 60);
  assert.equal(limited.headers.get("ratelimit-policy"), '"default";q=3;w=60');
  assert.match(limited.headers.get("ratelimit") ?? "", /^"default";r=0;t=\d+$/);
  assert.equal((await test.send("GET", "/health", { token: other.token })).status, 200);
  const probe = await test.send("GET", "//livez", { token: null });
  assert.deepEqual([probe.status, probe.headers.get("x-ratelimit-limit")], [200, "3"]);
});

Deno.test("a sane request id is kept, any other replaced, and each is in the log line of its request", async () => {
  await using test = await startTestApp();
  const kept = await test.send("GET", "/health?token=hidden-thing", { headers: { "x-request-id": "job-7:a.b" } });
  assert.equal(kept.headers.get("x-request-id"), "job-7:a.b");
  const replaced = await test.send("GET", "/health", { headers: { "x-request-id": "a b" } });
  const other = await test.send("GET", "/health", { headers: { "x-request-id": "a b" } });
  for (const { headers } of [replaced, other]) {
    assert.match(headers.get("x-request-id") ?? "", /^[0-9a-f]{16}-[0-9a-z]+$/);
  }
  assert.notEqual(replaced.headers.get("x-request-id"), other.headers.get("x-request-id"));
  const line = (await test.logged()).find(({ requestId }) => requestId === "job-7:a.b");
  assert.ok(line !== undefined);
  const { message, method, path, status, ms, keyId } = line;
  assert.deepEqual({ message, method, path, status }, {
    message: "request",
    method: "GET",
    path: "/api/v1/health",
    status: 200,
  });
  assert.equal(typeof ms, "number");
  assert.equal(keyId, test.state.keys.list()[0].id);
});

Deno.test("the log shows an answered probe at debug, and everything else, a refused probe too, at info", async () => {
  await using test = await startTestApp();
  await test.send("GET", "/health");
  await test.send("GET", "//livez", { token: null });
  await test.send("GET", "/health", { token: "wrong" });
  await test.send("GET", "/keys");
  await test.send("GET", "/nowhere");
  const requests = (await test.logged()).filter(({ message }) => message === "request");
  assert.deepEqual(requests.map(({ level, path, status }) => `${level} ${path} ${status}`), [
    "debug /api/v1/health 200",
    "debug /livez 200",
    "info /api/v1/health 401",
    "info /api/v1/keys 200",
    "info /api/v1/nowhere 404",
  ]);
});

Deno.test("a key that was used and then deleted is refused", async () => {
  await using test = await startTestApp();
  const { id, token } = await test.makeKey(["read"]);
  assert.equal((await test.send("GET", "/health", { token })).status, 200);
  assert.equal((await test.send("DELETE", `/keys/${id}`)).status, 204);
  assertError(await test.send("GET", "/health", { token }), 401, "UNAUTHORIZED");
});

Deno.test("answers are neither sniffed nor cached", async () => {
  await using test = await startTestApp();
  for (const path of ["/health", "/nowhere", "//livez"]) {
    const { headers } = await test.send("GET", path);
    assert.deepEqual([headers.get("content-type"), headers.get("cache-control")], ["application/json", "no-store"]);
  }
  const { headers } = await test.send("GET", "//docs");
  assert.match(headers.get("content-type") ?? "", /^text\/html/);
  assert.equal(headers.get("x-content-type-options"), "nosniff");
});

Deno.test("each kind of the engine's errors has its status and code; a defect shows nothing of itself", async () => {
  await using test = await startTestApp();
  const kinds: [ErrorKind, number, string][] = [
    ["invalid", 400, "INVALID_REQUEST"],
    ["forbidden", 403, "FORBIDDEN"],
    ["not-found", 404, "NOT_FOUND"],
    ["conflict", 409, "CONFLICT"],
    ["sync-failed", 500, "SYNC_FAILED"],
    ["backup-failed", 500, "BACKUP_FAILED"],
    ["wrong-password", 403, "FORBIDDEN"],
    ["damaged", 500, "BACKUP_FAILED"],
    ["storage-unavailable", 503, "CLOUD_ERROR"],
    ["unavailable", 503, "UNAVAILABLE"],
  ];
  for (const [kind, status, code] of kinds) {
    test.onSync(() => Promise.reject(new EngineError(kind, "It failed", "why it failed")));
    const answer = await test.sync();
    assert.equal(assertError(answer, status, code), "why it failed");
    assert.equal(answer.body.message, "It failed");
    assert.equal(answer.headers.has("retry-after"), status === 503);
  }
  test.onSync(() => Promise.reject(new TypeError("secret inner words")));
  const answer = await test.sync({}, { headers: { "x-request-id": "defect-1" } });
  assertError(answer, 500, "INTERNAL_ERROR");
  assert.doesNotMatch(answer.text, /secret inner words|\.ts:/);
  assert.ok((await test.logged()).some((line) => line.requestId === "defect-1" && line.level === "error"));
  test.onSync(() => Promise.reject("no error at all"));
  const odd = await test.sync();
  assertError(odd, 500, "INTERNAL_ERROR");
  assert.ok(odd.headers.has("x-request-id") && !odd.text.includes("no error at all"));
});

Deno.test("bodies: over 1 MiB is 413, by length and chunked; no JSON, no UTF-8, too deep, another type are 400", async () => {
  await using test = await startTestApp();
  const post = (body: unknown, headers?: Record<string, string>) => test.send("POST", "/sync/files", { body, headers });
  const long = `{"a":"${"x".repeat(1024 * 1024)}"}`;
  assertError(await post(long, { "content-length": String(long.length) }), 413, "PAYLOAD_TOO_LARGE");

  let pulled = 0;
  const endless = new ReadableStream({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(64 * 1024).fill(0x20));
    },
  });
  assertError(await post(endless), 413, "PAYLOAD_TOO_LARGE");
  assert.ok(pulled < 20, `${pulled} pieces were read`);

  assert.match(assertError(await post('{\n"a": 1,}'), 400, "INVALID_REQUEST"), /line 2 column/);
  assertError(await post(""), 400, "INVALID_REQUEST");
  assert.match(assertError(await post("[".repeat(65) + "]".repeat(65)), 400, "INVALID_REQUEST"), /deep/);
  assert.match(
    assertError(await post("a=b", { "content-type": "text/plain" }), 400, "INVALID_REQUEST"),
    /Content-Type/,
  );
  const broken = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array([0x22, 0xff, 0x22]));
      controller.close();
    },
  });
  assert.match(assertError(await post(broken), 400, "INVALID_REQUEST"), /UTF-8/);
  assert.match(assertError(await post('{"password":"hunter2",}'), 400, "INVALID_REQUEST"), /^(?!.*hunter2)/);
});

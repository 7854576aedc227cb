/** Sessions, keys, monitoring and the API's own description. */
import assert from "node:assert/strict";
import { poll } from "../../tests/harness/poll.ts";
import { assertError, startTestApp, type TestApp } from "../testing.ts";

async function startManual(test: TestApp) {
  const body = { sourceLocation: "System1", targetLocation: "System2", syncType: "Full" };
  const answer = await test.send("POST", "/sync/session/start", { body });
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

Deno.test("a session started by hand has the reference's fields, completes once, and sums up", async () => {
  await using test = await startTestApp();
  const { startedAt, sessionId, ...rest } = await startManual(test);
  assert.match(startedAt, /Z$/);
  assert.deepEqual(rest, { sourceIdentifier: "System1", targetIdentifier: "System2", status: "pending" });
  await test.sync({ sessionId });
  const completed = await test.send("POST", `/sync/session/${sessionId}/complete`);
  assert.deepEqual([completed.status, completed.body.status, completed.body.result.changesApplied], [
    200,
    "completed",
    42,
  ]);
  assertError(await test.send("POST", `/sync/session/${sessionId}/complete`), 409, "CONFLICT");
  assertError(await test.send("POST", "/sync/session/session-none/complete"), 404, "NOT_FOUND");
  assertError(await test.send("GET", "/sync/session/session-none/status"), 404, "NOT_FOUND");
  assertError(await test.send("DELETE", "/sync/session/session-none"), 404, "NOT_FOUND");
});

Deno.test("the list pages newest first; a bad query is 400 and named", async () => {
  await using test = await startTestApp();
  const made = [];
  for (let index = 0; index < 5; index++) made.unshift((await startManual(test)).sessionId);
  const first = (await test.send("GET", "/sync/session?limit=3")).body;
  const second = (await test.send("GET", `/sync/session?limit=3&cursor=${encodeURIComponent(first.nextCursor)}`)).body;
  const ids = [...first.sessions, ...second.sessions].map(({ sessionId }) => sessionId);
  assert.deepEqual([ids, first.totalCount, second.nextCursor], [made, 5, null]);
  for (const query of ["limit=0", "limit=201", "limit=x", "status=asleep", "cursor=%00", "colour=red"]) {
    const details = assertError(await test.send("GET", `/sync/session?${query}`), 400, "INVALID_REQUEST");
    assert.match(details, new RegExp(`"${query.split("=")[0]}"`));
  }
});

Deno.test("events replay after an id and end with the last; unknown sessions and ids are errors", async () => {
  await using test = await startTestApp();
  const { sessionId } = (await test.sync()).body;
  const path = `/sync/session/${sessionId}/events`;
  const { text, headers } = await test.send("GET", path);
  assert.match(headers.get("content-type") ?? "", /^text\/event-stream/);
  const last = /id: (\d+)\nevent: completed\ndata: (.*)\n\n$/.exec(text);
  assert.ok(last !== null, text);
  assert.equal(JSON.parse(last[2]).sessionId, sessionId);
  assert.match((await test.send("GET", `${path}?lastEventId=${Number(last[1]) - 1}`)).text, /event: completed/);
  const after = await test.send("GET", path, { headers: { "last-event-id": last[1] } });
  assert.doesNotMatch(after.text, /event: progress/);
  assertError(await test.send("GET", path, { headers: { "last-event-id": "-1" } }), 400, "INVALID_REQUEST");
  assertError(await test.send("GET", "/sync/session/session-none/events"), 404, "NOT_FOUND");
});

Deno.test("keys are made, listed without secrets, and deleted; the last admin stays", async () => {
  await using test = await startTestApp();
  const made = await test.send("POST", "/keys", { body: { name: "nightly", scopes: ["read", "sync"] } });
  assert.equal(made.status, 201, made.text);
  assert.match(made.body.token, /^syncline_[\w-]{43}$/);
  assert.equal((await test.send("GET", "/health", { token: made.body.token })).status, 200);
  const listed = await test.send("GET", "/keys");
  assert.deepEqual([listed.body.totalCount, listed.text.includes(made.body.token)], [2, false]);
  assert.equal((await test.send("DELETE", `/keys/${made.body.id}`)).status, 204);
  assertError(await test.send("GET", "/health", { token: made.body.token }), 401, "UNAUTHORIZED");
  assertError(await test.send("DELETE", `/keys/${made.body.id}`), 404, "NOT_FOUND");
  assertError(await test.send("DELETE", `/keys/${listed.body.keys[0].id}`), 409, "CONFLICT");
  for (const scopes of [[], ["root"], ["read", "read"], "read", undefined]) {
    const answer = await test.send("POST", "/keys", { body: { name: "x", scopes } });
    assert.match(assertError(answer, 400, "INVALID_REQUEST"), /"scopes/);
  }
  const reserved = await test.send("POST", "/keys", { body: { name: "SYNCLINE_TOKEN", scopes: ["read"] } });
  assertError(reserved, 400, "INVALID_REQUEST");
});

Deno.test("health has the reference's fields, and is 503 once the database does not answer", async () => {
  await using test = await startTestApp();
  const { status, body } = await test.send("GET", "/health");
  assert.deepEqual([status, body.details.database], [200, "connected"]);
  assert.deepEqual(Object.keys(body), ["status", "timestamp", "details"]);
  await test.state.close();
  const unhealthy = await poll("the next measurement", async () => {
    const answer = await test.send("GET", "/health");
    return answer.status === 503 ? answer : undefined;
  });
  assert.deepEqual([unhealthy.body.status, unhealthy.body.details.database], ["unhealthy", "unavailable"]);
});

Deno.test("metrics are the reference's JSON, or Prometheus text where that is asked for", async () => {
  await using test = await startTestApp();
  await test.sync();
  const { body } = await test.send("GET", "/metrics");
  assert.deepEqual([body.totalSyncOperations, body.successfulSyncs, body.totalDataTransferred], [1, 1, 1000]);
  assert.deepEqual(body.cloudStorageUsage, { azure: 0, s3: 0, local: 0 });
  const asked = [
    await test.send("GET", "/metrics?format=prometheus"),
    await test.send("GET", "/metrics", { headers: { accept: "text/plain;version=0.0.4" } }),
  ];
  for (const { text, headers } of asked) {
    assert.match(headers.get("content-type") ?? "", /^text\/plain/);
    assert.match(text, /^syncline_sync_operations_total 1$/m);
    assert.match(text, /^syncline_pool_workers 2$/m);
    assert.match(text, /_count\{method="POST",route="\/api\/v1\/sync\/files",status="200"\} 1$/m);
  }
  assertError(await test.send("GET", "/metrics?format=xml"), 400, "INVALID_REQUEST");
});

Deno.test("an unknown path is no label of its own in the metrics", async () => {
  await using test = await startTestApp();
  await test.send("GET", "/nowhere-7261");
  const { text } = await test.send("GET", "/metrics?format=prometheus");
  assert.match(text, /route="unmatched",status="404"/);
  assert.ok(!text.includes("nowhere-7261"));
});

Deno.test("probes need no token", async () => {
  await using test = await startTestApp();
  for (const path of ["//livez", "//readyz"]) {
    const answer = await test.send("GET", path, { token: null });
    assert.deepEqual([answer.status, answer.body], [200, { status: "ok" }]);
  }
});

Deno.test("the API's description is OpenAPI 3.1 and covers every route under the base path", async () => {
  await using test = await startTestApp();
  const { body } = await test.send("GET", "//openapi.json", { token: null });
  assert.equal(body.openapi, "3.1.0");
  for (const { method, path } of test.app.routes) {
    if (method === "ALL" || path.endsWith("*") || !path.startsWith("/api/")) continue;
    const operation = body.paths[path.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
    assert.ok(operation !== undefined, `${method} ${path}`);
    assert.ok(operation.security[0].bearer.length === 1 && operation.responses[401] !== undefined, `${method} ${path}`);
  }
  const request = body.components.schemas.SyncFilesRequest;
  assert.deepEqual(request.required, ["sourceDirectory", "targetDirectory"]);
  assert.equal(request.additionalProperties, false);
});

Deno.test("the reference page and what it loads come from here, under a policy without inline scripts", async () => {
  await using test = await startTestApp();
  const page = await test.send("GET", "//docs", { token: null });
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-security-policy") ?? "", /script-src 'self';/);
  assert.doesNotMatch(page.text, /https?:/);
  for (const [, path] of page.text.matchAll(/(?:src|href)="([^"]+)"/g)) {
    const asset = await test.send("GET", `/${path}`, { token: null });
    assert.equal(asset.status, 200, path);
    assert.ok(asset.text.length > 50);
  }
});

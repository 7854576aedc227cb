import assert from "node:assert/strict";
import { CancelledError } from "../../engine/errors.ts";
import { poll } from "../../tests/harness/poll.ts";
import { assertError, RESULT, startTestApp } from "../testing.ts";

Deno.test("the reference's request reaches the engine with its defaults, and its answer has the reference's fields", async () => {
  await using test = await startTestApp();
  const answer = await test.sync({ verifyIntegrity: true, excludePatterns: ["*.tmp", "*.bak"] });
  assert.equal(answer.status, 200, answer.text);
  const { sessionId, ...result } = answer.body;
  assert.match(sessionId, /^session-/);
  assert.deepEqual(result, RESULT);
  assert.deepEqual(test.requests, [{
    sourceDirectory: `${test.root}/source`,
    targetDirectory: `${test.root}/target`,
    deleteMissingInTarget: false,
    verifyIntegrity: true,
    excludePatterns: ["*.tmp", "*.bak"],
    includePatterns: [],
    direction: "one-way",
    conflictStrategy: "SourceWins",
    dryRun: false,
    trashRetentionDays: 30,
    preservePermissions: true,
  }]);
  const session = await test.send("GET", `/sync/session/${sessionId}/status`);
  assert.deepEqual([session.body.status, session.body.result], ["completed", answer.body]);
});

Deno.test("fields that are unknown, wrong or not supported yet are 400, and named", async () => {
  await using test = await startTestApp();
  const cases: [object, RegExp][] = [
    [{ deleteMissingTarget: true }, /"deleteMissingTarget" is not a field/],
    [{ sourceDirectory: undefined }, /"sourceDirectory" is required/],
    [{ sourceDirectory: "relative" }, /"sourceDirectory" must be an absolute path/],
    [{ targetDirectory: "/a\0b" }, /"targetDirectory" .*NUL/],
    [{ targetDirectory: "/\ud800" }, /"targetDirectory" .*well-formed/],
    [{ targetDirectory: `/${"x".repeat(4096)}` }, /"targetDirectory" .*4096 bytes/],
    [{ dryRun: "yes" }, /"dryRun" must be of type boolean, not string/],
    [{ maxDelete: -1 }, /"maxDelete" must be at least 0/],
    [{ maxDelete: 1.5 }, /"maxDelete"/],
    [{ direction: "sideways" }, /"direction" must be one of one-way, two-way/],
    [{ excludePatterns: ["ok", 5] }, /"excludePatterns.1" must be of type string/],
  ];
  for (const [fields, details] of cases) {
    assert.match(assertError(await test.sync(fields), 400, "INVALID_REQUEST"), details);
  }
  assert.equal(test.requests.length, 0);
});

Deno.test("with respond-async the answer is the session, at once, and the work goes on", async () => {
  await using test = await startTestApp();
  const { promise, resolve } = Promise.withResolvers<typeof RESULT>();
  test.onSync(() => promise);
  const answer = await test.sync({}, { headers: { prefer: "wait=10, Respond-Async" } });
  assert.equal(answer.status, 202, answer.text);
  assert.equal(answer.headers.get("preference-applied"), "respond-async");
  const location = answer.headers.get("location") ?? "";
  assert.equal(location, `/api/v1/sync/session/${answer.body.sessionId}/status`);
  assert.deepEqual([answer.body.status, answer.body.result], ["in-progress", null]);
  resolve(RESULT);
  await poll("the session's end", async () => (await test.send("GET", `/${location}`)).body.status === "completed");
});

Deno.test("a cancelled run is 409 for whoever waits, and 503 when the server is stopping", async () => {
  await using test = await startTestApp();
  test.onSync((_request, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
  );
  const waiting = test.sync();
  const { sessionId } = await poll(
    "the session",
    async () => (await test.send("GET", "/sync/session?status=in-progress")).body.sessions[0],
  );
  const cancelled = await test.send("DELETE", `/sync/session/${sessionId}`);
  assert.deepEqual([cancelled.status, cancelled.body.status], [200, "cancelled"]);
  assert.match(assertError(await waiting, 409, "CONFLICT"), /cancelled/);
  assertError(await test.send("DELETE", `/sync/session/${sessionId}`), 409, "CONFLICT");

  test.stopping.abort();
  test.onSync(() => Promise.reject(new CancelledError("stopping")));
  const stopped = await test.sync();
  assertError(stopped, 503, "UNAVAILABLE");
  assert.ok(stopped.headers.has("retry-after"));
  assert.deepEqual((await test.send("GET", "//readyz")).status, 503);
});

Deno.test("a run joins the session that its body names, which must be there", async () => {
  await using test = await startTestApp();
  const started = await test.send("POST", "/sync/session/start", {
    body: { sourceLocation: "System1", targetLocation: "System2", syncType: "Full" },
  });
  const { sessionId } = started.body;
  const { body } = await test.sync({ sessionId });
  const run = await test.send("GET", `/sync/session/${body.sessionId}/status`);
  assert.equal(run.body.parentId, sessionId);
  assertError(await test.sync({ sessionId: "session-none" }), 404, "NOT_FOUND");
});

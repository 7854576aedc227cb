/** Sessions: of operations and by hand, listing, cancelling, and clients that do not wait. */
import assert from "node:assert/strict";
import { assertSameTree } from "../harness/compare.ts";
import { poll } from "../harness/poll.ts";
import type { Json } from "../harness/server.ts";
import { filesIn, fillSource, sessionEnd, sessionStatus, startSync } from "../harness/sessions.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError, makePair, postSync, sync, TIMESTAMP } from "../harness/sync.ts";

const server = sharedServer();
const SYSTEMS = { sourceLocation: "System1", targetLocation: "System2", syncType: "Full" };

async function startManual(): Promise<Json> {
  const answer = await server().request("POST", "/sync/session/start", SYSTEMS);
  assert.ok(answer.status === 200 || answer.status === 201, answer.text);
  return answer.body;
}

Deno.test("a session started by hand answers as the reference says", async () => {
  const started = await startManual();
  assert.deepEqual([started.sourceIdentifier, started.targetIdentifier], ["System1", "System2"]);
  assert.match(started.startedAt, TIMESTAMP);
  assert.match(started.sessionId, /^session-/);
  const status = await sessionStatus(server(), started.sessionId);
  assert.equal(status.sessionId, started.sessionId);
  assert.ok(["pending", "in-progress"].includes(status.status), status.status);
  assert.deepEqual([status.result, status.completedAt], [null, null]);
  assert.equal(typeof status.progressPercentage, "number");
  assert.equal(typeof status.message, "string");
  assert.match(status.createdAt, TIMESTAMP);
});

Deno.test("a session by hand gathers its operations, and complete sums them up", async () => {
  const { sessionId } = await startManual();
  const [first, second] = [await makePair(server()), await makePair(server())];
  await fillSource(first.source, 3);
  await fillSource(second.source, 5);
  await sync(server(), first, { sessionId });
  await sync(server(), second, { sessionId });
  const completed = await server().request("POST", `/sync/session/${sessionId}/complete`);
  assert.equal(completed.status, 200, completed.text);
  const status = await sessionStatus(server(), sessionId);
  assert.equal(status.status, "completed");
  assert.equal(status.progressPercentage, 100);
  assert.match(status.completedAt, TIMESTAMP);
  assert.equal(status.result.success, true);
  assert.equal(status.result.changesApplied, 8);

  assertError(await server().request("POST", `/sync/session/${sessionId}/complete`), 409, "CONFLICT");
  assertError(await postSync(server(), first, { sessionId }), 409, "CONFLICT");
});

Deno.test("an operation cannot join a session that is not there", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 1);
  const sessionId = "session-00000000-0000-4000-8000-000000000000";
  assertError(await postSync(server(), pair, { sessionId }), 404, "NOT_FOUND");
  assert.deepEqual(await Array.fromAsync(Deno.readDir(pair.target)), []);
});

Deno.test("respond-async answers 202 with the session at once, and the session gets the result", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 20);
  const answer = await postSync(server(), pair, { bandwidthLimit: 1_000_000 }, {
    headers: { prefer: "respond-async" },
  });
  assert.equal(answer.status, 202, answer.text);
  const { sessionId } = answer.body;
  assert.equal(answer.headers.get("location"), `/api/v1/sync/session/${sessionId}/status`);
  assert.ok(["pending", "in-progress"].includes(answer.body.status), answer.body.status);
  assert.equal((await sessionStatus(server(), sessionId)).result, null);
  const ended = await sessionEnd(server(), sessionId);
  assert.deepEqual([ended.status, ended.progressPercentage], ["completed", 100], JSON.stringify(ended));
  assert.equal(ended.result.changesApplied, 20);
  assert.deepEqual([ended.result.success, ended.result.errors], [true, []]);
  assert.match(ended.completedAt, TIMESTAMP);
  await assertSameTree(pair.source, pair.target);
});

Deno.test("with respond-async, bad input is still an error at once", async () => {
  const pair = await makePair(server());
  const options = { headers: { prefer: "respond-async" } };
  assertError(await postSync(server(), { ...pair, source: "relative" }, {}, options), 400, "INVALID_REQUEST");
  assertError(await postSync(server(), { ...pair, source: server().outside }, {}, options), 403, "FORBIDDEN");
});

Deno.test("a run that fails says why in its session", async () => {
  const pair = await makePair(server());
  const sessionId = await startSync(server(), { ...pair, source: `${pair.source}/missing` });
  const ended = await sessionEnd(server(), sessionId);
  assert.equal(ended.status, "failed");
  assert.match(JSON.stringify(ended), /SYNC_FAILED/);
  assert.match(ended.completedAt, TIMESTAMP);
});

Deno.test("a client that goes away does not stop the work", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 40);
  const abort = new AbortController();
  const request = postSync(server(), pair, { bandwidthLimit: 1_500_000 }, { signal: abort.signal });
  await filesIn(pair.target, 2);
  abort.abort();
  await assert.rejects(request, { name: "AbortError" });
  await filesIn(pair.target, 40);
  const { sessions } = (await server().request("GET", "/sync/session?limit=1")).body;
  assert.equal((await sessionEnd(server(), sessions[0].sessionId)).status, "completed");
  await assertSameTree(pair.source, pair.target);
});

Deno.test("DELETE cancels a run, leaves whole files only, and the next run completes", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 100);
  const sessionId = await startSync(server(), pair, { bandwidthLimit: 500_000 });
  await filesIn(pair.target, 2);
  const cancelled = await server().request("DELETE", `/sync/session/${sessionId}`);
  assert.ok([200, 202, 204].includes(cancelled.status), cancelled.text);
  const ended = await sessionEnd(server(), sessionId);
  assert.equal(ended.status, "cancelled");
  for await (const { name } of Deno.readDir(pair.target)) {
    assert.match(name, /^file-\d+$/, "a temporary file was left");
    assert.equal((await Deno.stat(`${pair.target}/${name}`)).size, 50_000);
  }
  assertError(await server().request("DELETE", `/sync/session/${sessionId}`), 409, "CONFLICT");
  // What the cancelled run did is no change by someone else.
  assert.equal((await sync(server(), pair, { conflictStrategy: "Manual" })).conflictsEncountered, 0);
  await assertSameTree(pair.source, pair.target);
});

Deno.test("the request that waits for a cancelled run gets an error, not a success", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 100);
  const waiting = postSync(server(), pair, { bandwidthLimit: 500_000 });
  await filesIn(pair.target, 1);
  const { sessions } = (await server().request("GET", "/sync/session?limit=1")).body;
  await server().request("DELETE", `/sync/session/${sessions[0].sessionId}`);
  const answer = await waiting;
  assert.ok(answer.status >= 400, answer.text);
  assertError(answer, answer.status, answer.body.errorCode);
});

Deno.test("the list is newest first, pages without gaps or repeats, and filters", async () => {
  const made: string[] = [];
  for (let index = 0; index < 7; index++) made.unshift((await startManual()).sessionId);
  const page = async (query: string) => (await server().request("GET", `/sync/session?${query}`)).body;
  const newest = await page("limit=7");
  assert.deepEqual(newest.sessions.map(({ sessionId }: Json) => sessionId), made);
  assert.ok(newest.totalCount >= 7);

  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const body: Json = await page(`limit=3${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
    seen.push(...body.sessions.map(({ sessionId }: Json) => sessionId));
    cursor = body.nextCursor ?? null;
  } while (cursor !== null);
  assert.equal(new Set(seen).size, seen.length);
  assert.deepEqual(seen.slice(0, 7), made);
  assert.equal(seen.length, newest.totalCount);

  for (const { status } of (await page("status=completed&limit=50")).sessions) assert.equal(status, "completed");
});

Deno.test("progress never falls, and every answer is of the reference's form", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 60);
  const sessionId = await startSync(server(), pair, { bandwidthLimit: 2_000_000 });
  let last = 0;
  await poll("the end", async () => {
    const session = await sessionStatus(server(), sessionId);
    assert.ok(session.progressPercentage >= last && session.progressPercentage <= 100, JSON.stringify(session));
    last = session.progressPercentage;
    return session.status === "completed";
  });
  assert.equal(last, 100);
});

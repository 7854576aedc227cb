import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import { MANUAL, openTestSessions, start, untilStopped } from "./testing.ts";
import type { ManualResult } from "./types.ts";

const CONFLICT = (error: unknown) => error instanceof EngineError && error.kind === "conflict";

Deno.test("a manual session sums up the operations that carried its id", async () => {
  await using fixture = await openTestSessions();
  const { sessions } = fixture;
  const manual = await sessions.startManual({ ...MANUAL, keyId: "key-1" });
  assert.deepEqual([manual.status, manual.kind, manual.syncType, manual.keyId], ["pending", "manual", "Full", "key-1"]);
  const parentId = manual.sessionId;
  const good = await start(sessions, () => Promise.resolve({ changesApplied: 5 }), { parentId });
  const partial = await start(
    sessions,
    () => Promise.resolve({ success: false, errors: ["x: unreadable"] }),
    { parentId },
  );
  const failed = await start(sessions, () => {
    throw new EngineError("conflict", "Another run holds the target", "targetDirectory: /target");
  }, { parentId });
  assert.equal(good.session.parentId, parentId);
  await Promise.allSettled([good.done, partial.done, failed.done]);
  const status = await sessions.get(parentId);
  assert.deepEqual([status.status, status.progressPercentage, status.result], ["in-progress", 99, null]);
  assert.equal(status.message, "Operations: 3 ended, 0 running");

  const closed = await sessions.complete(parentId);
  assert.deepEqual([closed.status, closed.progressPercentage], ["completed", 100]);
  const { executionTimeMs, syncedAt, errors, ...result } = closed.result as ManualResult;
  assert.deepEqual(result, {
    success: false,
    changesApplied: 7,
    conflictsEncountered: 2,
    operations: 3,
    failedOperations: 2,
    bytesTransferred: 20,
  });
  assert.deepEqual(errors.toSorted(), [
    "/source → /target: Another run holds the target: targetDirectory: /target",
    "x: unreadable",
  ]);
  assert.equal(syncedAt, closed.completedAt);
  assert.ok(executionTimeMs >= 0);
  await assert.rejects(sessions.complete(parentId), CONFLICT);
  await assert.rejects(sessions.cancel(parentId), CONFLICT);
  await assert.rejects(start(sessions, untilStopped, { parentId }), CONFLICT);
});

Deno.test("an empty manual session completes with a success of nothing", async () => {
  await using fixture = await openTestSessions();
  const { sessionId } = await fixture.sessions.startManual(MANUAL);
  const { result } = await fixture.sessions.complete(sessionId);
  assert.equal((result as ManualResult).success, true);
  assert.equal((result as ManualResult).operations, 0);
});

Deno.test("a manual session cannot be completed while an operation of it starts or runs", async () => {
  await using fixture = await openTestSessions();
  const { sessions } = fixture;
  const { sessionId } = await sessions.startManual(MANUAL);
  const starting = start(sessions, untilStopped, { parentId: sessionId });
  await assert.rejects(sessions.complete(sessionId), CONFLICT);
  const run = await starting;
  await assert.rejects(sessions.complete(sessionId), CONFLICT);
  await sessions.cancel(run.session.sessionId);
  assert.equal((await sessions.complete(sessionId)).status, "completed");
});

Deno.test("of two that complete a session at once, one does", async () => {
  await using fixture = await openTestSessions();
  const { sessionId } = await fixture.sessions.startManual(MANUAL);
  const both = await Promise.allSettled([1, 2].map(() => fixture.sessions.complete(sessionId)));
  assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
});

Deno.test("cancelling a manual session cancels its operations and closes it", async () => {
  await using fixture = await openTestSessions();
  const { sessions } = fixture;
  const { sessionId } = await sessions.startManual(MANUAL);
  const runs = await Promise.all([1, 2, 3].map(() => start(sessions, untilStopped, { parentId: sessionId })));
  const starting = start(sessions, untilStopped, { parentId: sessionId });
  const cancelled = await sessions.cancel(sessionId);
  assert.equal(cancelled.status, "cancelled");
  assert.equal((cancelled.result as ManualResult).operations, 4);
  const late = await starting;
  for (const { session, done } of [...runs, late]) {
    await assert.rejects(done, { name: "CancelledError" });
    assert.equal((await sessions.get(session.sessionId)).status, "cancelled");
  }
  assert.equal(sessions.activeCount(), 0);
  await assert.rejects(start(sessions, untilStopped, { parentId: sessionId }), CONFLICT);
});

Deno.test("a manual session that is being cancelled takes no more operations", async () => {
  await using fixture = await openTestSessions();
  const { sessions } = fixture;
  const { sessionId } = await sessions.startManual(MANUAL);
  const gate = Promise.withResolvers<void>();
  const run = await start(sessions, async () => {
    await gate.promise;
    return {};
  }, { parentId: sessionId });
  const cancelled = sessions.cancel(sessionId);
  await assert.rejects(start(sessions, untilStopped, { parentId: sessionId }), CONFLICT);
  await assert.rejects(sessions.complete(sessionId), CONFLICT);
  gate.resolve();
  assert.equal((await cancelled).status, "cancelled");
  assert.equal((await sessions.get(run.session.sessionId)).status, "completed", "it ended well before it noticed");
});

Deno.test("only a session started by hand takes operations", async () => {
  await using fixture = await openTestSessions();
  const { session } = await start(fixture.sessions, untilStopped);
  await assert.rejects(start(fixture.sessions, untilStopped, { parentId: session.sessionId }), CONFLICT);
});

Deno.test("a manual session stays open over a restart and a crash, with its sums, and its event ids grow", async () => {
  await using fixture = await openTestSessions();
  const { sessionId } = await fixture.sessions.startManual(MANUAL);
  const parentId = sessionId;
  await (await start(fixture.sessions, () => Promise.resolve({}), { parentId })).done;
  const lastIds: number[] = [];
  const noteLastId = async () => {
    const abort = new AbortController();
    for await (const { id } of fixture.sessions.events(sessionId, { signal: abort.signal })) {
      lastIds.push(id);
      abort.abort();
    }
  };
  await noteLastId();
  await fixture.restart();
  await noteLastId();
  await (await start(fixture.sessions, () => Promise.resolve({}), { parentId })).done;
  await fixture.crash();
  await noteLastId();
  assert.equal((await fixture.sessions.get(sessionId)).status, "in-progress");
  const { result } = await fixture.sessions.complete(sessionId);
  assert.equal((result as ManualResult).operations, 2);
  assert.deepEqual(lastIds, [...new Set(lastIds)].sort((a, b) => a - b));
  assert.equal(lastIds.length, 3);
});

import assert from "node:assert/strict";
import { CancelledError, EngineError } from "../errors.ts";
import { poll } from "../../tests/harness/poll.ts";
import { MANUAL, openTestSessions, OUTCOME, start, untilStopped } from "./testing.ts";
import type { SessionEvent } from "./types.ts";

const KIND = (kind: string) => (error: unknown) => error instanceof EngineError && error.kind === kind;

Deno.test("a run is stored before its work starts, and its result before it is done", async () => {
  await using fixture = await openTestSessions();
  const { sessions } = fixture;
  const gate = Promise.withResolvers<void>();
  const { session, done } = await start(sessions, async (job) => {
    assert.equal(fixture.test.state.sessions.find(job.sessionId)?.session.status, "in-progress");
    job.progress({ percentage: 40.9, message: "Copying", figures: { filesDone: 4, broken: NaN } });
    await gate.promise;
    return { changesApplied: 7 };
  }, { keyId: "key-1" });
  assert.match(session.sessionId, /^session-[0-9a-f-]{36}$/);
  assert.deepEqual([session.status, session.keyId, session.result], ["in-progress", "key-1", null]);
  assert.equal(sessions.activeCount(), 1);
  const running = await sessions.get(session.sessionId);
  assert.deepEqual([running.progressPercentage, running.message], [40, "Copying"]);
  assert.deepEqual(running.progress, { filesDone: 4 });
  await assert.rejects(sessions.complete(session.sessionId), KIND("conflict"));

  gate.resolve();
  assert.deepEqual(await done, { changesApplied: 7 });
  assert.equal(sessions.activeCount(), 0);
  const ended = await sessions.get(session.sessionId);
  assert.deepEqual([ended.status, ended.progressPercentage, ended.message], ["completed", 100, "Completed"]);
  assert.deepEqual([ended.result, ended.error], [{ changesApplied: 7 }, null]);
  assert.ok(ended.completedAt !== null && ended.completedAt >= ended.createdAt);
  await fixture.restart();
  assert.deepEqual(await fixture.sessions.get(session.sessionId), ended);
});

Deno.test("progress never falls, is no more than 100, and reaches the disk", async () => {
  await using fixture = await openTestSessions();
  const { session } = await start(fixture.sessions, (job) => {
    for (const percentage of [10, 5, -3, NaN, Infinity, 70.5, 60]) job.progress({ percentage });
    return untilStopped(job);
  });
  assert.equal((await fixture.sessions.get(session.sessionId)).progressPercentage, 70);
  await poll(
    "progress on disk",
    () => fixture.test.state.sessions.find(session.sessionId)?.session.progressPercentage === 70,
  );
});

Deno.test("a run that throws is failed, in the API's words", async () => {
  await using fixture = await openTestSessions();
  const { sessions } = fixture;
  const refused = await start(sessions, () => {
    throw new EngineError("sync-failed", "The source cannot be read", "sourceDirectory: no such directory");
  });
  await assert.rejects(refused.done, KIND("sync-failed"));
  const failed = await sessions.get(refused.session.sessionId);
  assert.equal(failed.status, "failed");
  assert.deepEqual(failed.error, {
    errorCode: "SYNC_FAILED",
    message: "The source cannot be read",
    details: "sourceDirectory: no such directory",
  });

  const broken = await start(sessions, () => Promise.reject(new TypeError("password=hunter2 is not a function")));
  await assert.rejects(broken.done, TypeError);
  const session = await sessions.get(broken.session.sessionId);
  assert.equal(session.error?.errorCode, "INTERNAL_ERROR");
  assert.doesNotMatch(JSON.stringify(session), /hunter2/);
  assert.match(fixture.test.reports.join(), new RegExp(broken.session.sessionId));

  const unanswerable = await sessions.run({
    kind: "sync.files",
    sourceIdentifier: "/a",
    targetIdentifier: "/b",
    outcome: () => OUTCOME,
  }, () => Promise.resolve({ size: 1n }));
  await assert.rejects(unanswerable.done, TypeError);
  assert.equal((await sessions.get(unanswerable.session.sessionId)).status, "failed");
  assert.equal(sessions.totals().failedSyncs, 3);
});

Deno.test("a partial failure is completed, and counts as a failed sync", async () => {
  await using fixture = await openTestSessions();
  const errors = ["a: unreadable", "b: unreadable"];
  const { session, done } = await start(fixture.sessions, () => Promise.resolve({ success: false, errors }));
  await done;
  const ended = await fixture.sessions.get(session.sessionId);
  assert.deepEqual([ended.status, ended.message], ["completed", "Completed with 2 errors"]);
  await (await start(fixture.sessions, () => Promise.resolve({ bytesTransferred: 90 }))).done;
  await fixture.restart();
  const { averageSyncDuration, ...totals } = fixture.sessions.totals();
  assert.deepEqual(totals, {
    totalSyncOperations: 2,
    successfulSyncs: 1,
    failedSyncs: 1,
    totalDataTransferred: 100,
    cloudStorageUsage: { azure: 0, s3: 0, local: 0 },
  });
  assert.ok(Number.isInteger(averageSyncDuration) && averageSyncDuration >= 0);
});

Deno.test("cancel stops the work, waits for it and marks the run", async () => {
  await using fixture = await openTestSessions();
  const { sessions } = fixture;
  let isCleanedUp = false;
  const { session, done } = await start(sessions, async (job) => {
    try {
      return await untilStopped(job);
    } finally {
      await Promise.resolve();
      isCleanedUp = true;
    }
  });
  const cancelled = await sessions.cancel(session.sessionId);
  assert.ok(isCleanedUp);
  assert.deepEqual([cancelled.status, cancelled.error, cancelled.result], ["cancelled", null, null]);
  assert.ok(cancelled.completedAt);
  await assert.rejects(done, CancelledError);
  await assert.rejects(sessions.cancel(session.sessionId), KIND("conflict"));
  assert.equal(sessions.totals().failedSyncs, 1);
});

Deno.test("work that ends well in spite of a cancellation has ended well", async () => {
  await using fixture = await openTestSessions();
  const { session, done } = await start(fixture.sessions, async (job) => {
    await untilStopped(job).catch(() => {});
    return {};
  });
  assert.equal((await fixture.sessions.cancel(session.sessionId)).status, "completed");
  await done;
});

Deno.test("a session that is not there is not found", async () => {
  await using fixture = await openTestSessions();
  const { sessions } = fixture;
  const { signal } = new AbortController();
  await assert.rejects(sessions.get("session-none"), KIND("not-found"));
  await assert.rejects(sessions.complete("session-none"), KIND("not-found"));
  await assert.rejects(sessions.cancel("session-none"), KIND("not-found"));
  assert.throws(() => sessions.events("session-none", { signal }), KIND("not-found"));
  await assert.rejects(start(sessions, untilStopped, { parentId: "session-none" }), KIND("not-found"));
  assert.equal(sessions.activeCount(), 0);
});

Deno.test("lists page from the newest to the oldest, with live progress and without results", async () => {
  await using fixture = await openTestSessions();
  const { sessions } = fixture;
  const made: string[] = [];
  for (let count = 0; count < 5; count++) {
    const { session, done } = await start(sessions, () => Promise.resolve({}));
    await done;
    made.unshift(session.sessionId);
  }
  const { session } = await start(sessions, (job) => {
    job.progress({ percentage: 33 });
    return untilStopped(job);
  });
  made.unshift(session.sessionId);

  const first = await sessions.list({ limit: 4 });
  assert.ok(first.nextCursor !== null);
  await (await start(sessions, () => Promise.resolve({}))).done;
  const second = await sessions.list({ limit: 4, cursor: first.nextCursor });
  assert.deepEqual([...first.sessions, ...second.sessions].map(({ sessionId }) => sessionId), made);
  assert.deepEqual([first.totalCount, second.totalCount, second.nextCursor], [6, 7, null]);
  assert.equal(first.sessions[0].progressPercentage, 33);
  assert.ok([...first.sessions, ...second.sessions].every(({ result }) => result === null));
  const running = await sessions.list({ limit: 4, status: "in-progress" });
  assert.deepEqual([running.totalCount, running.sessions[0].sessionId], [1, session.sessionId]);
  assert.equal((await sessions.list({ limit: 6, status: "completed" })).nextCursor, null);

  for (const limit of [0, -1, 1.5, 1_001, NaN]) await assert.rejects(sessions.list({ limit }), KIND("invalid"));
  for (const cursor of ["", "x", "-1", "1'"]) {
    await assert.rejects(sessions.list({ limit: 1, cursor }), KIND("invalid"));
  }
});

Deno.test("events come in order, are coalesced, and end with the last; replay takes up where one left off", async () => {
  await using fixture = await openTestSessions();
  const { sessions } = fixture;
  const gate = Promise.withResolvers<void>();
  const { session, done } = await start(sessions, async (job) => {
    for (let percentage = 0; percentage < 100; percentage += 0.01) job.progress({ percentage });
    await gate.promise;
    return {};
  });
  const { sessionId } = session;
  const { signal } = new AbortController();
  const seen: SessionEvent[] = [];
  for await (const event of sessions.events(sessionId, { signal })) {
    seen.push(event);
    if (event.session.progressPercentage === 99) gate.resolve();
  }
  await done;
  assert.deepEqual(seen.map(({ id }) => id), seen.map((_, index) => index + 1));
  assert.deepEqual([seen[0].type, seen.at(-1)?.type], ["progress", "completed"]);
  assert.ok(seen.length <= 4, `${seen.length} events`);
  const percentages = seen.map((event) => event.session.progressPercentage);
  assert.deepEqual(percentages, percentages.toSorted((a, b) => a - b));
  assert.deepEqual(seen.at(-1)?.session.result, {});

  const last = seen.length;
  for (const [after, expected] of [[0, [last]], [last - 1, [last]], [last, []], [last + 99, []]] as const) {
    const events = await Array.fromAsync(sessions.events(sessionId, { lastEventId: after, signal }));
    assert.deepEqual(events.map(({ id }) => id), expected);
  }
  await fixture.restart();
  const events = await Array.fromAsync(fixture.sessions.events(sessionId, { lastEventId: 1, signal }));
  assert.deepEqual(events.map(({ id, type }) => [id, type]), [[last, "completed"]]);
});

Deno.test("where the end cannot be stored at once, it is told at once and stored later", async () => {
  await using fixture = await openTestSessions();
  const { sessions, test } = fixture;
  const gate = Promise.withResolvers<void>();
  const manual = await sessions.startManual(MANUAL);
  const { session, done } = await start(sessions, async () => {
    await gate.promise;
    return {};
  }, { parentId: manual.sessionId });
  await test.threads[0].terminate();
  gate.resolve();
  assert.deepEqual(await done, {});
  assert.equal((await sessions.get(session.sessionId)).status, "completed");
  await assert.rejects(start(sessions, untilStopped), KIND("unavailable"));
  await assert.rejects(sessions.startManual(MANUAL), KIND("unavailable"));
  assert.equal(sessions.activeCount(), 0);

  await poll("the end on disk", () => test.state.sessions.find(session.sessionId)?.session.status === "completed");
  const { result } = await poll("the manual session's end", async () => {
    return await sessions.complete(manual.sessionId).catch((error) => {
      if (!KIND("conflict")(error)) throw error;
      return undefined;
    });
  });
  assert.equal((result as { operations: number }).operations, 1);
  assert.equal(sessions.totals().totalSyncOperations, 1);
  assert.equal((await sessions.list({ limit: 10 })).totalCount, 2, "what was refused left nothing");
});

Deno.test("a session that is on disk but was reported as refused is taken back", async () => {
  await using fixture = await openTestSessions();
  const { sessions, test } = fixture;
  const [thread] = test.threads;
  // The writer dies after its commit and before its word of it arrives.
  thread.removeAllListeners("message");
  thread.on("message", () => void thread.terminate());
  let hasWorked = false;
  const refused = start(sessions, () => {
    hasWorked = true;
    return Promise.resolve({});
  });
  await assert.rejects(refused, KIND("unavailable"));
  const [orphan] = test.state.sessions.page({ limit: 1 });
  assert.equal(orphan?.session.status, "in-progress", "the test is about a commit whose answer was lost");
  assert.equal((await sessions.list({ limit: 1 })).sessions[0].status, "interrupted");
  await poll("its removal", async () => (await sessions.list({ limit: 1 })).totalCount === 0);
  await assert.rejects(sessions.get(orphan.session.sessionId), KIND("not-found"));
  assert.equal(hasWorked, false);
});

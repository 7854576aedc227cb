import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import { MANUAL, openTestSessions, start, untilStopped } from "./testing.ts";

const UNAVAILABLE = (error: unknown) => error instanceof EngineError && error.kind === "unavailable";

Deno.test("shutdown interrupts runs, ends event streams and refuses what is new", async () => {
  await using fixture = await openTestSessions();
  const { sessions } = fixture;
  const manual = await sessions.startManual(MANUAL);
  const run = await start(sessions, (job) => {
    job.progress({ percentage: 30, message: "Copying" });
    return untilStopped(job);
  }, { parentId: manual.sessionId });
  const { signal } = new AbortController();
  const streams = [run.session.sessionId, manual.sessionId].map((id) => {
    return Array.fromAsync(sessions.events(id, { signal }), ({ type }) => type);
  });
  const before = performance.now();
  await sessions.shutdown(20_000);
  assert.ok(performance.now() - before < 10_000, "it does not wait for the whole grace");
  const [ofRun, ofManual] = await Promise.all(streams);
  assert.equal(ofRun.at(-1), "interrupted");
  assert.ok(ofManual.length > 0 && ofManual.every((type) => type === "progress"));
  await assert.rejects(run.done, { name: "CancelledError" });
  await assert.rejects(start(sessions, untilStopped), UNAVAILABLE);
  await assert.rejects(sessions.startManual(MANUAL), UNAVAILABLE);
  await sessions.shutdown(0);

  await fixture.crash();
  const ended = await fixture.sessions.get(run.session.sessionId);
  assert.deepEqual([ended.status, ended.progressPercentage], ["interrupted", 30]);
  assert.match(ended.message, /server was stopped/);
  assert.ok(ended.completedAt);
  assert.equal((await fixture.sessions.get(manual.sessionId)).status, "in-progress");
  assert.equal(fixture.sessions.totals().failedSyncs, 1);
});

Deno.test("work that does not stop in time is marked interrupted, and its late end changes nothing", async () => {
  await using fixture = await openTestSessions();
  const { sessions } = fixture;
  const gate = Promise.withResolvers<void>();
  const run = await start(sessions, async () => {
    await gate.promise;
    return {};
  });
  await sessions.shutdown(20);
  assert.equal((await sessions.get(run.session.sessionId)).status, "interrupted");
  gate.resolve();
  assert.deepEqual(await run.done, {});
  await fixture.crash();
  assert.equal((await fixture.sessions.get(run.session.sessionId)).status, "interrupted");
  assert.equal(fixture.sessions.totals().totalSyncOperations, 1);
});

Deno.test("a run that starts while the server stops does no work", async () => {
  await using fixture = await openTestSessions();
  const { sessions } = fixture;
  let hasWorked = false;
  const starting = start(sessions, () => {
    hasWorked = true;
    return Promise.resolve({});
  });
  await sessions.shutdown(5_000);
  const { session, done } = await starting;
  await assert.rejects(done, { name: "CancelledError" });
  assert.equal(hasWorked, false);
  assert.equal((await sessions.get(session.sessionId)).status, "interrupted");
});

Deno.test("runs that died with the process are interrupted at the next start, once", async () => {
  await using fixture = await openTestSessions();
  const manual = await fixture.sessions.startManual(MANUAL);
  const parentId = manual.sessionId;
  const runs = await Promise.all([1, 2].map(() => start(fixture.sessions, untilStopped, { parentId })));
  const old = fixture.sessions;
  const { signal } = new AbortController();
  await fixture.crash();
  for (const { session } of runs) {
    const found = await fixture.sessions.get(session.sessionId);
    assert.equal(found.status, "interrupted");
    assert.match(found.message, /server stopped while it ran/);
    assert.ok(found.completedAt);
    // Whatever a client saw of it before: the last event is newer.
    const events = await Array.fromAsync(fixture.sessions.events(session.sessionId, { lastEventId: 5_000, signal }));
    assert.deepEqual(events.map(({ type }) => type), ["interrupted"]);
    assert.deepEqual(
      await Array.fromAsync(fixture.sessions.events(session.sessionId, { lastEventId: events[0].id, signal })),
      [],
    );
  }
  await fixture.crash();
  const totals = fixture.sessions.totals();
  assert.deepEqual([totals.totalSyncOperations, totals.failedSyncs, totals.averageSyncDuration], [2, 2, 0]);
  const { result } = await fixture.sessions.complete(parentId);
  assert.equal((result as { failedOperations: number }).failedOperations, 2);
  await old.shutdown(1_000);
});

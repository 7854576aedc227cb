import assert from "node:assert/strict";
import { newSession } from "../jobs/new_session.ts";
import type { Session, SessionStatus } from "../jobs/types.ts";
import type { RunFigures, StoredSession } from "./session_store.ts";
import { openTestState, tamper } from "./testing.ts";
import type { State } from "./types.ts";

const FIGURES: RunFigures = {
  success: true,
  changesApplied: 3,
  conflictsEncountered: 1,
  bytesTransferred: 100,
  errors: [],
  durationMs: 20,
};

function entryOf(state: State, given: Partial<Session> = {}): StoredSession {
  const session = newSession({
    kind: "sync.files",
    sourceIdentifier: "/a",
    targetIdentifier: "/b",
    syncType: null,
    status: "in-progress",
    message: "Started",
    parentId: null,
    keyId: null,
  });
  return { sequence: state.sessions.nextSequence(), eventId: 0, session: { ...session, ...given } };
}

function ended(entry: StoredSession, status: SessionStatus = "completed"): StoredSession {
  return { ...entry, eventId: 7, session: { ...entry.session, status, completedAt: new Date().toISOString() } };
}

Deno.test("a session comes back as it was stored", async () => {
  await using test = await openTestState();
  const entry = entryOf(test.state, {
    sourceIdentifier: "/quelle/ä '\"\u{1f600}",
    syncType: "Full",
    parentId: "session-x",
    keyId: "key-x",
    progress: { filesDone: 2.5 },
  });
  await test.state.sessions.insert(entry);
  assert.deepEqual(test.state.sessions.find(entry.session.sessionId), entry);
  assert.deepEqual(test.state.sessions.unfinished(), [entry]);

  const error = { errorCode: "SYNC_FAILED", message: "m", details: "d" };
  const end = ended({ ...entry, session: { ...entry.session, error } }, "failed");
  await test.state.sessions.finish(end, '{"a":[1,"ü"]}', FIGURES);
  const state = await test.reopen();
  const found = state.sessions.find(entry.session.sessionId);
  assert.deepEqual(found, { ...end, session: { ...end.session, result: { a: [1, "ü"] } } });
  assert.deepEqual(state.sessions.unfinished(), []);
  assert.equal(state.sessions.nextSequence(), entry.sequence + 1);
});

Deno.test("an end counts once, however often it is stored", async () => {
  await using test = await openTestState();
  const { sessions, metrics } = test.state;
  const parent = entryOf(test.state, { kind: "manual" });
  const run = entryOf(test.state, { parentId: parent.session.sessionId });
  await Promise.all([sessions.insert(parent), sessions.insert(run)]);
  const figures = { ...FIGURES, success: false, errors: ["a: broken"] };
  for (let count = 0; count < 3; count++) await sessions.finish(ended(run), `{"count":${count}}`, figures);
  await sessions.finish(ended(run, "interrupted"), null, figures);
  await sessions.saveProgress({ ...run, session: { ...run.session, message: "too late" } });

  const stored = sessions.find(run.session.sessionId);
  assert.deepEqual([stored?.session.status, stored?.session.result], ["completed", { count: 0 }]);
  assert.equal(stored?.session.message, "Started");
  const sums = {
    operations: 1,
    failedOperations: 1,
    changesApplied: 3,
    conflictsEncountered: 1,
    bytesTransferred: 100,
    executionTimeMs: 20,
  };
  assert.deepEqual(sessions.sums(parent.sequence), sums);
  assert.deepEqual(sessions.errors(parent.sequence), ["a: broken"]);
  const totals = metrics.totals();
  assert.deepEqual([totals.totalSyncOperations, totals.failedSyncs, totals.timedSyncs], [1, 1, 1]);
  assert.equal(totals.totalDataTransferred, 100);
});

Deno.test("a manual session keeps the first 1,000 errors of its runs", async () => {
  await using test = await openTestState();
  const { sessions } = test.state;
  const parent = entryOf(test.state, { kind: "manual" });
  await sessions.insert(parent);
  const expected: string[] = [];
  for (let run = 0; run < 3; run++) {
    const entry = entryOf(test.state, { parentId: parent.session.sessionId });
    await sessions.insert(entry);
    const errors = Array.from({ length: 400 }, (_, index) => `run ${run}, file ${index}: broken`);
    expected.push(...errors);
    await sessions.finish(ended(entry), null, { ...FIGURES, errors });
  }
  assert.deepEqual(sessions.errors(parent.sequence), expected.slice(0, 1_000));
  assert.equal(sessions.sums(parent.sequence).changesApplied, 9);
});

Deno.test("figures that are no counts do not stop an end from being stored", async () => {
  await using test = await openTestState();
  const entry = entryOf(test.state);
  await test.state.sessions.insert(entry);
  const figures = { ...FIGURES, changesApplied: NaN, bytesTransferred: -5, conflictsEncountered: 1.5, durationMs: 0.4 };
  await test.state.sessions.finish(ended(entry), null, figures);
  assert.equal(test.state.sessions.sums(entry.sequence).conflictsEncountered, 2);
  assert.equal(test.state.metrics.totals().totalDataTransferred, 0);
});

Deno.test("pages go from the newest to the oldest, and results stay out of them", async () => {
  await using test = await openTestState();
  const { sessions } = test.state;
  const entries = Array.from({ length: 9 }, () => entryOf(test.state));
  await Promise.all(entries.map((entry) => sessions.insert(entry)));
  await Promise.all(entries.slice(0, 4).map((entry) => sessions.finish(ended(entry), '{"a":1}', FIGURES)));
  const newest = entries.map(({ sequence }) => sequence).reverse();
  assert.deepEqual(sessions.page({ limit: 100 }).map(({ sequence }) => sequence), newest);
  const second = sessions.page({ limit: 3, before: newest[2] });
  assert.deepEqual(second.map(({ sequence }) => sequence), newest.slice(3, 6));
  const completed = sessions.page({ limit: 100, status: "completed" });
  assert.deepEqual(completed.map(({ session }) => session.result), [null, null, null, null]);
  assert.deepEqual([sessions.count(), sessions.count("completed"), sessions.count("failed")], [9, 4, 0]);
});

Deno.test("sessions over 30 days old or beyond the newest 10,000 are dropped with what belongs to them", async (t) => {
  const DAY = 86_400_000;
  async function insertAfter(change: string): Promise<string[]> {
    await using test = await openTestState();
    const [old, open, recent] = Array.from({ length: 3 }, () => entryOf(test.state));
    for (const entry of [old, open, recent]) await test.state.sessions.insert(entry);
    for (const entry of [old, recent]) await test.state.sessions.finish(ended(entry), '{"a":1}', FIGURES);
    await test.state.close();
    tamper(test.dataDir, (database) => {
      database.exec(change.replaceAll("OLD", `sequence IN (${old.sequence}, ${open.sequence})`));
    });
    const state = await test.reopen();
    await state.sessions.insert(entryOf(state));
    const names = new Map([[old, "old"], [open, "open"], [recent, "recent"]]);
    const left = [...names].filter(([entry]) => state.sessions.find(entry.session.sessionId)).map(([, name]) => name);
    await state.close();
    tamper(test.dataDir, (database) => {
      const results = database.prepare("SELECT count(*) AS count FROM session_results").get();
      assert.equal(results?.count, left.filter((name) => name !== "open").length, "results go with their sessions");
    });
    await test.reopen();
    return left;
  }
  await t.step("age", async () => {
    const change = `UPDATE sessions SET created_at = created_at - ${31 * DAY} WHERE OLD`;
    assert.deepEqual(await insertAfter(change), ["open", "recent"]);
  });
  await t.step("not yet", async () => {
    const change = `UPDATE sessions SET created_at = created_at - ${29 * DAY} WHERE OLD`;
    assert.deepEqual(await insertAfter(change), ["old", "open", "recent"]);
  });
  await t.step("number", async () => {
    const change = `PRAGMA foreign_keys = OFF; UPDATE session_results SET sequence = sequence + 10000 WHERE NOT OLD;
      UPDATE sessions SET sequence = sequence + 10000 WHERE NOT OLD`;
    assert.deepEqual(await insertAfter(change), ["open", "recent"]);
  });
});

Deno.test("every read of the running server uses an index", async () => {
  await using test = await openTestState();
  const sql = await import("./session_sql.ts");
  tamper(test.dataDir, (database) => {
    for (const text of [sql.FIND, sql.PAGE, sql.PAGE_OF_STATUS, sql.COUNT_OF_STATUS, sql.SUMS, sql.ERRORS]) {
      const parameters = Array.from(text.matchAll(/\?/g), () => 1);
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...parameters).map(({ detail }) =>
        String(detail)
      );
      assert.ok(plan.every((line) => line.startsWith("SEARCH")), `${text}\n${plan.join("\n")}`);
    }
  });
});

import assert from "node:assert/strict";
import { openTestState, type TestState } from "../../state/testing.ts";
import { nextTime } from "./cron.ts";
import { type Perform, type PerformOutcome, Scheduler } from "./scheduler.ts";
import type { ScheduleSettings } from "./types.ts";

const SETTINGS: ScheduleSettings = {
  name: "nightly",
  cron: "0 3 * * *",
  timeZone: "Europe/Berlin",
  operation: "sync.files",
  request: { sourceDirectory: "/a", targetDirectory: "/b" },
  enabled: true,
};
const DONE: PerformOutcome = { status: "succeeded", sessionId: "session-1", error: null };
const HOUR = 3_600_000;

async function started(test: TestState, perform: Perform): Promise<Scheduler> {
  const scheduler = new Scheduler(test.state.schedules, test.state.report);
  await scheduler.start(perform);
  return scheduler;
}

Deno.test("a run starts when its time has come, and what it came to is kept", async () => {
  await using test = await openTestState();
  const { promise: called, resolve } = Promise.withResolvers<void>();
  await test.state.schedules.save("s", SETTINGS, Date.now() + 300);
  const scheduler = await started(test, (schedule) => {
    assert.deepEqual(schedule.request, SETTINGS.request);
    resolve();
    return Promise.resolve({ status: "failed", sessionId: "session-1", error: "no" });
  });
  assert.deepEqual(scheduler.runs({ scheduleId: "s", limit: 10 }), []);
  await called;
  await scheduler.stop();
  const [run, ...others] = scheduler.runs({ scheduleId: "s", limit: 10 });
  assert.deepEqual([run.status, run.sessionId, run.error, others], ["failed", "session-1", "no", []]);
  const schedule = scheduler.find("s");
  assert.deepEqual([schedule?.lastRun, schedule?.lastSuccessAt], [run, null]);
  assert.equal(Date.parse(schedule?.nextRunAt ?? ""), nextTime(SETTINGS.cron, SETTINGS.timeZone, Date.now()));
});

Deno.test("runs that were missed are caught up once", async () => {
  await using test = await openTestState();
  const missed = Date.now() - 100 * HOUR;
  await test.state.schedules.save("s", { ...SETTINGS, cron: "0 * * * *" }, missed);
  await test.state.schedules.save("off", { ...SETTINGS, enabled: false }, null);
  const called: string[] = [];
  const scheduler = await started(test, ({ id }) => {
    called.push(id);
    return Promise.resolve(DONE);
  });
  await scheduler.stop();
  assert.deepEqual(called, ["s"]);
  const [run] = scheduler.runs({ scheduleId: "s", limit: 10 });
  assert.equal(Date.parse(run.plannedAt), missed);
  assert.ok(Date.parse(run.startedAt) > missed + 99 * HOUR);
  assert.ok(scheduler.find("s")?.lastSuccessAt !== null);
});

Deno.test("a run that would begin while the one before still runs is left out", async () => {
  await using test = await openTestState();
  const { promise: outcome, resolve } = Promise.withResolvers<PerformOutcome>();
  let calls = 0;
  await test.state.schedules.save("s", SETTINGS, Date.now() - 1);
  const scheduler = await started(test, () => {
    calls++;
    return outcome;
  });
  await scheduler.save({ ...SETTINGS, name: "other" }, "other");
  await test.state.schedules.save("s", SETTINGS, Date.now() - 1);
  await scheduler.save({ ...SETTINGS, name: "renamed" }, "other");
  const stopped = scheduler.stop();
  resolve(DONE);
  await stopped;
  assert.equal(calls, 1);
  const statuses = scheduler.runs({ scheduleId: "s", limit: 10 }).map(({ status }) => status);
  assert.deepEqual(statuses, ["skipped", "succeeded"]);
});

Deno.test("a run that died with the process is interrupted, and made up for after the next start", async () => {
  await using test = await openTestState();
  const store = () => test.state.schedules;
  const later = Date.now() + HOUR;
  await store().save("s", SETTINGS, later);
  await store().save("t", SETTINGS, later);
  await store().begin("s", { status: "running", plannedAt: Date.now() }, later);
  const ended = await store().begin("t", { status: "running", plannedAt: Date.now() }, later);
  await store().end(ended, DONE);
  await store().begin("s", { status: "skipped", plannedAt: Date.now() }, later);
  await test.reopen();
  const called: string[] = [];
  const scheduler = await started(test, ({ id }) => {
    called.push(id);
    return Promise.resolve(DONE);
  });
  await scheduler.stop();
  assert.deepEqual(called, ["s"]);
  const statuses = scheduler.runs({ scheduleId: "s", limit: 10 }).map(({ status }) => status);
  assert.deepEqual(statuses, ["succeeded", "skipped", "interrupted"]);
});

Deno.test("expressions are meant in their time zone, over changes of the clocks", () => {
  const at = (cron: string, after: string) => {
    const time = nextTime(cron, "Europe/Berlin", Date.parse(after));
    return time === null ? null : new Date(time).toISOString();
  };
  assert.equal(at("0 3 * * *", "2026-01-10T00:00:00Z"), "2026-01-10T02:00:00.000Z");
  assert.equal(at("0 3 * * *", "2026-07-10T00:00:00Z"), "2026-07-10T01:00:00.000Z");
  // On 29 March 2026 two o'clock does not exist; on 25 October half past two comes twice.
  assert.equal(at("30 2 * * *", "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00.000Z");
  assert.equal(at("30 2 * * *", "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00.000Z");
  assert.equal(at("30 2 * * *", "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00.000Z");
  assert.equal(at("0 0 31 2 *", "2026-01-10T00:00:00Z"), null);
});

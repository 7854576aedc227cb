import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { poll } from "../../tests/harness/poll.ts";
import { EngineError } from "../errors.ts";
import { openTestState } from "./testing.ts";

const UNAVAILABLE = (error: unknown) => error instanceof EngineError && error.kind === "unavailable";

function admins(count: number, from = 0) {
  return Array.from({ length: count }, (_, index) => ({ name: `key ${from + index}`, scopes: ["admin" as const] }));
}

Deno.test("1,000 writes at once are all stored, in few commits", async () => {
  await using test = await openTestState();
  let batches = 0;
  test.threads[0].on("message", () => batches++);
  const made = await Promise.all(admins(1_000).map((input) => test.state.keys.create(input)));
  assert.ok(batches <= 10, `${batches} batches`);
  const state = await test.reopen();
  for (const { key, token } of made) assert.equal(state.keys.findByToken(token)?.id, key.id);
  assert.equal(state.keys.list().length, 1_000);
});

Deno.test("while the disk keeps a write waiting, reads and ping answer at once", async () => {
  await using test = await openTestState();
  const { state } = test;
  const other = new DatabaseSync(`${test.dataDir}/state.db`);
  other.exec("BEGIN IMMEDIATE");
  let isDone = false;
  const write = state.keys.create(admins(1)[0]).finally(() => isDone = true);
  const slowest = await slowestOf(200, async () => {
    await state.ping();
    state.sessions.page({ limit: 10 });
    state.metrics.totals();
  });
  assert.equal(isDone, false);
  other.exec("ROLLBACK");
  other.close();
  await write;
  // Far more than a read takes, far less than the writer waits for the lock.
  assert.ok(slowest < 2_000, `${slowest} ms`);
});

async function slowestOf(times: number, action: () => Promise<void>): Promise<number> {
  let slowest = 0;
  for (let count = 0; count < times; count++) {
    const before = performance.now();
    await action();
    slowest = Math.max(slowest, performance.now() - before);
    // Lets the writer's messages in.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return slowest;
}

Deno.test("where the writer dies, pending writes reject, ping says so, and a new one takes over", async () => {
  await using test = await openTestState();
  const { state } = test;
  const before = await state.keys.create({ name: "before", scopes: ["admin"] });
  await state.keys.create({ name: "another", scopes: ["admin"] });
  const other = new DatabaseSync(`${test.dataDir}/state.db`);
  other.exec("BEGIN IMMEDIATE");
  const pending = admins(50).map((input) => state.keys.create(input));
  // Those are under way when the next turn begins; these then wait behind them.
  await new Promise((resolve) => setTimeout(resolve, 0));
  pending.push(...admins(10, 50).map((input) => state.keys.create(input)));
  const failures = Promise.all(pending.map((write) => assert.rejects(write, UNAVAILABLE)));
  const deletion = assert.rejects(state.keys.delete(before.key.id), UNAVAILABLE);
  assert.equal(state.keys.findByToken(before.token), undefined);
  await test.threads[0].terminate();
  await Promise.all([failures, deletion]);
  assert.equal(state.keys.findByToken(before.token)?.name, "before", "what was not deleted works again");
  await assert.rejects(state.ping(), UNAVAILABLE);
  await assert.rejects(state.keys.create(admins(1)[0]), UNAVAILABLE);
  other.exec("ROLLBACK");
  other.close();

  await poll("the next writer", () => state.ping().then(() => true, () => false));
  assert.equal(test.threads.length, 2);
  assert.match(test.reports.join(), /writer stopped/);
  const after = await state.keys.create({ name: "after", scopes: ["read"] });
  const reopened = await test.reopen();
  assert.equal(reopened.keys.findByToken(after.token)?.name, "after");
  assert.equal(reopened.keys.findByToken(before.token)?.name, "before");
});

Deno.test("a writer that dies again and again is started again each time", async () => {
  await using test = await openTestState();
  const { state } = test;
  for (let round = 1; round <= 3; round++) {
    await test.threads[round - 1].terminate();
    await poll(`writer ${round + 1}`, () => test.threads.length > round && state.ping().then(() => true, () => false));
    await state.keys.create({ name: `round ${round}`, scopes: ["admin"] });
  }
  assert.equal(state.keys.list().length, 3);
});

Deno.test("close commits what was written before and refuses what comes after", async () => {
  await using test = await openTestState();
  const writes = admins(100).map((input) => test.state.keys.create(input));
  const closed = test.state.close();
  await assert.rejects(test.state.keys.create(admins(1, 100)[0]), UNAVAILABLE);
  const made = await Promise.all(writes);
  await closed;
  await assert.rejects(test.state.ping(), UNAVAILABLE);
  const state = await test.reopen();
  for (const { token } of made) assert.ok(state.keys.findByToken(token));
});

import assert from "node:assert/strict";
import { poll } from "../../tests/harness/poll.ts";
import { openTestState } from "./testing.ts";

Deno.test("the last success of each source stays through failures and restarts, its bytes add up", async () => {
  await using test = await openTestState();
  const at = { source: "/a", repository: "/r" };
  const before = Date.now();
  await test.state.backups.record({ ...at, success: true, storedBytes: 10 });
  const [first] = test.state.backups.list();
  assert.ok(first.lastSuccessAt !== null && first.lastSuccessAt >= before && first.lastSuccessAt <= Date.now());
  await test.state.backups.record({ ...at, success: false, storedBytes: 5 });
  await test.state.backups.record({ source: "/b", repository: "/r", success: false, storedBytes: 1 });
  const state = await test.reopen();
  assert.deepEqual(state.backups.list().map((row) => ({ ...row })), [
    { ...at, lastSuccessAt: first.lastSuccessAt, storedBytes: 15 },
    { source: "/b", repository: "/r", lastSuccessAt: null, storedBytes: 1 },
  ]);
});

Deno.test("at most 1,000 sources are remembered, the oldest forgotten first", async () => {
  await using test = await openTestState();
  const record = (i: number) =>
    test.state.backups.record({ source: `/${i}`, repository: "/r", success: true, storedBytes: 1 });
  await record(0);
  // Another millisecond, so that the first is the oldest.
  const { lastSuccessAt } = test.state.backups.list()[0];
  await poll("another millisecond", () => Date.now() !== lastSuccessAt, { intervalMs: 1 });
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => record(i + 1)));
  const sources = new Set(test.state.backups.list().map(({ source }) => source));
  assert.deepEqual([sources.size, sources.has("/0")], [1_000, false]);
});

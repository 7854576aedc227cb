import assert from "node:assert/strict";
import { poll } from "../../tests/harness/poll.ts";
import { Throttle } from "./throttle.ts";

Deno.test("requests in one interval run the action once, and the last is not lost", async () => {
  const runs: number[] = [];
  let value = 0;
  const throttle = new Throttle(20, () => runs.push(value));
  for (; value < 1_000; value++) throttle.request();
  assert.deepEqual(runs, [], "never within the caller's turn");
  await poll("the first run", () => runs.length === 1);
  value = 2_000;
  throttle.request();
  throttle.request();
  await poll("the second run", () => runs.length === 2);
  assert.deepEqual(runs, [1_000, 2_000]);
});

Deno.test("runs are an interval apart", async () => {
  const times: number[] = [];
  const throttle: Throttle = new Throttle(30, () => {
    times.push(performance.now());
    throttle.request();
  });
  throttle.request();
  await poll("four runs", () => times.length >= 4);
  throttle.stop();
  for (let index = 1; index < times.length; index++) assert.ok(times[index] - times[index - 1] >= 29, times.join());
});

Deno.test("a stopped throttle drops what was requested, and leaves no timer", () => {
  const throttle = new Throttle(0, () => assert.fail("it ran"));
  throttle.request();
  throttle.stop();
  throttle.request();
});

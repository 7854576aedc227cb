import assert from "node:assert/strict";
import { PoolClosedError, QueueFullError, WorkerLostError } from "./errors.ts";
import { randomNumbers } from "./testing/random.ts";
import { startPool, until } from "./testing/start_pool.ts";
import { newGate, type TestTasks } from "./testing/tasks.ts";
import type { PoolJob } from "./types.ts";

const ACTIONS = 600;

interface Expectation {
  what: string;
  /** Whether it may end so, whatever was done to its job and its signal. */
  fits(outcome: PromiseSettledResult<unknown>): boolean;
}

interface OpenJob {
  job: PoolJob<TestTasks>;
  controller: AbortController;
}

const failsWith = (name: string, reason?: string): Expectation["fits"] => (outcome) =>
  outcome.status === "rejected" && outcome.reason.name === name && (!reason || outcome.reason.reason === reason);
const gives = (value: unknown): Expectation["fits"] => (outcome) =>
  outcome.status === "fulfilled" && outcome.value === value;

/** Ends that any task may come to here, as jobs, tasks and the pool are cancelled and closed at random. */
function wasCancelled(outcome: PromiseSettledResult<unknown>): boolean {
  if (outcome.status === "fulfilled") return false;
  const { reason } = outcome;
  return reason instanceof PoolClosedError || reason instanceof QueueFullError || reason === "aborted at random";
}

for (const seed of [Math.floor(Math.random() * 2 ** 31), 1]) {
  Deno.test(`${ACTIONS} random actions: every promise settles once, as it may (seed ${seed})`, async () => {
    const random = randomNumbers(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const pool = startPool({ size: 3, queueLimit: 8, maxHeapMb: 32, stuckAfterMs: 3000, abandonAfterMs: 100 });
    const gates = [newGate()];
    const expectations: Expectation[] = [];
    const promises: Promise<unknown>[] = [];
    const settled: number[] = [];
    const jobs: OpenJob[] = [];

    function watch(promise: Promise<unknown>, expectation: Expectation) {
      const index = promises.push(promise) - 1;
      expectations.push(expectation);
      settled.push(0);
      const count = () => void settled[index]++;
      promise.then(count, count);
    }

    function open() {
      const controller = new AbortController();
      const priority = below(4) === 0 ? "interactive" : "bulk";
      jobs.push({ job: pool.job({ name: `job ${jobs.length}`, priority, signal: controller.signal }), controller });
    }

    function run(n: number) {
      const { job } = jobs[below(jobs.length)];
      const controller = new AbortController();
      const { signal } = controller;
      const kind = below(100);
      if (kind < 40) watch(job.run("echo", { value: n }, { signal }), { what: "echo", fits: gives(n) });
      else if (kind < 55) watch(job.run("echoLater", { value: n }, { signal }), { what: "later", fits: gives(n) });
      else if (kind < 75) {
        watch(job.run("work", { ms: below(4) }, { signal }), { what: "work", fits: gives(undefined) });
      } else if (kind < 90) {
        const input = { name: "OddError", message: "odd", properties: { n } };
        watch(job.run("fail", input, { signal }), { what: "fail", fits: failsWith("OddError") });
      } else if (kind < 94) {
        watch(job.run("block", { gate: gates[0].words }, { signal }), { what: "block", fits: gives(undefined) });
        setTimeout(() => controller.abort("aborted at random"), below(30));
      } else if (kind < 98) {
        watch(job.run("exit", { code: 9 }, { signal }), {
          what: "exit",
          fits: failsWith("WorkerLostError", "crashed"),
        });
      } else {
        const fits = failsWith("WorkerLostError", "out-of-memory");
        watch(job.run("exhaust", { from: "task" }, { signal }), { what: "exhaust", fits });
      }
      if (below(8) === 0) setTimeout(() => controller.abort("aborted at random"), below(20));
    }

    for (let i = 0; i < 5; i++) open();
    const mayHang = { what: "hang", fits: failsWith("WorkerLostError", "stuck") };
    watch(jobs[0].job.run("hang", { gate: gates[0].words }), mayHang);
    for (let n = 0; n < ACTIONS; n++) {
      const kind = below(100);
      if (kind < 90) run(n);
      else if (kind < 93) open();
      else if (kind < 95) watch(jobs[below(jobs.length)].job.close(), { what: "close", fits: gives(undefined) });
      else if (kind < 96) jobs[below(jobs.length)].controller.abort("aborted at random");
      else watch(jobs[below(jobs.length)].job.ready(), { what: "ready", fits: gives(undefined) });
      if (below(3) === 0) await new Promise((resolve) => setTimeout(resolve, below(5)));
    }
    if (below(2) === 0) await Promise.race([Promise.allSettled(promises), until(() => pool.stats().queued === 0, "")]);
    await pool.close(below(500));
    gates[0].open();

    const outcomes = await Promise.allSettled(promises);
    for (const [i, outcome] of outcomes.entries()) {
      const { what, fits } = expectations[i];
      assert.ok(fits(outcome) || wasCancelled(outcome), `${what} ended with ${Deno.inspect(outcome)}`);
      assert.equal(settled[i], 1);
    }
    const { workers, busy, queued, tasksCompleted, tasksFailed } = pool.stats();
    assert.deepEqual([workers, busy, queued], [0, 0, 0]);
    const tasks = outcomes.filter((_, i) => !["close", "ready"].includes(expectations[i].what));
    assert.equal(tasksCompleted, tasks.filter(({ status }) => status === "fulfilled").length);
    const failed = tasks.filter((outcome) => outcome.status === "rejected" && !wasCancelled(outcome));
    assert.equal(tasksFailed, failed.length);
    assert.ok(failed.some((outcome) => outcome.status === "rejected" && outcome.reason instanceof WorkerLostError));
    await until(() => pool.stats().abandoned === 0, "no thread is left");
  });
}

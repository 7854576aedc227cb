import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { WorkerLostError, WorkerStartError } from "./errors.ts";
import type { PoolEvent } from "./pool.ts";
import { failure, failures, startPool, until, withPool } from "./testing/start_pool.ts";
import { newGate } from "./testing/tasks.ts";

/** Asserts that the task's worker was lost, and gives the error. */
async function lost(task: Promise<unknown>, reason: string): Promise<WorkerLostError> {
  const error = await failure(task);
  assert.ok(error instanceof WorkerLostError, `${error}`);
  assert.equal(error.reason, reason);
  return error;
}

Deno.test("a worker that exits fails its own task only and is replaced", () =>
  withPool({ size: 2 }, async (pool) => {
    const [job, other] = [pool.job({ name: "j" }), pool.job({ name: "other" })];
    const gate = newGate();
    const bystander = other.run("block", { gate: gate.words });
    await until(gate.started, "the bystander runs");
    const exiting = lost(job.run("exit", { code: 3 }), "crashed");
    const queued = Array.from({ length: 5 }, (_, value) => job.run("echo", { value }));
    const error = await exiting;
    assert.match(error.message, /exit/);
    assert.match(String(error.cause), /code 3/);
    assert.equal(error.abandoned, false);
    assert.deepEqual(await Promise.all(queued), [0, 1, 2, 3, 4]);
    gate.open();
    await bystander;
    const { workers, replaced, tasksFailed, tasksCompleted } = pool.stats();
    assert.deepEqual([workers, replaced, tasksFailed, tasksCompleted], [2, 1, 1, 6]);
  }));

for (const by of ["rejection", "timer"] as const) {
  Deno.test(`an error that no task caught (${by}) ends the worker and is the cause`, () =>
    withPool({}, async (pool) => {
      const job = pool.job({ name: "j" });
      const { cause } = await lost(job.run("crash", { by, message: "nobody caught it" }), "crashed");
      assert.ok(cause instanceof Error);
      assert.equal(cause.message, "nobody caught it");
      assert.deepEqual({ ...cause }, { code: "ECRASH" });
      assert.equal(await job.run("echo", { value: 1 }), 1);
    }));
}

for (const from of ["task", "microtask", "timer"] as const) {
  Deno.test(`a task that fills the heap from a ${from} loses its worker, the process and the others live on`, () =>
    withPool({ size: 2, maxHeapMb: 32 }, async (pool) => {
      const [job, other] = [pool.job({ name: "j" }), pool.job({ name: "other" })];
      const gate = newGate();
      const bystander = other.run("block", { gate: gate.words });
      await until(gate.started, "the bystander runs");
      await lost(job.run("exhaust", { from }), "out-of-memory");
      assert.equal(await job.run("echo", { value: 1 }), 1);
      gate.open();
      await bystander;
      assert.deepEqual([pool.stats().replaced, pool.stats().tasksFailed], [1, 1]);
    }));
}

Deno.test("a task that waits for ever is lost as stuck, one with checkpoints and one that ends are not", () =>
  withPool({ size: 3, stuckAfterMs: 300 }, async (pool) => {
    const job = pool.job({ name: "j" });
    const busy = job.run("work", { ms: 1500 });
    const error = await lost(job.run("neverSettle", undefined), "stuck");
    assert.equal(error.abandoned, false);
    assert.equal(await job.run("echo", { value: 1 }), 1);
    await busy;
    assert.equal(pool.stats().replaced, 1);
  }));

Deno.test("a loop that never yields is given up and replaced; its thread's end is noticed when it comes", async () => {
  const events: PoolEvent[] = [];
  const onEvent = (event: PoolEvent) => void events.push(event);
  await withPool({ stuckAfterMs: 200, abandonAfterMs: 100, onEvent }, async (pool) => {
    const job = pool.job({ name: "j" });
    const gate = newGate();
    const hung = lost(job.run("hang", { gate: gate.words }), "stuck");
    const queued = job.run("echo", { value: "after it" });
    assert.equal((await hung).abandoned, true);
    assert.equal(await queued, "after it");
    assert.deepEqual([pool.stats().abandoned, pool.stats().workers], [1, 1]);
    gate.open();
    await until(() => pool.stats().abandoned === 0, "the abandoned thread ends");
  });
  assert.deepEqual(events.map(({ type }) => type), [
    "worker-started",
    "worker-lost",
    "worker-started",
    "abandoned-thread-ended",
  ]);
  assert.partialDeepStrictEqual(events[1], { reason: "stuck", abandoned: true, task: "hang", job: "j" });
});

Deno.test("a task that said it may take long is given 30 times as long, and not for ever", () =>
  withPool({ size: 2, stuckAfterMs: 100, abandonAfterMs: 20_000 }, async (pool) => {
    const job = pool.job({ name: "j" });
    const gate = newGate();
    const patient = job.run("hangPatiently", { gate: gate.words });
    await until(() => gate.started(), "it starts");
    // The watchdog looks at all workers at once: when it has lost this one, it has spared the other.
    await lost(job.run("neverSettle", undefined), "stuck");
    gate.open();
    assert.equal(await patient, "came to its end");
    assert.equal(pool.stats().replaced, 1);

    const tooLong = newGate();
    const ended = Promise.allSettled([job.run("hangPatiently", { gate: tooLong.words })]);
    await until(() => tooLong.started() && pool.stats().busy === 0, "its worker is told to end after all");
    tooLong.open();
    await ended;
  }));

Deno.test("a task that was called stuck but ends before its thread is given up keeps its outcome", () =>
  withPool({ stuckAfterMs: 200, abandonAfterMs: 20_000 }, async (pool) => {
    const job = pool.job({ name: "j" });
    const gate = newGate();
    const slow = job.run("hang", { gate: gate.words });
    await until(() => gate.started() && pool.stats().busy === 0, "its worker is told to end");
    gate.open();
    assert.equal(await slow, "came to its end");
    assert.equal(await job.run("echo", { value: 1 }), 1);
    assert.deepEqual([pool.stats().replaced, pool.stats().tasksFailed], [1, 0]);
  }));

Deno.test("workers that never come up are retried ever later; what is queued is rejected with the cause", async () => {
  const events: PoolEvent[] = [];
  const pool = startPool({
    size: 2,
    queueLimit: 1,
    entry: new URL("./testing/broken_entry.ts", import.meta.url),
    onEvent: (event) => void events.push(event),
  });
  try {
    const job = pool.job({ name: "j" });
    const errors = await failures(job.run("echo", { value: 1 }), job.ready());
    errors.push(...await failures(job.run("echo", { value: 1 }), job.ready()));
    for (const error of errors) {
      assert.ok(error instanceof WorkerStartError);
      assert.match(String(error.cause), /This worker cannot start/);
    }
    const retries = events.flatMap((event) => event.type === "worker-start-failed" ? [event.retryInMs] : []);
    assert.deepEqual(retries.slice(0, 5), [100, 200, 400, 800, 1600]);
  } finally {
    await pool.close();
  }
  assert.equal(pool.stats().queued, 0);
});

Deno.test("a pool whose threads hang for good does not keep the process once it is closed", async () => {
  const script = fileURLToPath(new URL("./testing/exit.ts", import.meta.url));
  const signal = AbortSignal.timeout(30_000);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--allow-all", script],
    signal,
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  assert.equal(new TextDecoder().decode(stdout), "echoed, PoolClosedError, 1 abandoned\n");
  assert.equal(code, 0);
});

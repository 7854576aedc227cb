import assert from "node:assert/strict";
import { PoolClosedError, QueueFullError } from "./errors.ts";
import { createPool } from "./pool.ts";
import { failure, failures, startPool, until, withPool } from "./testing/start_pool.ts";
import { newGate } from "./testing/tasks.ts";

Deno.test("a task's output comes back, from synchronous and asynchronous code", () =>
  withPool({ size: 2 }, async (pool) => {
    await using job = pool.job({ name: "j" });
    const value = { text: "ä", bytes: new Uint8Array([1, 2]), big: 1n, map: new Map([[1, new Date(5)]]) };
    assert.deepEqual(await job.run("echo", { value }), value);
    assert.deepEqual(await job.run("echoLater", { value }), value);
    assert.equal(await job.run("echo", { value: undefined }), undefined);
    assert.deepEqual(pool.stats(), {
      workers: 2,
      busy: 0,
      queued: 0,
      replaced: 0,
      abandoned: 0,
      tasksCompleted: 3,
      tasksFailed: 0,
    });
  }));

Deno.test("an error of a task arrives with its name, message, properties and cause, and the worker goes on", () =>
  withPool({}, async (pool) => {
    const job = pool.job({ name: "j" });
    const properties = { kind: "conflict", details: "a/b", errno: 28, code: "ENOSPC" };
    const error = await failure(job.run("fail", { name: "EngineError", message: "no space", properties }));
    assert.ok(error instanceof Error);
    assert.equal(error.name, "EngineError");
    assert.equal(error.message, "no space");
    assert.deepEqual({ ...error }, properties);
    assert.ok(error.cause instanceof RangeError);
    assert.match((await failure(job.run("throwText", undefined))).message, /just text/);
    assert.equal(await job.run("echo", { value: 1 }), 1);
    assert.equal(pool.stats().tasksFailed, 2);
    assert.equal(pool.stats().replaced, 0);
  }));

Deno.test("what cannot be cloned fails its own task: an input, an output, a progress value", () =>
  withPool({}, async (pool) => {
    const job = pool.job({ name: "j" });
    assert.match((await failure(job.run("echo", { value: () => {} }))).message, /could not be cloned/);
    assert.match((await failure(job.run("answerFunction", undefined))).message, /could not be cloned/);
    assert.match((await failure(job.run("reportWhatCannotBeSent", null))).message, /could not be cloned/);
    assert.equal(await job.run("echo", { value: 1 }), 1);
    assert.equal(pool.stats().replaced, 0);
  }));

Deno.test("an unknown task fails and says its name", () =>
  withPool({}, async (pool) => {
    const job = pool.job({ name: "j" });
    for (const name of ["no such", "toString", "__proto__"]) {
      const error = await failure(job.run(name as "echo", { value: 1 }));
      assert.ok(error instanceof TypeError);
      assert.ok(error.message.includes(name));
    }
  }));

Deno.test("buffers are transferred on request", () =>
  withPool({}, async (pool) => {
    const bytes = new Uint8Array(100).fill(7);
    const back = await pool.job({ name: "j" }).run("echo", { value: bytes }, { transfer: [bytes.buffer] });
    assert.equal(bytes.byteLength, 0);
    assert.deepEqual(back, new Uint8Array(100).fill(7));
  }));

Deno.test("progress arrives in order and before the output", () =>
  withPool({}, async (pool) => {
    const seen: number[] = [];
    const onProgress = (value: number) => void seen.push(value);
    assert.equal(await pool.job({ name: "j" }).run("report", { upTo: 100 }, { onProgress }), 100);
    assert.deepEqual(seen, Array.from({ length: 100 }, (_, i) => i + 1));
  }));

Deno.test("a job's counters are shared by its tasks on all workers, and by no other job", () =>
  withPool({ size: 2 }, async (pool) => {
    const [a, b] = [pool.job({ name: "a" }), pool.job({ name: "b" })];
    await Promise.all(Array.from({ length: 20 }, () => a.run("count", { index: 3, by: 2n ** 33n })));
    assert.equal(a.counters[3], 20n * 2n ** 33n);
    assert.equal(b.counters[3], 0n);
  }));

Deno.test("as many tasks run at once as there are workers", () =>
  withPool({ size: 3 }, async (pool) => {
    const job = pool.job({ name: "j" });
    const gates = Array.from({ length: 4 }, newGate);
    const runs = gates.map((gate) => job.run("block", { gate: gate.words }));
    await until(() => gates.slice(0, 3).every((gate) => gate.started()), "three tasks run");
    assert.deepEqual([pool.stats().busy, pool.stats().queued], [3, 1]);
    assert.equal(gates[3].started(), false);
    gates[1].open();
    await runs[1];
    await until(gates[3].started, "the fourth runs");
    for (const gate of gates) gate.open();
    await Promise.all(runs);
  }));

Deno.test("jobs of one priority are served in turn, and interactive ones first", () =>
  withPool({ queueLimit: 100 }, async (pool) => {
    const list = new Int32Array(new SharedArrayBuffer(4 * 100));
    const gate = newGate();
    const [a, b, urgent] = [
      pool.job({ name: "a" }),
      pool.job({ name: "b" }),
      pool.job({ name: "urgent", priority: "interactive" }),
    ];
    const runs: Promise<unknown>[] = [a.run("block", { gate: gate.words })];
    await until(gate.started, "the worker is busy");
    for (let i = 1; i <= 5; i++) runs.push(a.run("append", { list, value: 100 + i }));
    for (let i = 1; i <= 3; i++) runs.push(b.run("append", { list, value: 200 + i }));
    for (let i = 1; i <= 2; i++) runs.push(urgent.run("append", { list, value: 300 + i }));
    gate.open();
    await Promise.all(runs);
    assert.deepEqual([...list.slice(1, 1 + list[0])], [301, 302, 101, 201, 102, 202, 103, 203, 104, 105]);
  }));

Deno.test("a producer waits while the queue is full, is let in place by place, and cannot run far ahead", () =>
  withPool({ queueLimit: 2 }, async (pool) => {
    const job = pool.job({ name: "j" });
    const gates = Array.from({ length: 5 }, newGate);
    const runs = [job.run("block", { gate: gates[0].words })];
    await until(gates[0].started, "the worker is busy");
    for (const gate of gates.slice(1, 3)) {
      await job.ready();
      runs.push(job.run("block", { gate: gate.words }));
    }
    const letIn: string[] = [];
    const last = newGate();
    const produced = ["first", "second"].map(async (name) => {
      await job.ready();
      letIn.push(name);
      await job.run("block", { gate: last.words });
    });
    for (const gate of gates.slice(3)) runs.push(job.run("block", { gate: gate.words }));
    assert.ok(await failure(job.run("echo", { value: 1 })) instanceof QueueFullError);
    assert.equal(pool.stats().queued, 4);

    for (const [open, expected] of [[0, 0], [1, 0], [2, 1], [3, 2]]) {
      gates[open].open();
      await until(gates[open + 1].started, `task ${open + 1} runs`);
      await until(() => pool.stats().queued >= 2, "the queue is full again");
      assert.equal(letIn.length, expected, `after task ${open}`);
    }
    gates[4].open();
    last.open();
    await Promise.all([...runs, ...produced]);
    assert.deepEqual(letIn, ["first", "second"]);
  }));

Deno.test("a producer that was let in and runs nothing does not hold up the next", () =>
  withPool({ queueLimit: 1 }, async (pool) => {
    const job = pool.job({ name: "j" });
    const gate = newGate();
    const runs = [job.run("block", { gate: gate.words })];
    await until(gate.started, "the worker is busy");
    runs.push(job.run("block", { gate: gate.words }));
    const producers = [job.ready(), job.ready(), job.ready()];
    gate.open();
    await Promise.all([...producers, ...runs]);
  }));

Deno.test("the bound is the job's own: another job may still queue", () =>
  withPool({ queueLimit: 1 }, async (pool) => {
    const gate = newGate();
    const a = pool.job({ name: "a" });
    const runs = [a.run("block", { gate: gate.words }), a.run("block", { gate: gate.words })];
    await until(gate.started, "the worker is busy");
    await pool.job({ name: "b" }).ready();
    gate.open();
    await Promise.all(runs);
  }));

Deno.test("aborting a queued task rejects it at once with the signal's reason; it never runs", () =>
  withPool({}, async (pool) => {
    const job = pool.job({ name: "j" });
    const [gate, other] = [newGate(), newGate()];
    const running = job.run("block", { gate: gate.words });
    await until(gate.started, "the worker is busy");
    const controller = new AbortController();
    const queued = job.run("block", { gate: other.words }, { signal: controller.signal });
    const reason = { why: "changed my mind" };
    controller.abort(reason);
    assert.equal(await failure(queued), reason);
    assert.equal(pool.stats().queued, 0);
    gate.open();
    await running;
    assert.equal(await job.run("echo", { value: 2 }), 2);
    assert.equal(other.started(), false);
  }));

Deno.test("aborting a running task stops it at its next checkpoint, and only it", () =>
  withPool({}, async (pool) => {
    const job = pool.job({ name: "j" });
    const controller = new AbortController();
    const gate = newGate();
    const running = job.run("block", { gate: gate.words }, { signal: controller.signal });
    await until(gate.started, "it runs");
    const next = job.run("block", { gate: newGate().words.fill(1) });
    controller.abort(new Error("enough"));
    assert.equal((await failure(running)).message, "enough");
    await next;
    assert.deepEqual([pool.stats().tasksFailed, pool.stats().replaced], [0, 0]);
  }));

Deno.test("a task that waits is woken by its signal", () =>
  withPool({}, async (pool) => {
    const controller = new AbortController();
    const gate = newGate();
    const waiting = pool.job({ name: "j", signal: controller.signal }).run("wait", { gate: gate.words });
    await until(gate.started, "it waits");
    controller.abort("over");
    assert.equal(await failure(waiting), "over");
  }));

Deno.test("a running task that comes to its end in spite of its cancellation keeps its outcome", () =>
  withPool({}, async (pool) => {
    const job = pool.job({ name: "j" });
    const controller = new AbortController();
    const gate = newGate();
    const running = job.run("hang", { gate: gate.words }, { signal: controller.signal });
    await until(gate.started, "it runs");
    controller.abort();
    gate.open();
    assert.equal(await running, "came to its end");
  }));

Deno.test("a job's signal cancels what is queued, what runs and who waits, and what comes later", () =>
  withPool({ queueLimit: 1 }, async (pool) => {
    const controller = new AbortController();
    const job = pool.job({ name: "j", signal: controller.signal });
    const gate = newGate();
    const all: Promise<unknown>[] = [job.run("block", { gate: gate.words })];
    await until(gate.started, "it runs");
    all.push(job.run("echo", { value: 1 }));
    const producer = job.ready();
    controller.abort("stop");
    const reasons = await failures(...all, producer, job.run("echo", { value: 2 }), job.ready());
    assert.deepEqual(reasons, ["stop", "stop", "stop", "stop", "stop"]);
    assert.equal(await pool.job({ name: "other" }).run("echo", { value: 3 }), 3);
  }));

Deno.test("a signal that was aborted before rejects the task before it is queued", () =>
  withPool({}, async (pool) => {
    const job = pool.job({ name: "j" });
    assert.equal(await failure(job.run("echo", { value: 1 }, { signal: AbortSignal.abort("early") })), "early");
    assert.equal(pool.stats().queued, 0);
  }));

Deno.test("closing a job cancels its tasks, waits for them and leaves other jobs alone", () =>
  withPool({ size: 2 }, async (pool) => {
    const [job, other] = [pool.job({ name: "closing" }), pool.job({ name: "other" })];
    const gates = [newGate(), newGate()];
    const [mine, others] = [job.run("block", { gate: gates[0].words }), other.run("block", { gate: gates[1].words })];
    await until(() => gates.every((gate) => gate.started()), "both run");
    const cancelled = failures(mine, job.run("echo", { value: 1 }));
    await Promise.all([job.close(), job.close()]);
    assert.equal(pool.stats().busy, 1);
    const late = failures(job.run("echo", { value: 1 }), job.ready());
    for (const error of [...await cancelled, ...await late]) {
      assert.ok(error instanceof PoolClosedError);
      assert.match(error.message, /closing/);
    }
    gates[1].open();
    await others;
  }));

Deno.test("a progress listener that throws cancels its task, which rejects with that error", () =>
  withPool({}, async (pool) => {
    const job = pool.job({ name: "j" });
    const gate = newGate();
    const onProgress = () => {
      throw new Error("listener");
    };
    const outcome = job.run("reportThenBlock", { gate: gate.words }, { onProgress });
    assert.equal((await failure(outcome)).message, "listener");
    assert.equal(await job.run("echo", { value: 1 }), 1);
  }));

Deno.test("closing under load settles every promise, lets no task start and ends the workers", async () => {
  const pool = startPool({ size: 2, queueLimit: 50 });
  const jobs = Array.from({ length: 4 }, (_, i) => pool.job({ name: `j${i}`, priority: i ? "bulk" : "interactive" }));
  const runs = jobs.flatMap((job) => Array.from({ length: 100 }, () => job.run("work", { ms: 1 })));
  const settled = Promise.allSettled([...runs, ...jobs.map((job) => job.ready())]);
  await runs[0];
  const closing = pool.close(10_000);
  assert.equal(pool.close(), closing);
  const late = failures(jobs[0].run("echo", { value: 1 }), pool.job({ name: "late" }).ready());
  await closing;
  const errors = (await settled).flatMap((outcome) => outcome.status === "rejected" ? [outcome.reason] : []);
  assert.ok(errors.length > 300, `${errors.length} were rejected`);
  for (const error of [...errors, ...await late]) assert.ok(error instanceof PoolClosedError, String(error));
  const { workers, busy, queued, replaced, tasksFailed } = pool.stats();
  assert.deepEqual([workers, busy, queued, replaced, tasksFailed], [0, 0, 0, 0, 0]);
});

Deno.test("closing lets a task that ends within the grace end, and takes the worker of one that does not", async () => {
  const pool = startPool({ size: 2, abandonAfterMs: 10_000 });
  const job = pool.job({ name: "j" });
  const [kind, deaf] = [newGate(), newGate()];
  const ending = job.run("hang", { gate: kind.words });
  const cancelled = failures(job.run("neverSettle", undefined), job.run("hang", { gate: deaf.words }));
  await until(kind.started, "it runs");
  const closing = pool.close(200);
  kind.open();
  assert.equal(await ending, "came to its end");
  await closing;
  for (const error of await cancelled) assert.ok(error instanceof PoolClosedError);
  assert.equal(deaf.started(), false);
});

Deno.test("a pool that was never used closes", async () => {
  for (const size of [1, 3]) await startPool({ size }).close();
});

Deno.test("options that make no sense are refused", () => {
  for (const options of [{ size: 0 }, { size: 1.5 }, { size: 1, queueLimit: 0 }, { size: 1, maxHeapMb: NaN }]) {
    assert.throws(() => createPool(options), RangeError);
  }
});

Deno.test("the real entry serves the real tasks", async () => {
  const pool = createPool<Record<string, { input: unknown; output: unknown; progress: unknown }>>({ size: 1 });
  try {
    const error = await failure(pool.job({ name: "j" }).run("no such task", null));
    assert.match(error.message, /this worker has no such task/);
  } finally {
    await pool.close();
  }
});

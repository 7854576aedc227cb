import assert from "node:assert/strict";
import { StoreError } from "./object_store.ts";
import { withRetry } from "./retry.ts";
import { withinLimit } from "./within_limit.ts";

const passing = () => new StoreError("unavailable", "for now", true);
const fast = { attempts: 4, firstMs: 1, mostMs: 5 };

Deno.test("only an error that says so is tried again, and no more often than allowed", async () => {
  for (
    const [error, tries] of [
      [passing(), 4],
      [new StoreError("denied", "never"), 1],
      [new Error("a defect"), 1],
    ] as const
  ) {
    let count = 0;
    await assert.rejects(
      withRetry(fast, () => {
        count++;
        return Promise.reject(error);
      }),
      (thrown) => thrown === error,
    );
    assert.equal(count, tries);
  }
  assert.equal(
    await withRetry(fast, (attempt) => attempt < 2 ? Promise.reject(passing()) : Promise.resolve(attempt)),
    2,
  );
});

Deno.test("an abort ends the wait before the next try", async () => {
  const controller = new AbortController();
  const patient = { attempts: 2, firstMs: 1e9, mostMs: 1e9, signal: controller.signal };
  const reason = new Error("no more");
  const waiting = withRetry(patient, () => {
    queueMicrotask(() => controller.abort(reason));
    return Promise.reject(new StoreError("unavailable", "later", true, { retryAfterMs: 1e8 }));
  });
  await assert.rejects(waiting, (error) => error === reason);
});

Deno.test("a call that gives no sign of life ends with an error that may be tried again", async () => {
  let inner: AbortSignal | undefined;
  const hanging = withinLimit({ limitMs: 20, what: "the call" }, (signal) => {
    inner = signal;
    return new Promise(() => {});
  });
  await assert.rejects(hanging, (error: StoreError) => error.kind === "unavailable" && error.retry);
  assert(inner?.aborted);
});

Deno.test("a call that goes on is not late", async () => {
  const done = await withinLimit({ limitMs: 200, what: "the call" }, async (_, alive) => {
    for (let i = 0; i < 30; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      alive();
    }
    return "done";
  });
  assert.equal(done, "done");
});

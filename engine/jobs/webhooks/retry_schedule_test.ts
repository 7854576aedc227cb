import assert from "node:assert/strict";
import { retryAt } from "./retry_schedule.ts";

Deno.test("tries go on for a day, further and further apart", () => {
  let now = 0;
  const times = [0];
  for (let attempts = 0;; attempts++) {
    const fate = retryAt({ attempts }, now, null);
    if (fate === undefined) break;
    assert.ok(fate.status === "pending");
    times.push(now = fate.nextAttemptAt);
  }
  const hours = now / 3_600_000;
  assert.ok(times.length === 10 && hours >= 24 && hours < 27, `${times.length} tries in ${hours} hours`);
  assert.ok(times[1] >= 5_000 && times[1] <= 5_500);
});

Deno.test("a receiver's wish counts where it is later, up to a day", () => {
  const at = (retryAfterMs: number) => retryAt({ attempts: 0 }, 1_000, retryAfterMs);
  assert.ok((at(1) as { nextAttemptAt: number }).nextAttemptAt >= 6_000);
  assert.deepEqual(at(60_000), { status: "pending", nextAttemptAt: 61_000 });
  assert.deepEqual(at(1e12), { status: "pending", nextAttemptAt: 86_401_000 });
});

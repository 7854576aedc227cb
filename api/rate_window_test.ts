import assert from "node:assert/strict";
import { RateWindow } from "./rate_window.ts";

Deno.test("a window begins with the first request, allows the limit, and starts again at its end", () => {
  let now = 1_000;
  const window = new RateWindow({ limit: 2, windowMs: 100, now: () => now });
  assert.deepEqual(window.take("a"), { allowed: true, limit: 2, remaining: 1, resetAt: 1_100 });
  now = 1_050;
  assert.deepEqual(window.take("a"), { allowed: true, limit: 2, remaining: 0, resetAt: 1_100 });
  assert.deepEqual(window.take("a"), { allowed: false, limit: 2, remaining: 0, resetAt: 1_100 });
  assert.deepEqual(window.take("b"), { allowed: true, limit: 2, remaining: 1, resetAt: 1_150 });
  now = 1_100;
  assert.deepEqual(window.take("a"), { allowed: true, limit: 2, remaining: 1, resetAt: 1_200 });
});

Deno.test("callers are forgotten when their window has ended, and beyond the bound the oldest is", () => {
  let now = 0;
  const window = new RateWindow({ limit: 1, windowMs: 100, maxCallers: 3, now: () => now });
  for (const caller of ["a", "b", "c"]) window.take(caller);
  assert.equal(window.take("a").allowed, false);
  window.take("d");
  assert.equal(window.take("b").allowed, false);
  assert.equal(window.take("a").allowed, true, "the oldest was forgotten");
  now = 100;
  assert.equal(window.take("d").allowed, true);
});

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Worker } from "node:worker_threads";
import { ClaimSet } from "./claim_set.ts";

Deno.test("an id is claimed once, by whoever shares the memory", () => {
  const one = ClaimSet.create(1000);
  const other = new ClaimSet(structuredClone(one.data));
  for (let i = 0; i < 500; i++) {
    const id = randomBytes(32);
    const [first, second] = i % 2 === 0 ? [one, other] : [other, one];
    assert.deepEqual([first.claim(id), second.claim(id), first.claim(id)], [true, false, false]);
  }
});

Deno.test("threads that claim the same ids at once get each id once, all together", async () => {
  const ids = Array.from({ length: 50_000 }, () => new Uint8Array(randomBytes(32)));
  const { data } = ClaimSet.create(ids.length + 1000);
  const entry = new URL("../testing/claimer.ts", import.meta.url);
  const got = await Promise.all([0, 1, 2].map((start) =>
    new Promise<string[]>((resolve, reject) => {
      // Some meet each other head-on, some overtake each other.
      const mine = start === 1 ? [...ids].reverse() : ids;
      const worker = new Worker(entry, { workerData: { data, ids: mine } });
      worker.on("error", reject);
      worker.on("message", (won) => worker.terminate().then(() => resolve(won)));
    })
  ));
  const all = got.flat();
  assert.equal(all.length, ids.length);
  assert.deepEqual(new Set(all), new Set(ids.map((id) => id.toHex())));
});

Deno.test("a full set lets everything through: twice stored, never lost", () => {
  const claims = ClaimSet.create(1);
  const ids = Array.from({ length: 3000 }, () => randomBytes(32));
  assert.equal(ids.filter((id) => claims.claim(id)).length, 3000);
  const again = ids.filter((id) => claims.claim(id)).length;
  assert.ok(again > 0 && again < 3000, `${again} of 3000 claimed twice`);
});

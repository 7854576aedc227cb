import assert from "node:assert/strict";
import { busyProcessors } from "./busy.ts";

Deno.test("busyProcessors sees work that goes on, within the number of processors", async () => {
  let working = true;
  const work = (async () => {
    while (working) {
      for (let i = 0, sum = 0; i < 1e6; i++) sum += i;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  })();
  const busy = await busyProcessors(300);
  working = false;
  await work;
  assert.ok(busy > 0 && busy <= navigator.hardwareConcurrency, `${busy} processors`);
});

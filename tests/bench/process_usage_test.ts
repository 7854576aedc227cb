import assert from "node:assert/strict";
import { MemoryPeak, processorMs } from "./process_usage.ts";

Deno.test("MemoryPeak follows what a process touches, in parts and overall", async () => {
  const peak = new MemoryPeak(Deno.pid);
  const before = await peak.read();
  const block = new SharedArrayBuffer(96 * 1024 * 1024);
  new Uint8Array(block).fill(1);
  const grown = await peak.read();
  assert.ok(grown >= Math.max(before, block.byteLength), `${before} to ${grown}`);
  await peak.restart();
  assert.ok((await peak.read()) > 0);
  assert.ok((await peak.overall()) >= grown);
});

Deno.test("processorMs grows with work", async () => {
  const before = await processorMs(Deno.pid);
  let sum = 0;
  while ((await processorMs(Deno.pid)) < before + 20) for (let i = 0; i < 1e6; i++) sum += i;
  assert.ok(sum > 0);
});

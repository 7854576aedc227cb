import assert from "node:assert/strict";
import { inTurn, type Run } from "./copy_bench.ts";
import { makeReport, type Measurements } from "./report.ts";
import { formatReport } from "./table.ts";
import type { CopyScenario } from "./tool.ts";

function runs(scenario: CopyScenario, tool: string, seconds: number[], flush = 0): Run[] {
  return seconds.map((value, round) => ({
    scenario,
    tool,
    round,
    milliseconds: value * 1000,
    flushMs: flush * 1000,
    busyBefore: 0,
    serverPeakBytes: 1000,
  }));
}

function measurements(changes: Partial<Measurements>): Measurements {
  return {
    machine: {
      cpu: "CPU",
      cores: 2,
      memoryBytes: 2 ** 34,
      virtual: true,
      kernel: "6",
      filesystem: "ext4",
      loadAverage: 0,
      deno: "2",
    },
    versions: { rsync: "rsync 3" },
    missing: ["rclone"],
    tree: { files: 3 },
    changedFiles: 1000,
    largeBytes: 4 * 2 ** 30,
    rounds: 3,
    runs: [],
    requests: { syncline: [], bareHono: [] },
    serverPeakBytes: 100 * 2 ** 20,
    notes: [],
    ...changes,
  };
}

Deno.test("makeReport: ratios of medians, judged where there is a bound", () => {
  const report = makeReport(measurements({
    runs: [
      ...runs("first", "syncline", [4, 100, 3]),
      ...runs("first", "rsync", [10, 11, 9], 2),
      ...runs("first", "cp", [3, 3, 3], 2),
      ...runs("first", "rclone", [8, 8, 8]),
    ],
  }));
  const row = (tool: string) => report.copies.find((row) => row.tool === tool);
  assert.equal(row("syncline")?.medianMs, 4000);
  assert.equal(row("syncline")?.ratio, null);
  assert.deepEqual(row("rsync")?.judged, { value: 0.4, bound: 0.4, holds: true });
  assert.equal(row("rsync")?.ratioWithFlush, 4 / 12);
  assert.equal(row("cp")?.judged?.holds, false);
  assert.equal(row("rclone")?.judged, null);
  assert.equal(report.holds, false);
  const text = formatReport(report).join("\n");
  assert.match(text, /first copy .*syncline .*4\.00/);
  assert.match(text, /cp .*1\.33 .*≤ 1\.0 +NO/);
  assert.match(text, /Not measured: rclone/);
});

Deno.test("makeReport: health is judged by the 99th percentile of all rounds together", () => {
  const latenciesMs = Array.from({ length: 100 }, (_, i) => i < 98 ? 1 : 30);
  const health = { latenciesMs, latenessMs: latenciesMs, statuses: { 200: 100 } };
  const probed = runs("first", "syncline, health asked", [1]).map((run) => ({ ...run, health }));
  const report = makeReport(measurements({ runs: probed }));
  assert.equal(report.health[0].p99Ms, 30);
  assert.equal(report.health[0].p50Ms, 1);
  assert.equal(report.health[0].judged.holds, false);
  assert.equal(report.copies[0].judged, null);
});

Deno.test("makeReport: memory must stay under its bound, requests reach theirs", () => {
  assert.equal(makeReport(measurements({ serverPeakBytes: 400 * 2 ** 20 })).memory.holds, false);
  assert.equal(makeReport(measurements({})).holds, true);
  const rate = (perSecond: number) => [{ perSecond, processorUs: 1e6 / perSecond }];
  const report = makeReport(measurements({ requests: { syncline: rate(50), bareHono: rate(100) } }));
  assert.deepEqual(report.requests?.judged, { value: 0.5, bound: 0.5, holds: true });
  assert.equal(report.requests?.processorRatio, 0.5);
});

Deno.test("makeReport says how many runs were disturbed", () => {
  const [quiet, busy] = runs("first", "rsync", [1, 2]);
  const report = makeReport(measurements({ runs: [quiet, { ...busy, busyBefore: 1.5 }] }));
  assert.match(report.notes.join(), /^1 of 2 runs/);
  assert.deepEqual(makeReport(measurements({ runs: [quiet] })).notes, []);
});

Deno.test("inTurn: every tool comes first as often as any other", () => {
  for (const count of [1, 2, 3, 4, 5]) {
    const values = Array.from({ length: count }, (_, i) => i);
    const firsts = values.map((round) => inTurn(values, round)[0]);
    assert.deepEqual(firsts.toSorted(), values);
    assert.deepEqual(inTurn(values, 7).toSorted(), values);
  }
});

import assert from "node:assert/strict";
import type { StepRun } from "./backup_rounds.ts";
import { type BackupMeasurements, makeBackupReport } from "./report.ts";
import { formatBackupReport } from "./table.ts";

function runs(tool: string, step: StepRun["step"], seconds: number[]): StepRun[] {
  return seconds.map((value, round) => ({
    dataset: "tree",
    step,
    tool,
    round,
    milliseconds: value * 1000,
    flushMs: 0,
    busyBefore: 0,
    serverPeakBytes: 100,
  }));
}

function measurements(changes: Partial<BackupMeasurements>): BackupMeasurements {
  const machine = {
    cpu: "CPU",
    cores: 2,
    memoryBytes: 2 ** 34,
    virtual: true,
    kernel: "6",
    filesystem: "ext4",
    loadAverage: 0,
    deno: "2",
  };
  return {
    machine,
    versions: { restic: "restic 1" },
    missing: ["borg"],
    tree: { files: 10 },
    bigBytes: null,
    rounds: 3,
    runs: [],
    sizes: [],
    serverPeakBytes: 100,
    figures: [],
    notes: [],
    ...changes,
  };
}

Deno.test("medians are compared, and judged against restic alone", () => {
  const report = makeBackupReport(measurements({
    runs: [
      ...runs("restic", "first", [10, 30, 20]),
      ...runs("syncline", "first", [9, 8, 100]),
      ...runs("borg", "first", [1, 1, 1]),
    ],
    sizes: [
      { dataset: "tree", tool: "restic", round: 0, versions: 0, bytes: 100 },
      { dataset: "tree", tool: "syncline", round: 0, versions: 0, bytes: 103 },
    ],
  }));
  assert.deepEqual(report.steps.map(({ tool, medianMs, ratio }) => [tool, medianMs, ratio]), [
    ["syncline", 9000, null],
    ["restic", 20000, 0.45],
    ["borg", 1000, 9],
  ]);
  assert.deepEqual(report.steps.map(({ judged }) => judged?.holds), [undefined, true, undefined]);
  assert.deepEqual(report.sizes.map(({ judged }) => judged?.holds), [undefined, false]);
  assert.equal(report.holds, false);
  const text = formatBackupReport(report).join("\n");
  for (const words of ["first backup", "1.030", "Not measured: borg", "Not all bounds hold"]) {
    assert.ok(text.includes(words), words);
  }
});

Deno.test("the server's memory is judged over the whole run", () => {
  assert.equal(makeBackupReport(measurements({})).holds, true);
  assert.equal(makeBackupReport(measurements({ serverPeakBytes: 500 * 1024 ** 2 })).memory?.holds, false);
});

Deno.test("a figure is judged by itself, and one without a bound only told", () => {
  const told = { name: "restore of many", unit: "s" as const, value: 100, bound: null };
  const judged = { name: "list", unit: "s" as const, value: 1, bound: 1 };
  const report = makeBackupReport(measurements({ serverPeakBytes: null, figures: [told, { ...judged, value: 0.9 }] }));
  assert.equal(report.holds, true);
  const failed = makeBackupReport(measurements({ serverPeakBytes: null, figures: [told, judged] }));
  assert.equal(failed.holds, false);
  const text = formatBackupReport(failed).join("\n");
  for (const words of ["restore of many", "100.00 s", "< 1 s", "NO"]) assert.ok(text.includes(words), words);
});

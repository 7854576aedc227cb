import assert from "node:assert/strict";
import { type Figure, formatDatabaseReport, makeDatabaseReport, timeRatio } from "./report.ts";

const machine = {
  cpu: "test",
  cores: 2,
  memoryBytes: 2 ** 30,
  virtual: false,
  kernel: "6",
  filesystem: "ext4",
  loadAverage: 0,
  deno: "2",
};

function report(...figures: Partial<Figure>[]) {
  const whole = figures.map((figure): Figure => ({
    name: "x",
    ours: [1000, 1200, 5000],
    peer: "scan",
    theirs: [1000],
    ratio: 1.2,
    bound: { value: 1.3, kind: "most" },
    peakBytes: 100,
    ...figure,
  }));
  return makeDatabaseReport({ machine, versions: {}, options: {}, missing: [], figures: whole });
}

Deno.test("a bound holds at most or at least, a figure without one always, and memory is bounded by its highest", () => {
  assert.equal(timeRatio([1000, 1200, 5000], [1000]), 1.2);
  assert.equal(report({}).holds, true);
  assert.equal(report({ ratio: 1.31 }).holds, false);
  assert.equal(report({ ratio: 9, bound: null }).holds, true);
  assert.equal(report({ ratio: 0.2, bound: { value: 0.22, kind: "least" } }).holds, false);
  assert.equal(report({ ratio: 0.3, bound: { value: 0.22, kind: "least" } }).holds, true);
  const large = report({ peakBytes: 400 * 1024 ** 2 }, {});
  assert.deepEqual([large.memory.holds, large.holds], [false, false]);
});

Deno.test("the table tells the median, the range and the verdict", () => {
  const lines = formatDatabaseReport(report({ name: "equal" }, { name: "slow", ratio: 2, note: "0.5 of the other" }));
  const [equal, slow] = ["equal", "slow"].map((name) => lines.find((line) => line.startsWith(name)));
  assert.match(equal ?? "", /1\.20 +1\.00–5\.00 +1\.00 +1\.20 +≤ 1\.3 +yes/);
  assert.match(slow ?? "", /NO/);
  assert.ok(lines.includes("slow: 0.5 of the other"));
  assert.equal(lines.at(-1), "Not all bounds hold.");
});

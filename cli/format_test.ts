import assert from "node:assert/strict";
import { formatBytes, formatCount, formatDuration, formatTable, printable } from "./format.ts";

Deno.test("figures are short", () => {
  assert.deepEqual([0, 1023, 1024, 1536, 5368709120].map(formatBytes), [
    "0 bytes",
    "1023 bytes",
    "1.0 KiB",
    "1.5 KiB",
    "5.0 GiB",
  ]);
  assert.deepEqual([formatCount(1, "file"), formatCount(1542, "file")], ["1 file", "1,542 files"]);
  assert.deepEqual([120, 59_940, 60_000, 3_600_000 * 2.5].map(formatDuration), [
    "0.1 s",
    "59.9 s",
    "1 min",
    "2 h 30 min",
  ]);
  assert.deepEqual(formatTable([["A", "B"], ["long", "x"]]), ["A     B", "long  x"]);
});

Deno.test("names cannot command the terminal", () => {
  assert.equal(printable("a\x1b[31mb\nc\udc80 é"), "a\\u001b[31mb\\u000ac\\udc80 é");
});

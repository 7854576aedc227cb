/** The pure decisions: patterns, conflicts, hard links, locks, the baseline's bytes. */
import assert from "node:assert/strict";
import { BaselineEncoder, type BaselineEntry, decodeBaseline } from "./baseline.ts";
import { conflictName, resolveConflict, timeStamp } from "./conflict.ts";
import { type LinkedFile, resolveLinks } from "./links.ts";
import { isWithin, overlap, PathLocks } from "./locks.ts";
import { isTemporaryName, Rules, temporaryName } from "./rules.ts";
import { EngineError } from "../errors.ts";

const none = { source: [], target: [] };

Deno.test("patterns are those of .gitignore", () => {
  const rules = new Rules({
    exclude: ["*.tmp", "!keep.tmp", "/top", "build/", "a/**/z"],
    include: [],
    protected: none,
  });
  const skipped = (path: string, directory = false) => rules.judge(path, directory, false) === "skip";
  assert.ok(skipped("x.tmp") && skipped("deep/x.tmp") && !skipped("keep.tmp"));
  assert.ok(!skipped("X.TMP"), "case counts");
  assert.ok(skipped("top") && !skipped("deep/top"));
  assert.ok(skipped("build", true) && !skipped("build"));
  assert.ok(skipped("a/z") && skipped("a/b/c/z") && !skipped("b/z"));
});

Deno.test("include patterns take what they name and what lies below it", () => {
  const rules = new Rules({ exclude: ["*.bak"], include: ["*.txt", "docs/"], protected: none });
  assert.equal(rules.judge("a.txt", false, false), "take");
  assert.equal(rules.judge("a.bin", false, false), "skip");
  assert.equal(rules.judge("dir", true, false), "pass");
  assert.equal(rules.judge("docs", true, false), "take");
  assert.equal(rules.judge("docs/a.bin", false, true), "take");
  assert.equal(rules.judge("docs/a.bak", false, true), "skip");
});

Deno.test("protected paths are skipped on both sides", () => {
  const rules = new Rules({ exclude: [], include: [], protected: { source: ["x/data"], target: ["trash"] } });
  assert.equal(rules.judge("x/data", true, false), "skip");
  assert.equal(rules.judge("trash", true, false), "skip");
  assert.equal(rules.judge("x", true, false), "take");
});

Deno.test("temporary names are known by their form alone", () => {
  assert.ok(isTemporaryName(temporaryName("0123456789ab", 1_000_000)));
  for (const name of [".syncline", ".syncline-x.tmp", ".syncline-0123456789ab-.tmp", ".syncline-0123456789ab-1.tmpx"]) {
    assert.ok(!isTemporaryName(name), name);
  }
});

Deno.test("conflicts", () => {
  const [early, late] = [{ seconds: 1, nanoseconds: 5 }, { seconds: 1, nanoseconds: 6 }];
  assert.equal(resolveConflict("SourceWins", early, late), "source");
  assert.equal(resolveConflict("TargetWins", late, early), "target");
  assert.equal(resolveConflict("Manual", late, early), "target");
  assert.equal(resolveConflict("LastWriteWins", early, late), "target");
  assert.equal(resolveConflict("LastWriteWins", late, early), "source");
  assert.equal(resolveConflict("LastWriteWins", early, early), "source");
  assert.equal(resolveConflict("LastWriteWins", undefined, early), "target");
  assert.equal(resolveConflict("LastWriteWins", early, undefined), "source");
  assert.equal(resolveConflict("KeepBoth", early, late), "both");
  assert.equal(resolveConflict("KeepBoth", undefined, late), "target");
  assert.equal(resolveConflict("KeepBoth", early, undefined), "source");
});

Deno.test("the name of a kept version keeps its extension and fits", () => {
  const stamp = timeStamp(new Date(Date.UTC(2024, 0, 15, 10, 30)));
  const free = () => false;
  assert.equal(conflictName("report.txt", stamp, free), "report.conflict-20240115T103000Z.txt");
  assert.equal(conflictName(".profile", stamp, free), ".profile.conflict-20240115T103000Z");
  const taken = ["report.conflict-20240115T103000Z.txt", "report.conflict-20240115T103000Z-2.txt"];
  const third = conflictName("report.txt", stamp, (name) => taken.includes(name));
  assert.equal(third, "report.conflict-20240115T103000Z-3.txt");
  const long = conflictName("é".repeat(127) + ".e", stamp, free);
  assert.ok(new TextEncoder().encode(long).length <= 255 && long.endsWith(".conflict-20240115T103000Z.e"));
});

function linked(path: string, source: string, target: string, same: 0 | 1 | 2): LinkedFile {
  return { path, size: 1, source, target, same, existing: target === "" ? "nothing" : "entry" };
}

function outline(files: LinkedFile[]): string[] {
  return resolveLinks(files).map((step) =>
    step.kind === "join" ? `${step.file.path} -> ${step.to}` : `${step.kind} ${step.file.path}`
  ).sort();
}

Deno.test("hard links", () => {
  const cases: [string, LinkedFile[], string[]][] = [
    ["new", [linked("b", "1", "", 0), linked("a", "1", "", 0)], ["b -> a", "copy a"]],
    ["right already", [linked("a", "1", "x", 1), linked("b", "1", "x", 1)], []],
    ["one is missing", [linked("a", "1", "x", 1), linked("b", "1", "", 0)], ["b -> a"]],
    ["separate in the target", [linked("a", "1", "x", 1), linked("b", "1", "y", 1)], ["b -> a"]],
    ["joined in the target only", [linked("a", "1", "x", 1), linked("b", "2", "x", 1)], ["copy b"]],
    ["changed", [linked("a", "1", "x", 0), linked("b", "1", "x", 0)], ["b -> a", "copy a"]],
    ["metadata", [linked("a", "1", "x", 2), linked("b", "1", "x", 2)], ["metadata a"]],
    ["regrouped", [
      linked("a", "1", "x", 1),
      linked("b", "2", "x", 1),
      linked("c", "2", "y", 1),
    ], ["b -> c"]],
  ];
  for (const [name, files, expected] of cases) assert.deepEqual(outline(files), expected, name);
});

Deno.test("locks exclude writers, within each other too", () => {
  assert.ok(isWithin("/a/b", "/a") && isWithin("/a", "/a") && isWithin("/a", "/") && !isWithin("/ab", "/a"));
  assert.ok(overlap("/a", "/a/b") && !overlap("/a", "/b"));
  const locks = new PathLocks();
  const first = locks.acquire("one", ["/a"], ["/b"]);
  locks.acquire("two", ["/a"], ["/c"])[Symbol.dispose]();
  for (const [reads, writes] of [[["/b/x"], []], [[], ["/a/x"]], [[], ["/b"]], [["/x"], ["/"]]]) {
    assert.throws(
      () => locks.acquire("three", reads, writes),
      (error) => error instanceof EngineError && error.kind === "conflict" && error.details.includes("session one"),
    );
  }
  first[Symbol.dispose]();
  locks.acquire("four", [], ["/"])[Symbol.dispose]();
});

Deno.test("a baseline's bytes come back as they were", () => {
  const file: BaselineEntry = {
    type: "file",
    size: 2 ** 40,
    mtime: -5,
    mtimeNs: 999_999_999,
    targetMtime: -5,
    targetMtimeNs: 999_999_999,
    link: "",
  };
  const entries = new Map<string, BaselineEntry>([
    ["a\udcff", file],
    ["coarse", { ...file, targetMtime: -6, targetMtimeNs: 0 }],
    ["dir", { ...file, type: "directory", size: 0, mtime: 0, mtimeNs: 0, targetMtime: 0, targetMtimeNs: 0 }],
    ["link", {
      ...file,
      type: "symlink",
      size: 0,
      mtime: 0,
      mtimeNs: 0,
      targetMtime: 0,
      targetMtimeNs: 0,
      link: "../\udc80x",
    }],
  ]);
  const encoder = new BaselineEncoder();
  for (const [name, entry] of entries) encoder.add(name, entry);
  assert.deepEqual(decodeBaseline(encoder.row), entries);
});

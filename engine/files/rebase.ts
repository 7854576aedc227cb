import { BaselineEncoder, type BaselineEntry, baselineEntry, readRow, swapSides, targetUnchanged } from "./baseline.ts";
import { absorbWritten } from "./absorb.ts";
import { BaselineStore } from "./baseline_store.ts";
import { isSameTime } from "./coarse.ts";
import { readSegment, type Segment } from "./plan.ts";
import { addError, emptyReport, type Report } from "./report.ts";
import { isTemporaryName, type RuleOptions, Rules } from "./rules.ts";
import { openRoot, openSource, type Roots } from "./scan.ts";
import { writtenPath } from "./written.ts";
import { hasCode, Listing, PosixError, readDirectory } from "../posix/mod.ts";
import type { TaskContext } from "../../workers/types.ts";

/** Makes out the baseline of the directories that are named, or that segments name, whatever their steps. */
export interface RebaseInput {
  roots: Roots;
  rules: RuleOptions;
  spool: string;
  segments: Segment[];
  directories: string[];
  /** File of the pair's baseline. */
  baseline: string;
  /** The baseline was made in the other direction. */
  swapped: boolean;
}

export interface RebaseOutput {
  report: Report;
  /** Directories whose target has something that neither the source nor the baseline explains. */
  unsettled: string[];
}

/**
 * Lists both sides again and sets aside what they now agree on, until the run's end makes it the baseline. An entry on which
 * they do not (a conflict that was left, a file that failed) keeps the baseline it had, so that the next run sees it as this
 * one did; one that the run wrote is left to {@link absorb}.
 */
export function rebase(input: RebaseInput, context: TaskContext): RebaseOutput {
  const report = emptyReport();
  const unsettled: string[] = [];
  const rules = new Rules(input.rules);
  using source = openSource(input.roots);
  using target = openRoot(input.roots.target, "target");
  using store = new BaselineStore(input.baseline);
  const encoder = new BaselineEncoder();
  const listings = [new Listing(), new Listing()] as const;
  const rows: [path: string, entries: Uint8Array | null][] = [];
  const left = leftFiles(input);
  for (const path of new Set([...left.keys(), ...input.directories])) {
    context.checkpoint();
    const stored = store.read(path);
    const old = readRow(stored, input.swapped);
    try {
      const from = readDirectory(source.directory(path), listings[0]);
      const to = readDirectory(target.directory(path), listings[1]);
      const { entries, settled } = agreed(path, from, to, old, rules, left.get(path));
      if (settled < to.length) unsettled.push(path);
      encoder.reset();
      for (const [name, entry] of entries) encoder.add(name, input.swapped ? swapSides(entry) : entry);
      rows.push([path, encoder.bytes.slice()]);
      for (const [name, entry] of old) {
        if (entry.type !== "directory" || entries.get(name)?.type === "directory") continue;
        rows.push([path === "" ? name : `${path}/${name}`, null]);
      }
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      rows.push([path, stored ?? new Uint8Array(0)]);
      // Where a side lacks the directory they agree on nothing, and the failure to make it has been reported.
      if (hasCode(error, "ENOENT")) unsettled.push(path);
      else addError(report, path, error);
    }
  }
  store.setAside(rows);
  return { report, unsettled };
}

/** The directories that the segments name, with what stays different in them. */
function leftFiles({ segments, spool }: RebaseInput): Map<string, Set<string>> {
  const left = new Map<string, Set<string>>();
  for (const [path, steps] of segments.flatMap((segment) => readSegment(spool, segment))) {
    const names = left.get(path) ?? new Set();
    left.set(path, names);
    for (const step of steps) if (step[0] === "left") names.add(step[1]);
  }
  return left;
}

export interface AbsorbInput {
  roots: Roots;
  baseline: string;
  swapped: boolean;
  directories: string[];
}

/** Completes rows of unsettled directories with what the run itself wrote there before the source changed again. */
export function absorb({ roots, baseline, swapped, directories }: AbsorbInput, context: TaskContext): void {
  using target = openRoot(roots.target, "target");
  using store = new BaselineStore(baseline);
  absorbWritten({
    log: writtenPath(baseline),
    target,
    store,
    swapped,
    read: (directory) => store.readAside(directory) ?? store.read(directory),
    directories: new Set(directories),
    checkpoint: () => context.checkpoint(),
  });
}

/**
 * What both sides have in common, in the source's order, which is how the comparison meets it; and how many of the target's
 * entries are what their entry there says.
 */
function agreed(
  path: string,
  source: Listing,
  target: Listing,
  old: Map<string, BaselineEntry>,
  rules: Rules,
  left: ReadonlySet<string> = new Set(),
): { entries: Map<string, BaselineEntry>; settled: number } {
  let settled = 0;
  const targets = new Map(target.names.map((name, j) => [name, j]));
  const entries = new Map<string, BaselineEntry>();
  for (let i = 0; i < source.length; i++) {
    const name = source.names[i];
    const entry = isTemporaryName(name) ? undefined : baselineEntry(source, i);
    if (entry === undefined) continue;
    const child = path === "" ? name : `${path}/${name}`;
    // Which directories an include pattern takes is known from above only; a directory's entry says no more than its name.
    if (rules.judge(child, entry.type === "directory", true) === "skip") continue;
    const j = targets.get(name);
    const known = old.get(name);
    if (j === undefined || left.has(name)) {
      if (known !== undefined) entries.set(name, known);
    } else if (targetUnchanged(entry, target, j)) {
      entries.set(name, entry);
      settled++;
    } else if (isCoarse(entry, target, j)) {
      entry.targetMtime = target.mtime(j);
      entry.targetMtimeNs = target.mtimeNs(j);
      entries.set(name, entry);
      settled++;
    } else if (known !== undefined) {
      entries.set(name, known);
      if (targetUnchanged(known, target, j)) settled++;
    }
  }
  for (const [name, known] of old) {
    const j = targets.get(name);
    if (j === undefined || entries.has(name)) continue;
    entries.set(name, known);
    if (targetUnchanged(known, target, j)) settled++;
  }
  return { entries, settled };
}

/** Whether a target's file is the source's under a time that its file system has cut. */
function isCoarse(source: BaselineEntry, target: Listing, index: number): boolean {
  if (source.type !== "file" || target.type(index) !== "file" || source.size !== target.size(index)) return false;
  return isSameTime(source, { mtime: target.mtime(index), mtimeNs: target.mtimeNs(index) });
}

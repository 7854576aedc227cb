import {
  BaselineEncoder,
  type BaselineEntry,
  baselineEntry,
  decodeBaseline,
  isSameVersion,
  readRow,
  swapSides,
  targetUnchanged,
} from "./baseline.ts";
import { absorbWritten } from "./absorb.ts";
import { BaselineStore } from "./baseline_store.ts";
import { isSameTime } from "./coarse.ts";
import { CLOCK_STEP_MS, type Fingerprint, fingerprint, settledTime } from "./fingerprint.ts";
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
  /** Of a run that goes both ways; the baseline is that of `forward`. */
  pass: "forward" | "back" | undefined;
  /** When the run began, milliseconds since 1970. */
  startedAt: number;
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
  const compared = comparedFiles(input);
  const swapped = input.pass === "back";
  // So that the times of what was just copied can be told from those of a change after it.
  if (input.pass !== undefined) waitFor(CLOCK_STEP_MS);
  for (const path of new Set([...compared.keys(), ...input.directories])) {
    context.checkpoint();
    const stored = store.read(path);
    const old = readRow(stored, swapped);
    try {
      const lookedAt = Date.now();
      const { entries, settled, listed } = agreed({
        path,
        source: readDirectory(source.directory(path), listings[0]),
        target: readDirectory(target.directory(path), listings[1]),
        old,
        rules,
        left: compared.get(path)?.left ?? new Set(),
        contents: input.pass === undefined
          ? undefined
          : new KnownContents(compared.get(path)?.contents ?? [], store.placed(path), old, lookedAt, input.startedAt),
      });
      if (settled < listed) unsettled.push(path);
      encoder.reset();
      for (const [name, entry] of entries) encoder.add(name, swapped ? swapSides(entry) : entry);
      rows.push([path, encoder.row]);
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

function waitFor(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** What the comparison has found out about a directory's files. */
interface ComparedFiles {
  /** Those that are different and of one size. */
  left: Set<string>;
  /** Rows of what both sides were seen to hold. */
  contents: Uint8Array[];
}

/** The directories that the segments name. */
function comparedFiles({ segments, spool }: RebaseInput): Map<string, ComparedFiles> {
  const compared = new Map<string, ComparedFiles>();
  for (const [path, steps] of segments.flatMap((segment) => readSegment(spool, segment))) {
    const files = compared.get(path) ?? { left: new Set(), contents: [] };
    compared.set(path, files);
    for (const step of steps) {
      if (step[0] === "left") files.left.add(step[1]);
      if (step[0] === "contents") files.contents.push(Uint8Array.fromBase64(step[1]));
    }
  }
  return compared;
}

/** What is known of the contents of a directory's files, for runs that go both ways. */
class KnownContents {
  readonly #seen: Map<string, BaselineEntry>;
  readonly #placed: Map<string, BaselineEntry>;
  readonly #old: Map<string, BaselineEntry>;
  readonly #lookedAt: number;
  readonly #startedAt: number;

  /**
   * @param seen rows of what the comparison has read
   * @param placed rows of what the run has put into the target
   * @param lookedAt when both sides were listed, milliseconds since 1970
   */
  constructor(
    seen: Uint8Array[],
    placed: Uint8Array[],
    old: Map<string, BaselineEntry>,
    lookedAt: number,
    startedAt: number,
  ) {
    this.#startedAt = startedAt;
    this.#seen = new Map(seen.flatMap((row) => [...decodeBaseline(row)]));
    this.#placed = new Map(placed.flatMap((row) => [...decodeBaseline(row)]));
    this.#old = old;
    this.#lookedAt = lookedAt;
  }

  /** Whether the run has put the target's file there. */
  isPlaced(name: string): boolean {
    return this.#placed.has(name);
  }

  /**
   * The newest that is known of a version. Of one that neither this run nor an earlier one has had in its hands it is what both sides
   * were when the run began, without a hash: their size and time are trusted to tell it.
   */
  of(name: string, entry: BaselineEntry, source: Listing, i: number, target: Listing, j: number): Fingerprint {
    const news = this.#placed.get(name) ?? this.#seen.get(name);
    const known = news ?? this.#old.get(name);
    const before = known !== undefined && isSameVersion(known, entry) ? known.fingerprint : undefined;
    // What was known before this run has been looked at then.
    if (before !== undefined && news === undefined) return before;
    const { hash, ctime, ctimeNs, targetCtime, targetCtimeNs } = before ?? {
      hash: undefined,
      ctime: source.ctime(i),
      ctimeNs: source.ctimeNs(i),
      targetCtime: target.ctime(j),
      targetCtimeNs: target.ctimeNs(j),
    };
    const moment = before === undefined ? this.#startedAt : this.#lookedAt;
    return fingerprint(
      hash,
      settledTime({ ctime, ctimeNs }, moment),
      settledTime({ ctime: targetCtime, ctimeNs: targetCtimeNs }, moment),
    );
  }
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

interface Looked {
  path: string;
  source: Listing;
  target: Listing;
  /** The baseline so far. */
  old: Map<string, BaselineEntry>;
  rules: Rules;
  /** Files that are different and of one size, unless the run has replaced them. */
  left: ReadonlySet<string>;
  contents: KnownContents | undefined;
}

/**
 * What both sides have in common, in the source's order, which is how the comparison meets it; how many of the target's entries are what
 * their entry there says, and how many there are.
 */
function agreed(
  { path, source, target, old, rules, left, contents }: Looked,
): { entries: Map<string, BaselineEntry>; settled: number; listed: number } {
  let settled = 0;
  const targets = new Map(target.names.map((name, j) => [name, j]));
  const entries = new Map<string, BaselineEntry>();
  const settle = (name: string, entry: BaselineEntry, i: number, j: number) => {
    if (entry.type === "file") entry.fingerprint = contents?.of(name, entry, source, i, target, j);
    entries.set(name, entry);
    settled++;
  };
  for (let i = 0; i < source.length; i++) {
    const name = source.names[i];
    const entry = isTemporaryName(name) ? undefined : baselineEntry(source, i);
    if (entry === undefined) continue;
    const child = path === "" ? name : `${path}/${name}`;
    // Which directories an include pattern takes is known from above only; a directory's entry says no more than its name.
    if (rules.judge(child, entry.type === "directory", true) === "skip") continue;
    const j = targets.get(name);
    const known = old.get(name);
    if (j === undefined || left.has(name) && !contents?.isPlaced(name)) {
      if (known !== undefined) entries.set(name, known);
    } else if (targetUnchanged(entry, target, j)) {
      settle(name, entry, i, j);
    } else if (isCoarse(entry, target, j)) {
      entry.targetMtime = target.mtime(j);
      entry.targetMtimeNs = target.mtimeNs(j);
      settle(name, entry, i, j);
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
  return { entries, settled, listed: target.length };
}

/** Whether a target's file is the source's under a time that its file system has cut. */
function isCoarse(source: BaselineEntry, target: Listing, index: number): boolean {
  if (source.type !== "file" || target.type(index) !== "file" || source.size !== target.size(index)) return false;
  return isSameTime(source, { mtime: target.mtime(index), mtimeNs: target.mtimeNs(index) });
}

import { Buffer } from "node:buffer";
import * as fs from "node:fs";
import type { TextPlace } from "./keep_texts.ts";
import { MOST_BYTES, readText } from "./read_text.ts";
import { TextStore } from "./text_store.ts";
import { JobCounter } from "../counters.ts";
import { isDamage, removeDatabase } from "../../sqlite_damage.ts";
import { joinPath, type MergeStep, PlanWriter, readSegment, type Segment } from "../plan.ts";
import { addConflict, addError, emptyReport, type Report } from "../report.ts";
import { openRoot, openSource, type Roots } from "../scan.ts";
import type { Conflict, UnmergedReason } from "../types.ts";
import { mergeContents } from "../../merge/mod.ts";
import { PosixError, type Tree } from "../../posix/mod.ts";
import type { TaskContext } from "../../../workers/types.ts";

export interface MergesInput extends TextPlace {
  roots: Roots;
  spool: string;
  /** Of the stream `merge`. */
  segments: Segment[];
  /** The pass back of a dry run only foresees what it would get from the pass before, which has reported the conflicts. */
  foresees: boolean;
}

export interface MergesOutput {
  segments: Segment[];
  report: Report;
}

type Outcome =
  /** `equals`: all that the other side changed is in this side's version, too. */
  | { merged: Uint8Array; equals: "source" | "target" | "neither" }
  | { reason: UnmergedReason };

/** Merges what both sides changed, and turns each into the steps that bring the merge, or both versions, into the target. */
export function planMerges(input: MergesInput, context: TaskContext): MergesOutput {
  const report = emptyReport();
  using source = openSource(input.roots);
  using target = openRoot(input.roots.target, "target");
  using texts = new BaseTexts(input);
  using plan = new PlanWriter(
    input.spool,
    (length) => Number(Atomics.add(context.counters, JobCounter.planned, BigInt(length))),
  );
  for (const segment of input.segments) {
    for (const [directory, steps] of readSegment(input.spool, segment)) {
      for (const step of steps) {
        context.checkpoint();
        if (step[0] !== "merge") throw new TypeError(`Cannot plan a merge from the step ${step[0]}`);
        const path = joinPath(directory, step[1]);
        let outcome: Outcome;
        try {
          outcome = merge(directory, step, source, target, texts);
        } catch (error) {
          if (!(error instanceof PosixError)) throw error;
          addError(report, path, `cannot be merged: ${error.message}`);
          report.incomplete = true;
          continue;
        }
        if (input.foresees) foresee(plan, report, directory, step, outcome);
        else carryOut(plan, report, directory, step, outcome);
      }
    }
  }
  return { segments: plan.end(), report };
}

function merge(directory: string, step: MergeStep, source: Tree, target: Tree, texts: BaseTexts): Outcome {
  const [, name, , , base, sourceState, targetState] = step;
  if (base.size > MOST_BYTES) return { reason: "too-large" };
  const from = readText(source.directory(directory), name, sourceState);
  if ("reason" in from) return from;
  const to = readText(target.directory(directory), name, targetState);
  if ("reason" in to) return to;
  const common = texts.read(directory, step);
  if (common === undefined) return { reason: "no-common-version" };
  const versions = { base: common, source: from.text, target: to.text };
  const { content, conflictCount } = mergeContents(versions, { strategy: "SourceWins", format: "auto", paths: [name] });
  if (conflictCount > 0) return { reason: "overlapping-edits" };
  const equals = equal(content, from.text) ? "source" : equal(content, to.text) ? "target" : "neither";
  return { merged: content, equals };
}

/** Writes the steps, counts them, and reports the conflict with what becomes of it. */
function carryOut(plan: PlanWriter, report: Report, directory: string, step: MergeStep, outcome: Outcome): void {
  const [, name, kind, keptAs, , source, target] = step;
  const conflict: Conflict = { path: joinPath(directory, name), kind, resolution: "merged" };
  const { size, mtime, mtimeNs } = source;
  if ("merged" in outcome) {
    report.updated++;
    report.bytes += outcome.merged.length;
    if (outcome.equals === "source") {
      conflict.resolution = "source";
      plan.add("copy", directory, ["file", name, size, "entry", mtime, mtimeNs, target], size);
    } else {
      const content = { offset: plan.write(outcome.merged), length: outcome.merged.length };
      plan.add("copy", directory, ["merged", name, content, source, target], content.length);
    }
  } else if (outcome.reason === "changed-meanwhile") {
    Object.assign(conflict, { resolution: "unresolved", reason: outcome.reason });
  } else {
    Object.assign(conflict, { resolution: "both", keptAs, reason: outcome.reason });
    plan.add("first", directory, ["rename", keptAs, name, "file"]);
    plan.add("copy", directory, ["file", name, size, "nothing", mtime, mtimeNs], size);
    report.renamed++;
    report.created++;
    report.bytes += size;
  }
  addConflict(report, conflict);
}

/** What the pass before leaves in this one's source comes here: the merge, or the version that it moved aside. */
function foresee(plan: PlanWriter, report: Report, directory: string, step: MergeStep, outcome: Outcome): void {
  const [, name, , keptAs, , source] = step;
  if ("merged" in outcome) {
    if (outcome.equals === "target") return;
    plan.add("copy", directory, ["file", name, outcome.merged.length, "entry"], outcome.merged.length);
    report.updated++;
    report.bytes += outcome.merged.length;
  } else if (outcome.reason !== "changed-meanwhile") {
    plan.add("copy", directory, ["file", keptAs, source.size, "nothing"], source.size);
    report.created++;
    report.bytes += source.size;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** The common versions that a pair has kept: none where the store is damaged, which is begun anew then. */
class BaseTexts implements Disposable {
  readonly #place: TextPlace;
  #store: TextStore | undefined;

  constructor(place: TextPlace) {
    this.#place = place;
    this.#try(() => {
      if (fs.existsSync(place.texts)) this.#store = new TextStore(place.texts);
    });
  }

  read(directory: string, [, name, , , { hash, ...base }]: MergeStep): Uint8Array | undefined {
    const version = { ...base, hash: hash === undefined ? undefined : Uint8Array.fromBase64(hash) };
    return this.#try(() => this.#store?.read(this.#place.pair, directory, name, version));
  }

  #try<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this[Symbol.dispose]();
      removeDatabase(this.#place.texts);
      return undefined;
    }
  }

  [Symbol.dispose](): void {
    this.#store?.[Symbol.dispose]();
    this.#store = undefined;
  }
}

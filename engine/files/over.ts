import { JobCounter } from "./counters.ts";
import { NOT_EMPTY } from "./placer.ts";
import { joinPath, type PlanLine, PlanWriter, readSegment, type Segment, splitPath } from "./plan.ts";
import { addError, emptyReport, type Report } from "./report.ts";
import type { TaskContext } from "../../workers/types.ts";

export interface OverInput {
  spool: string;
  over: Segment[];
  clear: Segment[];
  /** Something could not be read, so nothing is deleted. */
  incomplete: boolean;
}

export interface OverOutput {
  segments: Segment[];
  /** Negative where steps are left out that were counted before. */
  report: Report;
}

/**
 * Gives each file or link that takes a directory's place what has to be deleted in that, so that nothing is before the new
 * content is there. Where something in the directory stays, it stays whole. Holds these directories' entries in memory.
 */
export function planOver({ spool, over, clear, incomplete }: OverInput, context: TaskContext): OverOutput {
  const report = emptyReport();
  const read = (segments: Segment[]) => segments.flatMap((segment) => readSegment(spool, segment));
  const lines = read(over);
  const replaced = new Map<string, PlanLine[]>();
  for (const [directory, steps] of lines) {
    for (const step of steps) replaced.set(joinPath(directory, nameOf(step)), []);
  }
  for (const line of read(clear)) {
    context.checkpoint();
    insideOf(line[0], replaced).push(line);
  }
  using plan = new PlanWriter(
    spool,
    (length) => Number(Atomics.add(context.counters, JobCounter.planned, BigInt(length))),
  );
  for (const [directory, steps] of lines) {
    for (const step of steps) {
      if (step[0] !== "file" && step[0] !== "symlink" && step[0] !== "hardlink") throw unexpected(step[0]);
      const path = joinPath(directory, step[1]);
      const inside = replaced.get(path) as PlanLine[];
      const all = inside.flatMap(([, steps]) => steps);
      const bytes = step[0] === "file" ? step[2] : 0;
      if (all.some(([kind]) => kind === "keep") || incomplete && all.length > 0) {
        addError(report, path, incomplete ? NOT_EMPTY : "something that stays is in the directory in its place");
        report.deleted -= all.filter(([kind]) => kind === "delete").length;
        report.updated--;
        report.bytes -= bytes;
      } else {
        plan.add(step[0] === "hardlink" ? "join" : "over", directory, ["over", step, inside], bytes);
      }
    }
  }
  return { segments: plan.end(), report };
}

function nameOf(step: PlanLine[1][number]): string {
  if (step[0] !== "file" && step[0] !== "symlink" && step[0] !== "hardlink") throw unexpected(step[0]);
  return step[1];
}

function unexpected(kind: string): TypeError {
  return new TypeError(`Cannot plan what replaces a directory: the stream has the step ${kind}`);
}

/** The list of the replaced directory that a directory is or lies in. */
function insideOf(directory: string, replaced: Map<string, PlanLine[]>): PlanLine[] {
  for (let path = directory; path !== ""; path = splitPath(path)[0]) {
    const inside = replaced.get(path);
    if (inside !== undefined) return inside;
  }
  throw new Error(`Cannot plan what replaces a directory: nothing replaces ${directory}`);
}

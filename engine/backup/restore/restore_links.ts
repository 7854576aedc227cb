import { LARGE } from "./restore_compare.ts";
import {
  emptyRestoreReport,
  type Existing,
  joinPath,
  RestoreCounter,
  type RestoreReport,
  type RestoreSegment,
  type RestoreStep,
  type RestoreStream,
  type Sameness,
} from "./restore_steps.ts";
import { At, extraOf, type FileEntry } from "../trees/tree_entry.ts";
import { PlanWriter, readSegment, splitPath } from "../../files/plan.ts";
import type { TaskContext } from "../../../workers/types.ts";

export interface RestoreLinksInput {
  spool: string;
  /** The segments of the stream `links`. */
  segments: RestoreSegment[];
  overwrite: boolean;
  verify: boolean;
}

export interface RestoreLinksOutput {
  segments: RestoreSegment[];
  report: RestoreReport;
}

/** A file of the version that has other names, or whose target has. */
interface Linked {
  path: string;
  entry: FileEntry;
  /** What makes the target's inode itself; `""` where there is no file. */
  target: string;
  same: Sameness;
  existing: Existing;
  /** Where its data lies. */
  place: number;
}

/**
 * Decides how the target gets the version's hard links: the names of one file become one inode, and no inode of the target serves
 * two files. What is right already is left alone. Holds the tree's hard-linked files in memory.
 */
export function planRestoreLinks(input: RestoreLinksInput, context: TaskContext): RestoreLinksOutput {
  const report = emptyRestoreReport();
  const files = readLinked(input, context);
  const reserve = (length: number) => Number(Atomics.add(context.counters, RestoreCounter.planned, BigInt(length)));
  using plan = new PlanWriter<RestoreStream, RestoreStep>(input.spool, reserve);
  const claimed = new Set<string>();
  const add = (stream: RestoreStream, file: Linked, step: RestoreStep, bytes = 0) => {
    plan.add(stream, splitPath(file.path)[0], step, bytes);
  };
  for (const group of Map.groupBy(files, ({ path, entry }) => extraOf(entry)?.link ?? `path ${path}`).values()) {
    group.sort((a, b) => a.path < b.path ? -1 : 1);
    const leader = group.find(({ same, target }) => same !== 0 && !claimed.has(target)) ?? group[0];
    const { entry } = leader;
    const usable = leader.same !== 0 && !claimed.has(leader.target);
    if (usable) claimed.add(leader.target);
    const rewrite = mayTouch(leader, input) && (!usable || input.verify);
    if (leader.same !== 1 || !usable && rewrite) report.restored++;
    else if (rewrite) report.compared++;
    else report.unchanged++;
    if (rewrite) {
      // One that is not usable must get an inode of its own, whatever is in the old one.
      const step: RestoreStep = ["file", entry, leader.existing, usable];
      if (entry[At.size] >= LARGE) add("large", leader, step, entry[At.size]);
      else plan.addAt(leader.place, "data", splitPath(leader.path)[0], step, entry[At.size]);
      if (!usable) report.bytes += entry[At.size];
    } else if (leader.same === 2) {
      add("make", leader, ["metadata", entry]);
    }
    for (const file of group) {
      if (file === leader) continue;
      const joined = usable && file.target === leader.target || !mayTouch(file, input);
      if (!joined) report.restored++;
      else if (rewrite) report.compared++;
      else report.unchanged++;
      // A leader that turns out to be wrong gets a new inode, which its other names must follow.
      if (!joined || rewrite) add("join", file, ["join", file.entry, leader.path, file.existing]);
    }
  }
  return { segments: plan.end(), report };
}

/** Whether a name may be given another file. */
function mayTouch({ existing }: Linked, { overwrite }: RestoreLinksInput): boolean {
  return overwrite || existing === "nothing";
}

function readLinked({ spool, segments }: RestoreLinksInput, context: TaskContext): Linked[] {
  const files: Linked[] = [];
  for (const segment of segments) {
    context.checkpoint();
    for (const [directory, steps] of readSegment<RestoreStep>(spool, segment)) {
      for (const step of steps) {
        if (step[0] !== "linked") throw new TypeError("Cannot resolve links: the stream has another step");
        const [, entry, target, same, existing, place] = step;
        files.push({ path: joinPath(directory, entry[At.name]), entry, target, same, existing, place });
      }
    }
  }
  return files;
}

import { JobCounter } from "./counters.ts";
import { type Existing, fileStream, PlanWriter, readSegment, type Segment, splitPath } from "./plan.ts";
import { emptyReport, type Report } from "./report.ts";
import type { TaskContext } from "../../workers/types.ts";

/** A source file that has other names, or whose target has. */
export interface LinkedFile {
  path: string;
  size: number;
  /** What makes the source's inode itself. */
  source: string;
  /** The same of the target's entry; `""` where it has none or no file. */
  target: string;
  /** 0: the target's data differs, 1: it is the same, 2: the same under other metadata. */
  same: 0 | 1 | 2;
  existing: Existing;
}

export type LinkStep =
  | { kind: "copy"; file: LinkedFile }
  | { kind: "metadata"; file: LinkedFile }
  | { kind: "join"; file: LinkedFile; to: string };

/**
 * Decides how the target gets the source's hard links: the files of one source inode become one target inode, and no target
 * inode serves two source inodes. What is right already is left alone.
 */
export function resolveLinks(files: LinkedFile[]): LinkStep[] {
  const groups = Map.groupBy(files, (file) => file.source);
  const claimed = new Set<string>();
  const steps: LinkStep[] = [];
  for (const group of groups.values()) {
    group.sort((a, b) => a.path < b.path ? -1 : 1);
    const leader = group.find((file) => file.same !== 0 && !claimed.has(file.target)) ?? group[0];
    const usable = leader.same !== 0 && !claimed.has(leader.target);
    if (usable) {
      claimed.add(leader.target);
      if (leader.same === 2) steps.push({ kind: "metadata", file: leader });
    } else {
      steps.push({ kind: "copy", file: leader });
    }
    for (const file of group) {
      if (file === leader || usable && file.target === leader.target) continue;
      steps.push({ kind: "join", file, to: leader.path });
    }
  }
  return steps;
}

export interface LinksInput {
  spool: string;
  /** The segments of the stream `links`. */
  segments: Segment[];
}

export interface LinksOutput {
  segments: Segment[];
  report: Report;
}

/**
 * Turns the stream `links` into steps. Holds the tree's hard-linked files in memory, about 200 bytes each: which names belong
 * together is known only when all are.
 */
export function planLinks({ spool, segments }: LinksInput, context: TaskContext): LinksOutput {
  const report = emptyReport();
  const files: LinkedFile[] = [];
  for (const segment of segments) {
    context.checkpoint();
    for (const [directory, steps] of readSegment(spool, segment)) {
      for (const step of steps) {
        if (step[0] !== "linked") throw new TypeError("Cannot resolve links: the stream has another step");
        const [, name, size, source, target, same, existing] = step;
        files.push({ path: directory === "" ? name : `${directory}/${name}`, size, source, target, same, existing });
      }
    }
  }
  using plan = new PlanWriter(
    spool,
    (length) => Number(Atomics.add(context.counters, JobCounter.planned, BigInt(length))),
  );
  const touched = new Set<string>();
  for (const step of resolveLinks(files)) {
    const { file } = step;
    const [directory, name] = splitPath(file.path);
    if (step.kind !== "metadata") touched.add(directory);
    const over = file.existing === "directory";
    if (step.kind === "metadata") plan.add("copy", directory, ["metadata", name, "file"]);
    else if (step.kind === "join") {
      plan.add(over ? "over" : "join", directory, ["hardlink", name, step.to, file.existing]);
    } else {plan.add(
        fileStream(file.size, file.existing),
        directory,
        ["file", name, file.size, file.existing],
        file.size,
      );}
    if (step.kind === "copy") report.bytes += file.size;
    if (file.existing === "nothing") report.created++;
    else report.updated++;
  }
  for (const directory of touched) plan.add("finish", directory, ["finish", false]);
  return { segments: plan.end(), report };
}

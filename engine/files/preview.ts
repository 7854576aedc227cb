import { backwards, inOrder, type PlanLine, readSegment, type Segment, type Step } from "./plan.ts";
import type { PlanEntry } from "./types.ts";
import { displayName } from "../posix/mod.ts";

export interface PreviewInput {
  spool: string;
  /** In the order of their application. */
  segments: Segment[];
  /** Directories that are planned to go but stay, because something in them does. */
  kept: string[];
  limit: number;
}

/** A plan's first steps as a dry run shows them. */
export function preview({ spool, segments, kept, limit }: PreviewInput): { plan: PlanEntry[]; truncated: boolean } {
  const plan: PlanEntry[] = [];
  const stays = new Set(kept);
  for (const segment of segments) {
    for (const line of inOrder(segment.stream, readSegment(spool, segment))) {
      for (const entry of entries(line, stays)) {
        if (plan.length === limit) return { plan, truncated: true };
        plan.push(entry);
      }
    }
  }
  return { plan, truncated: false };
}

function* entries([directory, steps]: PlanLine, stays: Set<string>): Generator<PlanEntry> {
  for (const step of steps) {
    if (step[0] === "over") {
      for (const line of backwards(step[2])) yield* entries(line, stays);
    }
    const entry = toEntry(directory, step, stays);
    if (entry !== undefined) yield entry;
  }
}

function toEntry(directory: string, step: Step, stays: Set<string>): PlanEntry | undefined {
  const at = (name: string) => displayName(directory === "" ? name : `${directory}/${name}`);
  const put = (existing: string) => existing === "nothing" ? "create" : "update";
  switch (step[0]) {
    case "file":
      return { action: put(step[3]), type: "file", path: at(step[1]), size: step[2] };
    case "merged":
      return { action: "merge", type: "file", path: at(step[1]), size: step[2].length };
    case "symlink":
      return { action: put(step[3]), type: "symlink", path: at(step[1]), size: 0 };
    case "directory":
      return { action: put(step[2]), type: "directory", path: at(step[1]), size: 0 };
    case "hardlink":
      return { action: put(step[3]), type: "hardlink", path: at(step[1]), from: displayName(step[2]), size: 0 };
    case "metadata":
      return { action: "metadata", type: step[2], path: at(step[1]), size: 0 };
    case "rename":
      return { action: "rename", type: step[3], path: at(step[1]), from: at(step[2]), size: 0 };
    case "over":
      return toEntry(directory, step[1], stays);
    case "delete":
      if (stays.has(directory === "" ? step[1] : `${directory}/${step[1]}`)) return undefined;
      return { action: "delete", type: step[2], path: at(step[1]), size: 0 };
    case "finish":
      return step[1]
        ? { action: "metadata", type: "directory", path: displayName(directory || "."), size: 0 }
        : undefined;
    case "stale":
    case "linked":
    case "merge":
    case "keep":
    case "left":
    case "contents":
    case "row":
      return undefined;
  }
}

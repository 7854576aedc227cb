import { Applier } from "./applier.ts";
import type { PartialCopy } from "./copy.ts";
import { discard } from "./placer.ts";
import { type PlanLine, readSegment, type Segment } from "./plan.ts";
import type { Report } from "./report.ts";
import { temporaryName } from "./rules.ts";
import { openRoot, openSource, type Roots } from "./scan.ts";
import type { TaskContext } from "../../workers/types.ts";

/** How a run's steps are carried out. */
export interface ApplyOptions {
  verify: boolean;
  preservePermissions: boolean;
  owners: boolean;
  /** Bytes a second over all workers. */
  bandwidthLimit?: number;
  /** Absolute path that keeps what is overwritten or deleted. */
  trash?: string;
  /** 12 hexadecimal digits, different for every run. */
  run: string;
  /** File of the {@link WrittenLog}, and whether it is written before each deed. */
  log: { path: string; atOnce: boolean };
  /** Of a run that goes both ways: file of the pair's baseline, which takes what files hold that were copied. */
  contents?: string;
}

/** Segments of one stream to carry out, in this order. */
export interface ApplyInput {
  roots: Roots;
  options: ApplyOptions;
  spool: string;
  segments: Segment[];
  /** Steps that are not in the spool: the segment then only says of which stream they are. */
  lines?: PlanLine[];
  /** Whether something may be deleted: not where something could not be read. */
  deleting: boolean;
}

export interface ApplyOutput {
  report: Report;
  /** Directories whose baseline has to be made out, because not everything in them became what the plan foresaw. */
  deviating: string[];
}

/** Carries segments out: every step on its own, so that one that fails costs no other. */
export function applySegments(input: ApplyInput, context: TaskContext): ApplyOutput {
  using source = openSource(input.roots);
  using target = openRoot(input.roots.target, "target");
  using applier = new Applier(source, target, input, context);
  for (const segment of input.segments) applier.run(segment, input.lines ?? readSegment(input.spool, segment));
  return applier.end();
}

/** A file of the stream `large`. */
export interface LargeInput {
  roots: Roots;
  options: ApplyOptions;
  spool: string;
  segment: Segment;
  /** What the task before this one left. */
  progress?: LargeProgress;
}

export interface LargeProgress {
  /** Which try this is, from 1. */
  attempt: number;
  /** Undefined where it begins again. */
  part?: PartialCopy;
}

export interface LargeOutput extends ApplyOutput {
  /** Undefined where the file is in its place or was given up. */
  progress?: LargeProgress;
}

/** Copies a part of a large file and hands back the rest, for a task after those that wait meanwhile. */
export function copyLarge(input: LargeInput, context: TaskContext): LargeOutput {
  using source = openSource(input.roots);
  using target = openRoot(input.roots.target, "target");
  using applier = new Applier(source, target, { ...input, segments: [], deleting: true }, context);
  const [[directory, [step]]] = readSegment(input.spool, input.segment);
  if (step[0] !== "file") throw new TypeError(`Cannot copy in parts by the step ${step[0]}`);
  const progress = applier.copyPart(input.segment, directory, step, input.progress ?? { attempt: 1 });
  return { ...applier.end(), progress };
}

/** Removes what {@link copyLarge} left of a file that is not to be gone on with. */
export function discardLarge({ roots, options, spool, segment }: LargeInput): void {
  using target = openRoot(roots.target, "target");
  const [[directory]] = readSegment(spool, segment);
  discard(target, directory, temporaryName(options.run, segment.offset));
}

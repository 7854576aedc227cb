import * as fs from "node:fs";
import type { Conflict, FileState } from "./types.ts";
import type { EntryType } from "../posix/mod.ts";

/**
 * A plan is written by the comparison to a spool file and read by whoever applies it, so that its size never counts in
 * memory. It is made of segments: runs of lines of JSON, a line for each directory with its steps.
 *
 * Streams, in the order in which they are applied:
 * - `first`: renames, and directories that take the place of something else. In order.
 * - `copy`: everything that is made or changed; any order, in parallel.
 * - `large`: the same for files that are copied in parts, so that they do not keep a worker to themselves; each its own segment.
 * - `links`: hard-linked files, for which the whole tree must be known first; turned into `copy` and `join`.
 * - `merge`: files that both sides changed and that are to be merged; turned into `first` and `copy`.
 * - `over`, `clear`: files and links that take the place of directories, and what has to go from those; turned into `over` and
 *   `join`, each with what it clears.
 * - `join`: hard links to files that are there by now.
 * - `delete`: backwards, children before parents.
 * - `finish`: directories whose permissions and times are set last.
 * - `baseline`: directories whose baseline has to be made out when all else is done.
 * - `foreseen`: directories with the baseline that they have then, provided that each step did what it says.
 */
export type Stream =
  | "first"
  | "copy"
  | "large"
  | "links"
  | "merge"
  | "over"
  | "clear"
  | "join"
  | "delete"
  | "finish"
  | "baseline"
  | "foreseen";

/** What stands in the target where a step puts something. */
export type Existing = "nothing" | "entry" | "directory";

/**
 * Copy a file of so many bytes, and of this time where the plan foresees the baseline. With `replaced` only over that version of the
 * target.
 */
export type FileStep = [
  "file",
  name: string,
  size: number,
  existing: Existing,
  mtime?: number,
  mtimeNs?: number,
  replaced?: FileState,
];
/**
 * For `merge`: a file whose versions on both sides come from `base`, whose SHA-256 is in base 64. `keptAs` is free for the target's where
 * they do not merge.
 */
export type MergeStep = [
  "merge",
  name: string,
  kind: Conflict["kind"],
  keptAs: string,
  base: FileState & { hash?: string },
  source: FileState,
  target: FileState,
];
/** Put what these versions were merged to, which lies in the spool, in the target's place. */
export type MergedStep = [
  "merged",
  name: string,
  content: { offset: number; length: number },
  source: FileState,
  target: FileState,
];
export type SymlinkStep = ["symlink", name: string, to: string, existing: Existing];
export type HardLinkStep = ["hardlink", name: string, to: string, existing: Existing];

export type Step =
  | FileStep
  | SymlinkStep
  | HardLinkStep
  | MergeStep
  | MergedStep
  /** Takes the place of a directory, when what is to go from that is gone. */
  | ["over", step: FileStep | SymlinkStep | HardLinkStep, inside: PlanLine[]]
  /** For `clear`: something stays. */
  | ["keep"]
  | ["directory", name: string, existing: Existing]
  /** Permissions, owner or a link's time only. */
  | ["metadata", name: string, type: EntryType]
  | ["rename", name: string, from: string, type: EntryType]
  /** With `seen` only that version of a file. */
  | ["delete", name: string, type: EntryType, seen?: FileState]
  /** A temporary name of a run that was killed. */
  | ["stale", name: string]
  /** For `links`: what is known of a hard-linked file. `same` is 0: other data, 1: the same, 2: the same, other metadata. */
  | ["linked", name: string, size: number, source: string, target: string, same: 0 | 1 | 2, existing: Existing]
  /** For `finish`: whether permissions change as well (they count, times do not). */
  | ["finish", counted: boolean]
  /**
   * For `baseline`, as the next, and it has no others: a file that is different on both sides and has one size, and stays so unless it
   * is replaced.
   */
  | ["left", name: string]
  /** What the comparison has found to be the content of both sides' files: a row of entries, in base 64. */
  | ["contents", entries: string]
  /** For `foreseen`: the row of the baseline, in base 64. */
  | ["row", entries: string];

/** A line: a directory's path below the roots, and what is to be done in it. */
export type PlanLine<T = Step> = [directory: string, steps: T[]];

/** @typeParam S the plan's streams; other runs than a synchronisation have others. */
export interface Segment<S extends string = Stream> {
  stream: S;
  /** Place in the spool file, bytes. */
  offset: number;
  length: number;
  steps: number;
  /** Bytes of file data to copy. */
  bytes: number;
  /** Where the data of its first step lies, if that matters. */
  place?: number;
}

/** From this size on a file is copied in parts. More than a segment holds. */
const LARGE_FROM = 128 * 2 ** 20;

/** The stream of a file to copy. */
export function fileStream(size: number, existing: Existing): Stream {
  if (existing === "directory") return "over";
  return size < LARGE_FROM ? "copy" : "large";
}

/** A segment is closed beyond either: small enough to balance workers and to answer a cancellation. */
const MOST_STEPS = 512;
const MOST_BYTES = 64 * 2 ** 20;

/** By how much a group may hold more steps than it should, so that a few are not left over for one of their own. */
const TOLERANCE = 9 / 8;

/**
 * Joins neighbouring segments until they hold so many steps or too many bytes, as scans leave many small ones. A task that
 * replaces files waits for the disk once, however many segments it has.
 */
export function groupSegments<S extends string>(segments: Segment<S>[], mostSteps = MOST_STEPS): Segment<S>[][] {
  const groups: Segment<S>[][] = [];
  let [steps, bytes] = [Infinity, Infinity];
  for (const segment of segments) {
    const full = steps >= mostSteps || steps + segment.steps > mostSteps * TOLERANCE;
    if (full || bytes + segment.bytes > MOST_BYTES) {
      groups.push([]);
      [steps, bytes] = [0, 0];
    }
    groups[groups.length - 1].push(segment);
    steps += segment.steps;
    bytes += segment.bytes;
  }
  return groups;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Segments that gather the steps of as many places at once. */
const MOST_OPEN = 256;

interface OpenSegment<S, T> {
  stream: S;
  place: number | undefined;
  lines: string[];
  directory: string | undefined;
  steps: T[];
  count: number;
  bytes: number;
}

/**
 * Collects steps and writes full segments to the spool. Writers in several threads share one file: each takes its place in
 * it by `reserve`, which adds to a shared counter and returns the counter's value before.
 */
export class PlanWriter<S extends string = Stream, T = Step> {
  readonly #file: number;
  readonly #reserve: (length: number) => number;
  readonly #open = new Map<S, OpenSegment<S, T>>();
  /** Those of a place, the oldest first. */
  readonly #placed = new Map<number, OpenSegment<S, T>>();
  readonly #segments: Segment<S>[] = [];

  constructor(path: string, reserve: (length: number) => number) {
    this.#file = fs.openSync(path, "r+");
    this.#reserve = reserve;
  }

  add(stream: S, directory: string, step?: T, bytes = 0): void {
    let open = this.#open.get(stream);
    if (open === undefined) this.#open.set(stream, open = emptySegment(stream));
    put(open, directory, step, bytes);
    if (!isFull(open)) return;
    this.#open.delete(stream);
    this.#flush(open);
  }

  /**
   * Adds a step whose data lies at a place: steps of one place share a segment, whatever comes between them.
   * @param stream one that has such steps only, and no other has any
   */
  addAt(place: number, stream: S, directory: string, step: T, bytes: number): void {
    let open = this.#placed.get(place);
    if (open === undefined) {
      this.#placed.set(place, open = emptySegment(stream, place));
      if (this.#placed.size > MOST_OPEN) {
        const [[oldest, segment]] = this.#placed;
        this.#placed.delete(oldest);
        this.#flush(segment);
      }
    }
    put(open, directory, step, bytes);
    if (!isFull(open)) return;
    this.#placed.delete(place);
    this.#flush(open);
  }

  /** Writes what steps speak of beside them; returns where it lies. */
  write(content: Uint8Array): number {
    const offset = this.#reserve(content.length);
    let written = 0;
    while (written < content.length) {
      written += fs.writeSync(this.#file, content, written, content.length - written, offset + written);
    }
    return offset;
  }

  #flush(open: OpenSegment<S, T>): void {
    endLine(open);
    const text = encoder.encode(open.lines.join("\n"));
    const offset = this.write(text);
    const { stream, count: steps, bytes, place } = open;
    this.#segments.push({ stream, offset, length: text.length, steps, bytes, ...(place !== undefined && { place }) });
  }

  /** Writes what is left and returns all segments, in the order in which they were begun within each stream. */
  end(): Segment<S>[] {
    for (const open of [...this.#open.values(), ...this.#placed.values()]) this.#flush(open);
    this.#open.clear();
    this.#placed.clear();
    return this.#segments;
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#file);
  }
}

function emptySegment<S, T>(stream: S, place?: number): OpenSegment<S, T> {
  return { stream, place, lines: [], directory: undefined, steps: [], count: 0, bytes: 0 };
}

function put<S, T>(open: OpenSegment<S, T>, directory: string, step: T | undefined, bytes: number): void {
  if (open.directory !== directory) {
    endLine(open);
    open.directory = directory;
  }
  if (step !== undefined) open.steps.push(step);
  open.count++;
  open.bytes += bytes;
}

function isFull<S, T>(open: OpenSegment<S, T>): boolean {
  return open.count >= MOST_STEPS || open.bytes >= MOST_BYTES;
}

function endLine<S, T>(open: OpenSegment<S, T>): void {
  if (open.directory !== undefined) open.lines.push(JSON.stringify([open.directory, open.steps] satisfies PlanLine<T>));
  open.directory = undefined;
  open.steps = [];
}

/** Reads a segment's lines. */
export function readSegment<T = Step>(path: string, segment: { offset: number; length: number }): PlanLine<T>[] {
  for (const lines of readSegments<T>(path, [segment])) return lines;
  return [];
}

/** Reads the lines of some segments, one after the other. */
export function* readSegments<T = Step>(
  path: string,
  segments: { offset: number; length: number }[],
): Generator<PlanLine<T>[]> {
  const file = fs.openSync(path, "r");
  try {
    for (const { offset, length } of segments) {
      const bytes = readExactly(file, offset, length);
      yield decoder.decode(bytes).split("\n").map((line) => JSON.parse(line) as PlanLine<T>);
    }
  } finally {
    fs.closeSync(file);
  }
}

/** Reads what {@link PlanWriter.write} wrote. */
export function readContent(path: string, { offset, length }: { offset: number; length: number }): Uint8Array {
  const file = fs.openSync(path, "r");
  try {
    return readExactly(file, offset, length);
  } finally {
    fs.closeSync(file);
  }
}

function readExactly(file: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < bytes.length) {
    const count = fs.readSync(file, bytes, filled, bytes.length - filled, offset + filled);
    if (count === 0) throw new Error("Cannot read the plan: its file is shorter than it was written");
    filled += count;
  }
  return bytes;
}

/** A stream's lines in the order of their application. */
export function inOrder(stream: Stream, lines: PlanLine[]): PlanLine[] {
  return stream === "delete" || stream === "finish" ? backwards(lines) : lines;
}

/** Children before their parents. */
export function backwards(lines: PlanLine[]): PlanLine[] {
  return lines.toReversed().map(([directory, steps]) => [directory, steps.toReversed()]);
}

export function joinPath(directory: string, name: string): string {
  return directory === "" || name === "" ? directory + name : `${directory}/${name}`;
}

/** A path's parent (`""` is the root) and its last name. */
export function splitPath(path: string): [parent: string, name: string] {
  const cut = path.lastIndexOf("/");
  return [path.slice(0, Math.max(cut, 0)), path.slice(cut + 1)];
}

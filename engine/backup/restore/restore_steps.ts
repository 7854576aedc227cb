import type { DirectoryEntry, Entry, FileEntry, SymlinkEntry } from "../trees/tree_entry.ts";
import type { Existing as Standing, PlanLine, Segment } from "../../files/plan.ts";
import { addErrors, type ErrorList } from "../../files/report.ts";

/**
 * What a restore's plan consists of, in the order in which it is carried out:
 * - `first`: directories that take the place of a file or link. In order.
 * - `make`: all that is made or changed but what follows; any order, in parallel.
 * - `data`: files to write or compare, in the order in which their data lies in the repository, in parallel.
 * - `large`: files that are made range by range, one in each segment.
 * - `links`: files that are or have hard links, for which the whole tree must be known first; turned into `make`, `large` and `join`.
 * - `join`: hard links to files that are there by now.
 * - `delete`: backwards, children before parents.
 * - `finish`: metadata of directories that this process may still enter afterwards; any order.
 * - `close`: metadata of the others, backwards, so that each is the last to be changed of what it holds.
 */
export type RestoreStream = "first" | "make" | "data" | "large" | "links" | "join" | "delete" | "finish" | "close";

/** As of a synchronisation; `tree`: a directory that may go with all that is in it. */
export type Existing = Standing | "tree";

/** 0: other data, 1: the same, 2: the same data under other metadata. */
export type Sameness = 0 | 1 | 2;

/** `keep`: what is there has the right size, and stays where its content turns out to be right. */
export type FileStep = ["file", entry: FileEntry, existing: Existing, keep: boolean];

export type RestoreStep =
  | FileStep
  | ["symlink", entry: SymlinkEntry, existing: Existing]
  | ["directory", name: string, existing: Existing]
  /** The content is right. */
  | ["metadata", entry: FileEntry | SymlinkEntry]
  /** A temporary name of a run that was killed. */
  | ["stale", name: string]
  | ["linked", entry: FileEntry, target: string, same: Sameness, existing: Existing, place: number]
  | ["join", entry: FileEntry, to: string, existing: Existing]
  | ["delete", name: string, isDirectory: boolean]
  /** The directory itself; its pages are left out. */
  | ["finish", entry: DirectoryEntry];

export type RestoreSegment = Segment<RestoreStream>;
export type RestoreLine = PlanLine<RestoreStep>;

/** What the shared counters of a restore's job mean. */
export const RestoreCounter = {
  /** Entries looked at, of the version and of the target. */
  compared: 0,
  /** Length of the plan's spool file. */
  planned: 1,
  /** Steps carried out. */
  steps: 2,
  /** Bytes of file data written or compared. */
  bytes: 3,
} as const;

/** What a task found out and did; also of a plan: what it would do. */
export interface RestoreReport extends ErrorList {
  /** Something could not be read or made, so nothing is deleted. */
  incomplete: boolean;
  /** Files and links. */
  restored: number;
  /** Bytes of file data that were written. */
  bytes: number;
  unchanged: number;
  /** Of a plan: what seems unchanged and will be compared to be sure. */
  compared: number;
  skippedExisting: number;
  deleted: number;
}

export function emptyRestoreReport(): RestoreReport {
  return {
    errors: [],
    errorCount: 0,
    incomplete: false,
    restored: 0,
    bytes: 0,
    unchanged: 0,
    compared: 0,
    skippedExisting: 0,
    deleted: 0,
  };
}

const COUNTS = ["restored", "bytes", "unchanged", "compared", "skippedExisting", "deleted"] as const;

export function addRestoreReport(total: RestoreReport, part: RestoreReport): void {
  addErrors(total, part);
  total.incomplete ||= part.incomplete;
  for (const key of COUNTS) total[key] += part[key];
}

export function joinPath(directory: string, name: string): string {
  return directory === "" || name === "" ? directory + name : `${directory}/${name}`;
}

/** The name that a step is about; `""` for the directory itself. */
export function nameOf(step: RestoreStep): string {
  if (step[0] === "finish") return "";
  return typeof step[1] === "string" ? step[1] : (step[1] as Entry)[0];
}

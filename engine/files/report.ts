import { displayName } from "../posix/mod.ts";
import type { Conflict } from "./types.ts";

/** Errors and conflicts beyond this number are counted, not kept. */
export const MOST_REPORTED = 1000;

/** What a task found out and did; tasks' reports are added up into the run's. Plain data. */
export interface Report {
  errors: string[];
  errorCount: number;
  conflicts: Conflict[];
  conflictCount: number;
  /** Whether something could not be read, so that what seems missing may be there: nothing is deleted then. */
  incomplete: boolean;
  entries: number;
  /** Files and links of the source that the patterns take. */
  sourceFiles: number;
  created: number;
  updated: number;
  renamed: number;
  deleted: number;
  /** Bytes of file data copied, without holes; of a plan: the sizes of the files to copy. */
  bytes: number;
}

export function emptyReport(): Report {
  return {
    errors: [],
    errorCount: 0,
    conflicts: [],
    conflictCount: 0,
    incomplete: false,
    entries: 0,
    sourceFiles: 0,
    created: 0,
    updated: 0,
    renamed: 0,
    deleted: 0,
    bytes: 0,
  };
}

/** The errors of a report. */
export type ErrorList = Pick<Report, "errors" | "errorCount">;

/** Records what went wrong with a path, relative to the roots; the empty path is the root itself. */
export function addError(report: ErrorList, path: string, error: unknown): void {
  report.errorCount++;
  if (report.errors.length >= MOST_REPORTED) return;
  const words = error instanceof Error ? error.message : String(error);
  report.errors.push(`${path === "" ? "." : displayName(path)}: ${words}`);
}

export function addConflict(report: Report, conflict: Conflict): void {
  report.conflictCount++;
  if (report.conflicts.length >= MOST_REPORTED) return;
  const shown: Conflict = { ...conflict, path: displayName(conflict.path) };
  if (conflict.keptAs !== undefined) shown.keptAs = displayName(conflict.keptAs);
  report.conflicts.push(shown);
}

/** Adds a task's errors to a run's. */
export function addErrors(total: ErrorList, part: ErrorList): void {
  total.errorCount += part.errorCount;
  total.errors.push(...part.errors.slice(0, MOST_REPORTED - total.errors.length));
}

/** Adds a task's report to a run's. */
export function addReport(total: Report, part: Report): void {
  addErrors(total, part);
  total.conflictCount += part.conflictCount;
  total.conflicts.push(...part.conflicts.slice(0, MOST_REPORTED - total.conflicts.length));
  total.incomplete ||= part.incomplete;
  for (const key of ["entries", "sourceFiles", "created", "updated", "renamed", "deleted", "bytes"] as const) {
    total[key] += part[key];
  }
}

/** The errors as the answer lists them. */
export function listErrors(report: ErrorList): string[] {
  const left = report.errorCount - report.errors.length;
  return left > 0 ? [...report.errors, `and ${left} more errors, left out here`] : report.errors;
}

import { displayName } from "../../posix/mod.ts";

/** Errors and other lists of paths beyond this number are counted, not kept. */
export const MOST_LISTED = 1000;

/** What tasks find out, added up into the run's. Plain data. */
export interface RunReport {
  /** `relative/path: what went wrong` */
  errors: string[];
  errorCount: number;
  /** Sockets, devices and FIFOs. */
  skipped: string[];
  skippedCount: number;
  /** Bytes of files, and how many of each that the version has. */
  size: number;
  files: number;
  directories: number;
  symlinks: number;
  /** Files and links that the parent version has and the source has no more. */
  deleted: number;
}

export function emptyReport(): RunReport {
  return {
    errors: [],
    errorCount: 0,
    skipped: [],
    skippedCount: 0,
    size: 0,
    files: 0,
    directories: 0,
    symlinks: 0,
    deleted: 0,
  };
}

/** Records what went wrong with a path below the source; the empty path is the source itself. */
export function addError(report: RunReport, path: string, words: string): void {
  report.errorCount++;
  if (report.errors.length < MOST_LISTED) report.errors.push(`${path === "" ? "." : displayName(path)}: ${words}`);
}

export function addSkipped(report: RunReport, path: string): void {
  report.skippedCount++;
  if (report.skipped.length < MOST_LISTED) report.skipped.push(displayName(path));
}

/** Adds a task's report to the run's. */
export function addReport(total: RunReport, part: RunReport): void {
  total.errors.push(...part.errors.slice(0, MOST_LISTED - total.errors.length));
  total.skipped.push(...part.skipped.slice(0, MOST_LISTED - total.skipped.length));
  const numbers = ["errorCount", "skippedCount", "size", "files", "directories", "symlinks", "deleted"] as const;
  for (const key of numbers) total[key] += part[key];
}

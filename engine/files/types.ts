/** The file synchronisation's request and answer, as the engine takes and gives them. */

export type ConflictStrategy = "SourceWins" | "TargetWins" | "LastWriteWins" | "KeepBoth" | "Merge" | "Manual";

/** Every path is absolute and resolved: no link in it, checked against the roots by the caller. */
export interface SyncFilesRequest {
  sourceDirectory: string;
  targetDirectory: string;
  deleteMissingInTarget: boolean;
  verifyIntegrity: boolean;
  /** Patterns as in .gitignore. */
  excludePatterns: string[];
  /** Empty: everything. Else only what matches one of them, and what lies below it. */
  includePatterns: string[];
  direction: "one-way" | "two-way";
  conflictStrategy: ConflictStrategy;
  dryRun: boolean;
  /** The run is refused before its first change where it would delete more than this many entries. */
  maxDelete?: number;
  /** What is overwritten or deleted is kept here, under a folder named for the run's start. */
  trashDirectory?: string;
  /** With `two-way` and without a `trashDirectory`: how long each side's own trash keeps things. */
  trashRetentionDays: number;
  preservePermissions: boolean;
  /** Bytes a second over all workers. */
  bandwidthLimit?: number;
}

export type PlanAction = "create" | "update" | "merge" | "rename" | "delete" | "metadata";

/** One line of a dry run's plan. */
export interface PlanEntry {
  action: PlanAction;
  type: "file" | "directory" | "symlink" | "hardlink" | "special";
  path: string;
  /** Where a `rename` comes from, or what a hard link joins. */
  from?: string;
  /** Bytes to copy; 0 where nothing is read. */
  size: number;
  /** With `two-way`: which of the two directories is changed. */
  side?: "source" | "target";
}

/** What tells one version of a file from another, as a baseline knows it. */
export interface FileState {
  size: number;
  mtime: number;
  mtimeNs: number;
}

/**
 * Why two versions were not merged: both changed the same lines, the version that both come from is not known, one has NUL bytes or
 * is too long, they are not two files with a name each, or one changed while it was read, which leaves it to the next run.
 */
export type UnmergedReason =
  | "overlapping-edits"
  | "no-common-version"
  | "binary"
  | "too-large"
  | "not-mergeable"
  | "changed-meanwhile";

export interface Conflict {
  path: string;
  /** What happened to the target since the last run. */
  kind: "modified" | "added" | "deleted";
  resolution: "source" | "target" | "both" | "merged" | "unresolved";
  /** With `both`: the name that the target's version has now. */
  keptAs?: string;
  /** With the strategy `Merge`, where the versions were not merged. */
  reason?: UnmergedReason;
}

export interface SyncFilesResult {
  success: boolean;
  changesApplied: number;
  conflictsEncountered: number;
  /** `"relative/path: what went wrong"`, at most 1,000 and then one line with the number left out. */
  errors: string[];
  syncedAt: string;
  executionTimeMs: number;
  /** At most 1,000. */
  conflicts: Conflict[];
  dryRun: boolean;
  /** With `dryRun`: the first 10,000 steps in the order of their application. */
  plan?: PlanEntry[];
  /** Whether `plan` was cut. */
  planTruncated?: boolean;
  statistics: {
    entriesCompared: number;
    created: number;
    updated: number;
    renamed: number;
    deleted: number;
    bytesTransferred: number;
  };
}

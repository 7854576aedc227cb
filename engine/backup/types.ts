/** What the backup API, its command line and its engine say to each other. Sizes in bytes, durations in milliseconds, times in ISO 8601 UTC. */
import type { StoreLocation } from "../cloud/object_store.ts";
import type { PathLocks } from "../files/locks.ts";
import type { TaskPool } from "../../workers/types.ts";

/** What the backup engine needs of its surroundings. */
export interface BackupServices {
  pool: TaskPool;
  /** The server's own directory, absolute and resolved: never backed up nor restored into. */
  dataDir: string;
  locks: PathLocks;
  /** Opens encrypted repositories and makes new ones encrypted; undefined: only plain ones. */
  password: string | undefined;
  /** Part of a source's name. */
  host: string;
}

export interface CreateRequest {
  /** Absolute, resolved. */
  sourceDirectory: string;
  repository: StoreLocation;
  isFullBackup: boolean;
  description: string;
  excludePatterns: string[];
}

export interface VersionSummary {
  versionId: string;
  createdAt: string;
  /** Of all files, as restored. */
  totalSize: number;
  fileCount: number;
  isFullBackup: boolean;
  description: string;
  host: string;
  sourceDirectory: string;
  parentVersionId: string | null;
  directoryCount: number;
  linkCount: number;
  /** Bytes that no earlier version had, before and after compression. */
  newBytes: number;
  storedBytes: number;
  changedFileCount: number;
  deletedFileCount: number;
  errorCount: number;
}

export interface CreateResult extends VersionSummary {
  /** Whether every file is in it. */
  success: boolean;
  /** Added or modified, at most 1,000. */
  changedFiles: string[];
  /** `relative/path: what went wrong`, at most 1,000. */
  errors: string[];
  /** Sockets, devices and FIFOs, which are not kept; at most 1,000. */
  skipped: string[];
  executionTimeMs: number;
}

export interface RestoreRequest {
  repository: StoreLocation;
  versionId: string;
  /** Absolute, resolved. */
  restorePath: string;
  /** Paths within the version; empty: all of it. A directory stands for what is in it. Each keeps its path below `restorePath`. */
  paths: string[];
  /** Replace what is there and differs; false leaves it and counts it in `skippedExisting`. */
  overwrite: boolean;
  /** Remove what the version (or the chosen directories) does not have. */
  deleteExtra: boolean;
  dryRun: boolean;
  /** Read back every restored file and compare; compare the contents and all attributes of what seems unchanged, too. */
  verify: boolean;
}

export interface RestoreResult {
  success: boolean;
  versionId: string;
  /** Files and links written; what was right already is in `unchanged`. */
  filesRestored: number;
  bytesRestored: number;
  unchanged: number;
  skippedExisting: number;
  deleted: number;
  dryRun: boolean;
  errors: string[];
  executionTimeMs: number;
}

export interface PruneRequest {
  repository: StoreLocation;
  /** Versions younger than this stay. Undefined: age alone keeps nothing. */
  retentionDays: number | undefined;
  keepLast?: number;
  keepHourly?: number;
  keepDaily?: number;
  keepWeekly?: number;
  keepMonthly?: number;
  keepYearly?: number;
  dryRun: boolean;
}

export interface PruneResult {
  deletedCount: number;
  reclaimedBytes: number;
  dryRun: boolean;
  deletedVersions: string[];
  keptVersions: number;
  packsDeleted: number;
  packsRepacked: number;
  /** What stays as waste inside of packs that are kept. */
  unusedBytes: number;
  executionTimeMs: number;
}

export interface CheckRequest {
  repository: StoreLocation;
  /** Read all data, not only the structure. */
  readData: boolean;
  /** A share of the packs to read with `readData`, 1 to 100 percent; chosen at random each time. */
  subset: number;
}

export interface CheckProblem {
  kind: "missing" | "damaged" | "foreign" | "dangling";
  /** The object's key, or a chunk's id. */
  object: string;
  message: string;
  /** Versions that are not whole because of it. */
  versions: string[];
  /** `versionId:path`, at most 100. */
  files: string[];
}

export interface CheckResult {
  /** No problems. Waste is none. */
  success: boolean;
  problems: CheckProblem[];
  problemCount: number;
  versions: number;
  packs: number;
  chunks: number;
  bytesRead: number;
  /** Bytes that nothing refers to; prune takes them away. */
  unusedBytes: number;
  executionTimeMs: number;
}

export interface RepairRequest {
  repository: StoreLocation;
  dryRun: boolean;
}

export interface RepairResult {
  success: boolean;
  /** In words, what was done or would be. */
  actions: string[];
  indexRebuilt: boolean;
  packsSalvaged: number;
  /** Versions that were replaced by one without what is lost, the new ids by the old. */
  versionsSalvaged: Record<string, string>;
  /** `versionId:path`, what is lost. */
  lostFiles: string[];
  lostFileCount: number;
  dryRun: boolean;
  executionTimeMs: number;
}

/** An entry of a version as browsing shows it. */
export interface BrowseEntry {
  name: string;
  /** Below the source, no leading `/`. */
  path: string;
  type: "file" | "directory" | "symlink";
  size: number;
  mode: number;
  uid: number;
  gid: number;
  modifiedAt: string;
  target?: string;
}

export interface DiffEntry {
  change: "added" | "removed" | "modified" | "metadata" | "type";
  path: string;
  type: "file" | "directory" | "symlink";
  sizeBefore: number | null;
  sizeAfter: number | null;
}

/** What answers about backups say. */
import { z } from "@hono/zod-openapi";
import { timestamp } from "./common.ts";

const count = z.int().min(0);
const VERSION = "550e8400-e29b-41d4-a716-446655440000";
const versionId = z.string().openapi({ example: VERSION });
const executionTimeMs = count.openapi({ example: 5432 });
const sessionId = z.string();
const errors = z.array(z.string()).openapi({ example: [], description: '"relative/path: what went wrong"' });
const type = z.enum(["file", "directory", "symlink"]);

const version = z.object({
  versionId,
  createdAt: timestamp,
  totalSize: count.openapi({ example: 5368709120 }),
  fileCount: count.openapi({ example: 1542 }),
  isFullBackup: z.boolean().openapi({ example: false }),
  description: z.string(),
  host: z.string(),
  sourceDirectory: z.string(),
  parentVersionId: z.string().nullable(),
  directoryCount: count,
  linkCount: count,
  newBytes: count.openapi({ description: "Bytes that no earlier version had." }),
  storedBytes: count.openapi({ description: "The same after compression." }),
  changedFileCount: count,
  deletedFileCount: count,
  errorCount: count,
});

export const CreateBackupAnswer = version.extend({
  success: z.boolean(),
  changedFiles: z.array(z.string()).openapi({
    example: ["file1.txt", "file2.dat"],
    description: "Added or modified, at most 1,000; the version's changes have all.",
  }),
  errors,
  skipped: z.array(z.string()).openapi({ description: "Sockets, devices and FIFOs, which are not kept." }),
  executionTimeMs,
  sessionId,
}).openapi("CreateBackupResponse");

export const VersionsAnswer = z.object({
  versions: z.array(version),
  totalCount: count.openapi({ example: 15 }),
  damagedVersions: z.array(z.string()).openapi({
    example: [],
    description: "Ids of versions that cannot be read; a check says why.",
  }),
}).openapi("BackupVersions");

export const RestoreAnswer = z.object({
  success: z.boolean(),
  versionId,
  filesRestored: count.openapi({ description: "Files and links written." }),
  bytesRestored: count,
  unchanged: count.openapi({ description: "What was right already." }),
  skippedExisting: count.openapi({ description: "What differs and was left, since `overwrite` is false." }),
  deleted: count,
  dryRun: z.boolean(),
  errors,
  executionTimeMs,
  sessionId,
}).openapi("RestoreResponse");

export const PruneAnswer = z.object({
  deletedCount: count.openapi({ example: 5 }),
  reclaimedBytes: count,
  dryRun: z.boolean(),
  deletedVersions: z.array(z.string()),
  keptVersions: count,
  packsDeleted: count,
  packsRepacked: count,
  unusedBytes: count.openapi({ description: "Waste inside of packs that are kept." }),
  executionTimeMs,
  sessionId,
}).openapi("PruneResponse");

const problem = z.object({
  kind: z.enum(["missing", "damaged", "foreign", "dangling"]),
  object: z.string(),
  message: z.string(),
  versions: z.array(z.string()).openapi({ description: "Versions that are not whole because of it." }),
  files: z.array(z.string()).openapi({ description: '"versionId:path", at most 100' }),
});

export const CheckAnswer = z.object({
  success: z.boolean(),
  problems: z.array(problem),
  problemCount: count,
  versions: count,
  packs: count,
  chunks: count,
  bytesRead: count,
  unusedBytes: count.openapi({ description: "What nothing refers to; prune takes it away." }),
  executionTimeMs,
  sessionId,
}).openapi("CheckResponse");

export const RepairAnswer = z.object({
  success: z.boolean().openapi({ description: "False where something is lost." }),
  actions: z.array(z.string()).openapi({ description: "What was done, or would be." }),
  indexRebuilt: z.boolean(),
  packsSalvaged: count,
  versionsSalvaged: z.record(z.string(), z.string()).openapi({
    description: "Versions that were replaced by one without what is lost: the new ids by the old.",
  }),
  lostFiles: z.array(z.string()).openapi({ description: '"versionId:path"' }),
  lostFileCount: count,
  dryRun: z.boolean(),
  executionTimeMs,
  sessionId,
}).openapi("RepairResponse");

const entry = z.object({
  name: z.string(),
  path: z.string(),
  type,
  size: count,
  mode: count,
  uid: count,
  gid: count,
  modifiedAt: timestamp,
  target: z.string().optional().openapi({ description: "Of a symbolic link." }),
});

export const BrowseAnswer = z.object({
  versionId,
  entry: entry.openapi({ description: "What the path names." }),
  entries: z.array(entry).openapi({ description: "What is in it, sorted by name; empty but for a directory." }),
  nextCursor: z.string().nullable(),
}).openapi("BackupEntries");

export const ChangesAnswer = z.object({
  versionId,
  changes: z.array(z.object({ change: z.enum(["added", "modified", "removed"]), path: z.string() })),
  totalCount: count,
}).openapi("BackupChanges");

export const DiffAnswer = z.object({
  from: versionId,
  to: versionId,
  differences: z.array(z.object({
    change: z.enum(["added", "removed", "modified", "metadata", "type"]),
    path: z.string(),
    type,
    sizeBefore: count.nullable(),
    sizeAfter: count.nullable(),
  })),
  totalCount: count,
}).openapi("BackupDiff");

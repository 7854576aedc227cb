/** For tests of the backup routes: an app whose repository operations are only played. */
import type { BackupOperations } from "../../engine/backup/operations.ts";
import type { CreateResult, PruneResult, RestoreResult, VersionSummary } from "../../engine/backup/types.ts";
import { startTestApp, type TestApp } from "../testing.ts";

export const ID = "550e8400-e29b-41d4-a716-446655440000";
export const OTHER = "550e8400-e29b-41d4-a716-446655440001";

const VERSION: VersionSummary = {
  versionId: ID,
  createdAt: "2024-01-15T10:30:00.000Z",
  totalSize: 5368709120,
  fileCount: 1542,
  isFullBackup: false,
  description: "Incremental backup of application data",
  host: "host",
  sourceDirectory: "/path/to/backup",
  parentVersionId: null,
  directoryCount: 1,
  linkCount: 0,
  newBytes: 100,
  storedBytes: 50,
  changedFileCount: 2,
  deletedFileCount: 1,
  errorCount: 0,
};

export const CREATED: CreateResult = {
  ...VERSION,
  success: true,
  changedFiles: ["file1.txt", "file2.dat"],
  errors: [],
  skipped: [],
  executionTimeMs: 5,
};

const RESTORED: RestoreResult = {
  success: true,
  versionId: ID,
  filesRestored: 3,
  bytesRestored: 1000,
  unchanged: 0,
  skippedExisting: 0,
  deleted: 0,
  dryRun: false,
  errors: [],
  executionTimeMs: 5,
};

const PRUNED: PruneResult = {
  deletedCount: 5,
  reclaimedBytes: 100,
  dryRun: false,
  deletedVersions: [],
  keptVersions: 1,
  packsDeleted: 1,
  packsRepacked: 0,
  unusedBytes: 0,
  executionTimeMs: 5,
};

/** An app whose repository operations answer with the above and say what they were asked. */
export async function startBackupApp(more: Partial<BackupOperations> = {}): Promise<TestApp & { asked: unknown[] }> {
  const test = await startTestApp();
  const asked: unknown[] = [];
  const answer = <T>(result: T) => (request: unknown) => {
    asked.push(request);
    return Promise.resolve(result);
  };
  Object.assign(test.backups, {
    create: answer(CREATED),
    restore: answer(RESTORED),
    prune: answer(PRUNED),
    versions: answer({ versions: [VERSION], damaged: [] }),
    versionAt: (_: unknown, pointInTime: Date) => answer(VERSION)(pointInTime),
    ...more,
  });
  return Object.assign(test, { asked });
}

/** The repository that the tests name. */
export const repositoryOf = (test: TestApp) => ({ type: "directory", path: `${test.root}/repository` });

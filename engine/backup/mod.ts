/**
 * Backups: versions of directories in a repository, which is a set of objects in an object store (FORMAT.md).
 * Guarantees: a version that was committed is complete by itself and restores byte for byte, or says what of it is lost; a crash at
 * any moment costs no version that was committed; nothing is returned or written that is not what was stored.
 */
import { checkRepository } from "./maintenance/check.ts";
import { browse } from "./reading/browse.ts";
import { versionChanges } from "./reading/changes.ts";
import { openContent } from "./reading/content.ts";
import { createBackup } from "./create/create.ts";
import { asEngineError } from "./repository/failure.ts";
import { diffVersions } from "./reading/diff.ts";
import { findVersionAt } from "./versions/find_version.ts";
import { versionListing } from "./versions/list_versions.ts";
import { pruneBackups } from "./maintenance/prune.ts";
import { repairRepository } from "./maintenance/repair.ts";
import { restoreBackup } from "./restore/restore.ts";
import type { BackupOperations } from "./operations.ts";
import type { BackupServices } from "./types.ts";

export type { RepositoryAccess } from "./repository/access.ts";
export { addPassword, changePassword, listPasswords, type PasswordInfo, removePassword } from "./repository/keys.ts";
export { openRepository } from "./repository/repository.ts";
export type * from "./operations.ts";
export type * from "./types.ts";

/** What can be done with repositories, by these services. */
export function backupOperations(services: BackupServices): BackupOperations {
  return {
    create: (request, job) => createBackup(request, services, job),
    restore: (request, job) => restoreBackup(request, services, job),
    prune: (request, job) => pruneBackups(request, services, job),
    check: (request, job) => checkRepository(request, services, job),
    repair: (request, job) => repairRepository(request, services, job),
    versions: (repository) => told(versionListing(repository, services)),
    versionAt: (repository, pointInTime) => told(findVersionAt(repository, pointInTime, services)),
    browse: (place, page) => told(browse(place, page, services)),
    content: (place) => told(openContent(place, services)),
    diff: (from, to, signal) => diffVersions(from, to, services, signal),
    changes: (place, signal) => versionChanges(place, services, signal),
  };
}

/** What a store throws, as the callers know it. */
function told<T>(work: Promise<T>): Promise<T> {
  return work.catch((error) => {
    throw asEngineError(error);
  });
}

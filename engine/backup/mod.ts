/**
 * Backups: versions of directories in a repository, which is a set of objects in an object store (FORMAT.md).
 * Guarantees: a version that was committed is complete by itself and restores byte for byte, or says what of it is lost; a crash at
 * any moment costs no version that was committed; nothing is returned or written that is not what was stored.
 */
import { checkRepository } from "./check.ts";
import { browse } from "./browse.ts";
import { versionChanges } from "./changes.ts";
import { openContent } from "./content.ts";
import { createBackup } from "./create.ts";
import { asEngineError } from "./failure.ts";
import { diffVersions } from "./diff.ts";
import { findVersionAt } from "./find_version.ts";
import { versionListing } from "./list_versions.ts";
import { pruneBackups } from "./prune.ts";
import { repairRepository } from "./repair.ts";
import { restoreBackup } from "./restore.ts";
import type { BackupOperations } from "./operations.ts";
import type { BackupServices } from "./types.ts";

export type { RepositoryAccess } from "./access.ts";
export { addPassword, changePassword, listPasswords, type PasswordInfo, removePassword } from "./keys.ts";
export { openRepository } from "./repository.ts";
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

import type { StoreLocation } from "../../cloud/object_store.ts";
import { openStore } from "../../cloud/open_store.ts";
import type { VersionListing } from "../operations.ts";
import { openRepository } from "../repository/repository.ts";
import type { BackupServices, VersionSummary } from "../types.ts";
import type { VersionHead } from "./catalog.ts";
import { versionObject } from "./version.ts";
import { listHeads } from "./version_heads.ts";

/** All versions of a repository. @throws EngineError, StoreError */
export async function versionListing(repository: StoreLocation, services: BackupServices): Promise<VersionListing> {
  const access = await openRepository(repository, services.password);
  const { heads, damaged } = await listHeads(access, openStore(repository));
  return {
    versions: heads.reverse().map(summarise),
    damaged: damaged.map(({ key }) => key.slice(versionObject("").length)),
  };
}

/** A version as the API and the command line show it. */
export function summarise(version: VersionHead): VersionSummary {
  return {
    versionId: version.versionId,
    createdAt: version.createdAt,
    totalSize: version.totalSize,
    fileCount: version.fileCount,
    isFullBackup: version.isFullBackup,
    description: version.description,
    host: version.host,
    sourceDirectory: version.source,
    parentVersionId: version.parentVersionId,
    directoryCount: version.directoryCount,
    linkCount: version.linkCount,
    newBytes: version.newBytes,
    storedBytes: version.storedBytes,
    changedFileCount: version.changedFileCount,
    deletedFileCount: version.deletedFileCount,
    errorCount: version.errorCount,
  };
}

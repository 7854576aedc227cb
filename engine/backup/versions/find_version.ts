import { asEngineError } from "../repository/failure.ts";
import { summarise } from "./list_versions.ts";
import { openRepository } from "../repository/repository.ts";
import type { BackupServices, VersionSummary } from "../types.ts";
import { listHeads, newestOf } from "./version_heads.ts";
import type { StoreLocation } from "../../cloud/object_store.ts";
import { openStore } from "../../cloud/open_store.ts";
import { EngineError } from "../../errors.ts";

/**
 * The newest version that was made not after a time.
 * @param source of this source only, where it is given.
 * @throws EngineError `not-found` where there is none
 */
export async function findVersionAt(
  repository: StoreLocation,
  pointInTime: Date,
  services: BackupServices,
  source?: { host: string; sourceDirectory: string },
): Promise<VersionSummary> {
  try {
    const access = await openRepository(repository, services.password);
    const store = openStore(repository);
    const { heads } = await listHeads(access, store);
    const earlier = heads.filter((version) =>
      Date.parse(version.createdAt) <= pointInTime.getTime() &&
      (source === undefined || version.host === source.host && version.source === source.sourceDirectory)
    );
    const wanted = await newestOf(access, store, earlier);
    if (wanted !== undefined) return summarise(wanted);
  } catch (error) {
    throw asEngineError(error);
  }
  const details = `The repository has no version that was made at or before ${pointInTime.toISOString()}`;
  throw new EngineError("not-found", "Version not found", details);
}

import type { StoreLocation } from "../engine/cloud/object_store.ts";
import type { CloudPlaces } from "./cloud_places.ts";
import type { PathGuard } from "./paths.ts";

/**
 * Where the repository of a request lies.
 * @throws ApiError 403 for a directory that may not be used, 503 for a cloud that is not configured
 */
export async function resolveRepository(
  backupPath: string,
  { clouds, paths }: { clouds: CloudPlaces; paths: PathGuard },
): Promise<StoreLocation> {
  return clouds.ofUrl(backupPath) ?? { type: "directory", path: await paths.resolve("backupPath", backupPath) };
}

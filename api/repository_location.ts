import type { StoreLocation } from "../engine/cloud/object_store.ts";
import { ApiError } from "./errors.ts";
import type { PathGuard } from "./paths.ts";

const CLOUDS: Record<string, string> = { s3: "S3", azure: "Azure" };

/**
 * Where the repository of a request lies.
 * @throws ApiError 403 for a directory that may not be used, 503 for a cloud that is not configured
 */
export async function resolveRepository(backupPath: string, paths: PathGuard): Promise<StoreLocation> {
  const cloud = CLOUDS[backupPath.split("://", 1)[0]];
  if (cloud === undefined) return { type: "directory", path: await paths.resolve("backupPath", backupPath) };
  const details = `backupPath: repositories in ${cloud} are not configured on this server; name a local directory.`;
  throw new ApiError(503, "CLOUD_ERROR", "The cloud storage is not configured", details);
}

import type { Context } from "hono";
import type { AppEnv } from "./environment.ts";
import { rawQueryParameter } from "./raw_query.ts";
import { versionPath } from "./schemas/backup_requests.ts";

/** The `path` of a query within a version, in its plain form; names may have bytes that are no UTF-8. @throws ZodError */
export function pathOf(c: Context<AppEnv>): string {
  return versionPath.parse(rawQueryParameter(c.req.url, "path") ?? "");
}

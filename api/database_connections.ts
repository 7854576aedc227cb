import { type ConnectionSpec, parseConnectionString } from "../engine/database/mod.ts";
import { invalidRequest } from "./errors.ts";
import type { PathGuard } from "./paths.ts";

/**
 * The database that a request's field names. Files that it leads to must be where requests may read and write.
 *
 * @param createFile whether a SQLite file that is missing may be made
 * @throws EngineError `invalid`; ApiError 400 for a path that is not absolute, 403 for one outside the roots
 */
export async function resolveConnection(
  field: string,
  text: string,
  { paths, createFile }: { paths: PathGuard; createFile: boolean },
): Promise<ConnectionSpec> {
  const spec = parseConnectionString(text, field);
  const resolve = async (path: string, what: string) => {
    if (!path.startsWith("/")) throw invalidRequest(`${field}: the path of ${what} must be absolute.`);
    return await paths.resolve(field, path);
  };
  if (spec.engine === "sqlite") {
    const database = await resolve(spec.database, "the SQLite file");
    return { ...spec, database, ...(createFile ? { createFile } : {}) };
  }
  const { sslRootCertificate } = spec;
  if (sslRootCertificate === undefined) return spec;
  return { ...spec, sslRootCertificate: await resolve(sslRootCertificate, "the root certificate") };
}

/** Which local paths a request may name. */
import { basename, dirname, join, normalize, resolve } from "node:path/posix";
import { ConfigError } from "./config.ts";
import { ApiError, invalidRequest } from "./errors.ts";

/** As many as Linux follows. */
const MAX_LINKS = 40;

/** Resolves the paths of requests and refuses those that the configuration does not allow. */
export class PathGuard {
  readonly #roots: string[];
  readonly #namedRoots: readonly string[];
  readonly #dataDir: string;

  private constructor(roots: string[], namedRoots: readonly string[], dataDir: string) {
    this.#roots = roots;
    this.#namedRoots = namedRoots;
    this.#dataDir = dataDir;
  }

  /**
   * @param roots Absolute directories, which must be there.
   * @param dataDir The data directory, which must be there.
   * @throws ConfigError that says which root cannot be used.
   */
  static async open(roots: readonly string[], dataDir: string): Promise<PathGuard> {
    const resolved = await Promise.all(roots.map(async (root) => {
      try {
        if ((await Deno.stat(root)).isDirectory) return await Deno.realPath(root);
      } catch (error) {
        throw new ConfigError(`SYNCLINE_ROOTS names ${root}, which cannot be reached: ${reason(error)}`);
      }
      throw new ConfigError(`SYNCLINE_ROOTS names ${root}, which is not a directory`);
    }));
    return new PathGuard(resolved, roots.map(withoutSlash), await Deno.realPath(dataDir));
  }

  /**
   * The path with every symbolic link resolved; what does not exist yet keeps its name below its deepest existing
   * ancestor. The engine gets this path and follows no link in it, so nothing can lead elsewhere afterwards.
   *
   * A directory that holds the data directory is allowed: the engine leaves the data directory out on both sides.
   * @throws ApiError 403 outside the roots or inside the data directory, 400 where the path cannot be resolved.
   */
  async resolve(field: string, path: string): Promise<string> {
    const normalised = withoutSlash(path);
    let resolved: Resolved;
    try {
      resolved = await resolveExisting(field, normalised);
    } catch (error) {
      // Outside the roots nobody learns what is there, not even by the way a path fails.
      const inside = [...this.#roots, ...this.#namedRoots].some((root) => isWithin(root, normalised));
      throw inside ? error : this.#outside(field, path);
    }
    if (!this.#roots.some((root) => isWithin(root, resolved.path))) throw this.#outside(field, path);
    if (isWithin(this.#dataDir, resolved.path)) {
      throw forbidden(`${field}: ${path} is in the server's own data directory, which no request can reach.`);
    }
    if (resolved.dangling !== undefined) {
      throw invalidRequest(`${field}: ${resolved.dangling} is a symbolic link to something that does not exist.`);
    }
    return resolved.path;
  }

  #outside(field: string, path: string): ApiError {
    const allowed = this.#roots.join(", ");
    return forbidden(`${field}: ${path} is outside the directories that SYNCLINE_ROOTS allows (${allowed}).`);
  }
}

/** Whether a normalised path is a directory itself or lies below it. */
function isWithin(directory: string, path: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

/** Normalised: no `.`, no `..`, no doubled or trailing slash. */
function withoutSlash(path: string): string {
  const normalised = normalize(path);
  return normalised === "/" ? normalised : normalised.replace(/\/$/, "");
}

interface Resolved {
  path: string;
  /** A link in the path that leads to nothing yet. */
  dangling?: string;
}

async function resolveExisting(field: string, path: string, links = 0): Promise<Resolved> {
  let existing = path;
  const missing: string[] = [];
  for (;;) {
    try {
      return { path: join(await Deno.realPath(existing), ...missing) };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw unresolvable(field, path, error);
    }
    const to = await readLinkIfPresent(field, existing);
    if (to !== undefined) {
      if (links === MAX_LINKS) throw invalidRequest(`${field}: ${path} cannot be reached: too many symbolic links.`);
      // Where it leads decides between what is forbidden and what merely does not exist.
      const parent = await resolveExisting(field, dirname(existing), links + 1);
      const end = await resolveExisting(field, resolve(parent.path, to, ...missing), links + 1);
      return { path: end.path, dangling: existing };
    }
    missing.unshift(basename(existing));
    existing = dirname(existing);
  }
}

/** Where a name that leads nowhere points to, if it is there as a link. */
async function readLinkIfPresent(field: string, path: string): Promise<string | undefined> {
  try {
    return (await Deno.lstat(path)).isSymlink ? await Deno.readLink(path) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw unresolvable(field, path, error);
  }
}

function unresolvable(field: string, path: string, error: unknown): ApiError {
  const details = `${field}: ${path} cannot be reached: ${reason(error)}.`;
  if (error instanceof Deno.errors.PermissionDenied) return forbidden(details);
  return invalidRequest(details);
}

function forbidden(details: string): ApiError {
  return new ApiError(403, "FORBIDDEN", "The path is not allowed", details);
}

/** The system's words, without the call and the path that Deno adds. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/ \(os error \d+\).*$/s, "").toLowerCase();
}

import { dirname } from "node:path";
import { type ObjectInfo, StoreError, type StoreErrorKind } from "./object_store.ts";
import * as posix from "../posix/mod.ts";

/** The directory of a store that holds files on their way to their key. */
export const TEMPORARY = "tmp";
const PRIVATE = 0o700;

/** Opens a directory below a store's root, following no link below it. The caller closes it. @throws PosixError */
export function openDirectory(root: string, parts: string[]): posix.Descriptor {
  let current = posix.openAt(posix.AT_FDCWD, root, posix.O_RDONLY | posix.O_DIRECTORY);
  for (const part of parts) {
    const parent = current;
    try {
      current = posix.openDirectoryAt(parent, part);
    } finally {
      posix.close(parent);
    }
  }
  return current;
}

/** As {@link openDirectory}, making what is missing, durably. @throws PosixError */
export async function makeDirectory(root: string, parts: string[]): Promise<posix.Descriptor> {
  try {
    return openDirectory(root, parts);
  } catch (error) {
    if (!posix.hasCode(error, "ENOENT")) throw error;
  }
  let current = await makeRoot(root);
  for (const part of parts) {
    const parent = current;
    try {
      current = await makeAndOpen(parent, part);
    } finally {
      posix.close(parent);
    }
  }
  return current;
}

async function makeRoot(path: string): Promise<posix.Descriptor> {
  try {
    return openDirectory(path, []);
  } catch (error) {
    if (!posix.hasCode(error, "ENOENT") || dirname(path) === path) throw error;
  }
  const parent = await makeRoot(dirname(path));
  try {
    return await makeAndOpen(parent, path.slice(dirname(path).length).replaceAll("/", ""));
  } finally {
    posix.close(parent);
  }
}

async function makeAndOpen(parent: posix.Descriptor, name: string): Promise<posix.Descriptor> {
  try {
    posix.makeDirectoryAt(parent, name, PRIVATE);
    await posix.flushLater(parent);
  } catch (error) {
    if (!posix.hasCode(error, "EEXIST")) throw error;
  }
  return posix.openDirectoryAt(parent, name);
}

/** Whether a failure means that there is no object: nothing there, or no directory where the key has one. */
export function isAbsent(error: unknown): boolean {
  return posix.hasCode(error, "ENOENT", "ENOTDIR", "ELOOP");
}

export function infoOf(key: string, stat: Pick<posix.Stat, "size" | "mtime" | "mtimeNs">): ObjectInfo {
  return {
    key,
    size: stat.size,
    modified: new Date(stat.mtime * 1000 + Math.floor(stat.mtimeNs / 1e6)).toISOString(),
    etag: `${stat.mtime}.${stat.mtimeNs}-${stat.size}`,
  };
}

const KINDS: Record<string, StoreErrorKind> = {
  EEXIST: "exists",
  ENOENT: "not-found",
  ENOTDIR: "invalid",
  EISDIR: "invalid",
  ELOOP: "invalid",
  ENAMETOOLONG: "invalid",
  EILSEQ: "invalid",
  EINVAL: "invalid",
  EACCES: "denied",
  EPERM: "denied",
  EROFS: "denied",
  ENOSPC: "full",
  EDQUOT: "full",
  EFBIG: "full",
};

/** A failed system call as a store says it; any other error as it is. */
export function storeError(error: unknown, key: string): unknown {
  if (!(error instanceof posix.PosixError)) return error;
  return new StoreError(KINDS[error.code] ?? "unavailable", `${key}: ${error.message}`, false, { cause: error });
}

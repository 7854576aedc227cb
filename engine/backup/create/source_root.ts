import { EngineError } from "../../errors.ts";
import { hasCode, PosixError, Tree } from "../../posix/mod.ts";

/** The directory that is backed up, and what it was when the run began. */
export interface SourceRoot {
  /** Absolute, with no link in it. */
  path: string;
  /** Device and inode, so that another directory in its place (an unmounted disk) is noticed. */
  identity: string;
}

const FAILED = "Backup operation failed";

export function backupFailed(details: string, cause?: unknown): EngineError {
  return new EngineError("backup-failed", FAILED, details, cause === undefined ? undefined : { cause });
}

/** Opens a directory to back it up. @throws EngineError `invalid`, `backup-failed` */
export function openSourceDirectory(path: string): Tree {
  try {
    return new Tree(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) throw backupFailed(`Source directory not found: ${path}`, error);
    if (hasCode(error, "ENOTDIR")) {
      const details = `sourceDirectory is not a directory: ${path}`;
      throw new EngineError("invalid", "The request cannot be carried out", details, { cause: error });
    }
    if (error instanceof PosixError) {
      throw backupFailed(`Cannot open the source directory ${path}: ${error.message}`, error);
    }
    throw error;
  }
}

/** Opens the root and checks that it is still the same directory. @throws EngineError */
export function openSource(root: SourceRoot): Tree {
  const tree = openSourceDirectory(root.path);
  if (tree.identity === root.identity) return tree;
  tree[Symbol.dispose]();
  throw backupFailed(`The source directory was replaced during the run: ${root.path}`);
}

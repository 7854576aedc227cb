import * as fs from "node:fs";
import { EngineError } from "../../errors.ts";
import { makeAbsolute } from "../../files/directories.ts";
import { checkWritable, close, hasCode, mayChangeOwner, PosixError, syncFileSystem, Tree } from "../../posix/mod.ts";
import type { TaskContext } from "../../../workers/types.ts";

const FAILED = "The restore failed";

/** Looks at the target before anything is compared, and makes the plan's file. @throws EngineError `invalid`, `backup-failed` */
export function prepareRestore({ target, spool }: { target: string; spool: string }) {
  fs.mkdirSync(spool.slice(0, spool.lastIndexOf("/")), { recursive: true, mode: 0o700 });
  fs.writeFileSync(spool, "", { mode: 0o600 });
  return { owners: mayChangeOwner(), targetExists: isThere(target) };
}

function isThere(target: string): boolean {
  try {
    using _tree = new Tree(target);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    if (hasCode(error, "ENOTDIR", "ELOOP")) {
      const details = `restorePath, or what it lies in, is not a directory: ${target}`;
      throw new EngineError("invalid", "The request cannot be carried out", details, { cause: error });
    }
    throw failure(target, error);
  }
}

/** Makes the target where it is missing. @throws EngineError `backup-failed` */
export function beginRestore({ target }: { target: string }): void {
  try {
    const directory = makeAbsolute(target);
    try {
      checkWritable(directory);
    } finally {
      close(directory);
    }
  } catch (error) {
    throw failure(target, error);
  }
}

/** Waits until everything written to the target's file system is on the disk. @throws EngineError `backup-failed` */
export function flushRestore({ target }: { target: string }, context: TaskContext): void {
  try {
    using tree = new Tree(target);
    context.patiently(() => syncFileSystem(tree.root));
  } catch (error) {
    throw failure(target, error);
  }
}

function failure(target: string, error: unknown): unknown {
  if (!(error instanceof PosixError)) return error;
  const details = `Cannot write to the directory ${target}: ${error.message}`;
  return new EngineError("backup-failed", FAILED, details, { cause: error });
}

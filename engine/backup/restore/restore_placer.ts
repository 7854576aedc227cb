import { isLoss, lossOf } from "../maintenance/loss.ts";
import { removeTree } from "./remove_tree.ts";
import { type Existing, joinPath, type RestoreReport } from "./restore_steps.ts";
import { PathFailure } from "../../files/copy.ts";
import { makeWritable } from "../../files/metadata.ts";
import { addError } from "../../files/report.ts";
import {
  chmodOf,
  type Descriptor,
  hasCode,
  PosixError,
  removeDirectoryAt,
  renameAt,
  renameToFree,
  statOf,
  syncFileSystem,
  type Tree,
  unlinkAt,
} from "../../posix/mod.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** A complete temporary file that waits to take the place of what is there. */
interface Replacement {
  directory: string;
  temporary: string;
  name: string;
  existing: Existing;
}

/** Why something does not take its place. */
export const APPEARED = "something appeared in its place during the run";

type Context = Pick<TaskContext, "checkpoint" | "patiently">;

/** Gives complete temporary files their names, so that each path holds its old or its new content at every moment. */
export class RestorePlacer implements Disposable {
  readonly #target: Tree;
  readonly #report: RestoreReport;
  readonly #context: Context;
  readonly #waiting: Replacement[] = [];
  /** Directories that had to be made writable, and their permissions before. */
  readonly #opened = new Map<string, number>();

  constructor(target: Tree, report: RestoreReport, context: Context) {
    this.#target = target;
    this.#report = report;
    this.#context = context;
  }

  /** Does one path's work and records its failure. Cancellation, an unusable store and defects go on up. */
  async attempt(directory: string, name: string, work: () => Promise<void> | void): Promise<void> {
    try {
      try {
        await work();
      } catch (error) {
        if (!hasCode(error, "EACCES") || !this.#makeWritable(directory)) throw error;
        await work();
      }
    } catch (error) {
      if (!isLoss(error) && !(error instanceof PosixError || error instanceof PathFailure)) throw error;
      addError(this.#report, joinPath(directory, name), isLoss(error) ? lossOf(error) : error);
      this.#report.incomplete = true;
    }
  }

  #makeWritable(directory: string): boolean {
    const descriptor = this.#target.directory(directory);
    const { permissions } = statOf(descriptor);
    if (!makeWritable(descriptor)) return false;
    if (!this.#opened.has(directory)) this.#opened.set(directory, permissions);
    return true;
  }

  /** Takes a complete temporary file: where the name is free it gets it at once, else with {@link replace}. */
  place(directory: string, to: Descriptor, temporary: string, name: string, existing: Existing): void {
    if (existing !== "nothing") {
      this.#waiting.push({ directory, temporary, name, existing });
      return;
    }
    try {
      renameFree(to, temporary, name);
    } catch (error) {
      unlinkAt(to, temporary);
      throw error;
    }
    this.#report.restored++;
  }

  /**
   * Puts new versions in the place of old ones. The new ones are on the disk before the first old one is given up, so not even
   * a power cut can leave a path with neither; one flush serves all that wait.
   */
  async replace(): Promise<void> {
    if (this.#waiting.length > 0) this.#context.patiently(() => syncFileSystem(this.#target.root));
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const { directory, temporary, name, existing } = next;
      await this.attempt(directory, name, () => {
        this.#context.checkpoint();
        this.#takePlace(directory, temporary, name, existing);
        this.#waiting.shift();
        this.#report.restored++;
      });
      if (this.#waiting[0] === next) {
        this.#waiting.shift();
        this.discard(directory, temporary);
      }
    }
    this.#closeAgain();
  }

  #takePlace(directory: string, temporary: string, name: string, existing: Existing): void {
    const to = this.#target.directory(directory);
    if (existing === "entry") return renameAt(to, temporary, to, name);
    if (existing === "tree") this.#report.deleted += removeTree(to, name, () => this.#context.checkpoint());
    else removeEmpty(to, name);
    this.#target.reset();
    renameFree(this.#target.directory(directory), temporary, name);
  }

  /** Gives directories back the permissions that they had. */
  #closeAgain(): void {
    for (const [directory, permissions] of this.#opened) {
      const descriptor = this.#target.directory(directory);
      if (statOf(descriptor).permissions === (permissions | 0o300)) chmodOf(descriptor, permissions);
    }
    this.#opened.clear();
  }

  /** Removes a temporary name, if it is there. */
  discard(directory: string, temporary: string): void {
    try {
      unlinkAt(this.#target.directory(directory), temporary);
    } catch (error) {
      // Where the directory was moved away or became something else, the name went with it.
      if (!hasCode(error, "ENOENT", "ENOTDIR", "ELOOP")) throw error;
    }
  }

  /** A replacement that still waits here was cut off by a cancellation. */
  [Symbol.dispose](): void {
    for (const { directory, temporary } of this.#waiting) this.discard(directory, temporary);
  }
}

function renameFree(to: Descriptor, temporary: string, name: string): void {
  try {
    renameToFree(to, temporary, to, name);
  } catch (error) {
    if (hasCode(error, "EEXIST")) throw new PathFailure(APPEARED);
    throw error;
  }
}

function removeEmpty(to: Descriptor, name: string): void {
  try {
    removeDirectoryAt(to, name);
  } catch (error) {
    if (hasCode(error, "ENOTEMPTY", "EEXIST")) throw new PathFailure("a directory that is not empty is in its place");
    throw error;
  }
}

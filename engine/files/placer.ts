import { isFull, PathFailure } from "./copy.ts";
import type { CopiedContent, PlacedFiles } from "./placed_files.ts";
import { makeWritable } from "./metadata.ts";
import type { FileState } from "./types.ts";
import { backwards, type Existing, joinPath, type PlanLine } from "./plan.ts";
import { addError, type Report } from "./report.ts";
import type { Trash } from "./trash.ts";
import type { WrittenEntry, WrittenLog } from "./written.ts";
import {
  type Descriptor,
  hasCode,
  PosixError,
  removeDirectoryAt,
  renameAt,
  renameToFree,
  type Stat,
  statAt,
  syncFileSystem,
  type Tree,
  unlinkAt,
} from "../posix/mod.ts";

import type { TaskContext } from "../../workers/types.ts";

/** A complete temporary file or link, and where it goes. */
export interface Placement {
  directory: string;
  temporary: string;
  written: WrittenEntry;
  existing: Existing;
  /** Where a directory is in its place: what to delete in it. */
  inside?: PlanLine[];
  /** The only version that it may replace; any where undefined. */
  replaced?: FileState;
  /** Of a copied file, in a run that goes both ways. */
  content?: CopiedContent;
}

/** Gives complete temporary files their names, and takes away what has to go, so that each path holds its old or new content. */
export class Placer implements Disposable {
  readonly #target: Tree;
  readonly #report: Report;
  readonly #log: WrittenLog;
  readonly #trash: Trash | undefined;
  readonly #placed: PlacedFiles | undefined;
  readonly #context: TaskContext;
  readonly #waiting: Placement[] = [];
  /** Directories in which not everything went as it was planned. */
  readonly deviating = new Set<string>();

  /** @param placed of a run that goes both ways */
  constructor(
    target: Tree,
    report: Report,
    log: WrittenLog,
    trash: Trash | undefined,
    placed: PlacedFiles | undefined,
    context: TaskContext,
  ) {
    this.#context = context;
    this.#placed = placed;
    this.#target = target;
    this.#report = report;
    this.#log = log;
    this.#trash = trash;
  }

  /** Does one path's work and records its failure. Cancellation and defects go on up. */
  attempt(directory: string, name: string, work: () => void): void {
    try {
      try {
        work();
      } catch (error) {
        if (!hasCode(error, "EACCES") || !makeWritable(this.#target.directory(directory))) throw error;
        work();
      }
    } catch (error) {
      if (!(error instanceof PosixError || error instanceof PathFailure)) throw error;
      addError(this.#report, joinPath(directory, name), error);
      this.deviating.add(directory);
      if (!isFull(error)) this.#report.incomplete = true;
    }
  }

  /** Takes a complete temporary file: where the name is free it gets it at once, else with {@link replace}. */
  place(to: Descriptor, placement: Placement): void {
    const { directory, temporary, written, existing } = placement;
    if (existing !== "nothing") {
      this.#log.add(directory, written);
      this.#waiting.push(placement);
      return;
    }
    try {
      this.#log.note(directory, written);
      this.#renameTo(to, temporary, written[1]);
    } catch (error) {
      unlinkAt(to, temporary);
      throw error;
    }
    this.#note(to, placement);
    this.#report.created++;
  }

  #note(to: Descriptor, { directory, written, content }: Placement): void {
    if (content !== undefined) this.#placed?.note(directory, to, written[1], content);
  }

  /**
   * Puts new versions in the place of old ones. The new ones are on the disk before the first old one is given up, so not even
   * a power cut can leave a path with neither; one flush serves all segments of a task.
   */
  replace(): void {
    this.#log.flush();
    if (this.#waiting.length === 0) return;
    this.#context.patiently(() => syncFileSystem(this.#target.root));
    this.#trash?.prepare(
      this.#waiting.filter(({ existing }) => existing !== "directory")
        .map(({ directory, written }) => [directory, written[1]]),
    );
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const { directory, temporary, written: [, name], existing, inside = [], replaced } = next;
      this.attempt(directory, name, () => {
        if (existing !== "directory") {
          const to = this.#target.directory(directory);
          if (replaced !== undefined && !isState(statAt(to, name), replaced)) throw new ChangedMeanwhile();
          this.#trash?.keep(directory, to, name);
          renameAt(to, temporary, to, name);
        } else {
          this.#replaceDirectory(directory, temporary, name, inside);
        }
        this.#waiting.shift();
        this.#note(this.#target.directory(directory), next);
        this.#report.updated++;
      });
      if (this.#waiting[0] === next) {
        this.#waiting.shift();
        this.discard(directory, temporary);
      }
    }
  }

  #replaceDirectory(directory: string, temporary: string, name: string, inside: PlanLine[]): void {
    this.prepareDeletions(inside);
    for (const [path, steps] of backwards(inside)) {
      for (const step of steps) {
        if (step[0] !== "delete") throw new TypeError(`Cannot clear a directory by the step ${step[0]}`);
        this.attempt(path, step[1], () => this.delete(path, step[1], step[2] === "directory", step[3]));
      }
    }
    this.#target.reset();
    const to = this.#target.directory(directory);
    try {
      removeDirectoryAt(to, name);
    } catch (error) {
      if (hasCode(error, "ENOTEMPTY", "EEXIST")) throw new PathFailure(NOT_EMPTY);
      throw error;
    }
    this.#renameTo(to, temporary, name);
  }

  #renameTo(to: Descriptor, temporary: string, name: string): void {
    try {
      renameToFree(to, temporary, to, name);
    } catch (error) {
      if (hasCode(error, "EEXIST")) throw new PathFailure("something appeared in its place during the run");
      throw error;
    }
  }

  /** To be called before many deletions. */
  prepareDeletions(lines: PlanLine[]): void {
    this.#trash?.prepare(function* () {
      for (const [directory, steps] of lines) {
        for (const step of steps) if (step[0] === "delete" && step[2] !== "directory") yield [directory, step[1]];
      }
    }());
  }

  /**
   * What is gone already needs no deletion; a directory in which something stays, stays.
   * @param seen the only version of a file that may go; any where undefined
   */
  delete(directory: string, name: string, isDirectory: boolean, seen?: FileState): void {
    try {
      const from = this.#target.directory(directory);
      if (seen !== undefined && !isState(statAt(from, name), seen)) throw new ChangedMeanwhile();
      this.#log.note(directory, ["gone", name]);
      if (isDirectory) {
        removeDirectoryAt(from, name);
      } else {
        this.#trash?.keep(directory, from, name);
        unlinkAt(from, name);
      }
      this.#report.deleted++;
    } catch (error) {
      if (hasCode(error, "ENOENT") || isDirectory && hasCode(error, "ENOTEMPTY", "EEXIST")) return;
      throw error;
    }
  }

  /** Removes a temporary name, if it is there. */
  discard(directory: string, temporary: string): void {
    discard(this.#target, directory, temporary);
  }

  /** A replacement that still waits here was cut off by a cancellation. */
  [Symbol.dispose](): void {
    for (const { directory, temporary } of this.#waiting) this.discard(directory, temporary);
  }
}

/** Removes a temporary name, if it is there. */
export function discard(target: Tree, directory: string, temporary: string): void {
  try {
    const from = target.directory(directory);
    try {
      unlinkAt(from, temporary);
    } catch (error) {
      if (!hasCode(error, "EISDIR")) throw error;
      removeDirectoryAt(from, temporary);
    }
  } catch (error) {
    // Where the directory was moved away or became something else, the name went with it.
    if (!hasCode(error, "ENOENT", "ENOTDIR", "ELOOP")) throw error;
  }
}

/** Someone changed a file since the comparison, so that what was decided about it does not hold. */
export class ChangedMeanwhile extends PathFailure {
  constructor() {
    super("changed during the run, so it is left to the next one");
  }
}

/** Whether a file is still this version. */
export function isState(stat: Stat, { size, mtime, mtimeNs }: FileState): boolean {
  return stat.type === "file" && stat.size === size && stat.mtime === mtime && stat.mtimeNs === mtimeNs;
}

/** Why something does not take a directory's place. */
export const NOT_EMPTY = "a directory that is not empty is in its place";

import { type CopyOptions, copyToTemporary, isFull, PathFailure } from "./copy.ts";
import { JobCounter } from "./counters.ts";
import { makeDirectories, makeDirectory, NEW_DIRECTORY } from "./directories.ts";
import { describeLink, finishDirectory, makeWritable, updateMetadata } from "./metadata.ts";
import { type Existing, type PlanLine, readSegment, type Segment, type Step } from "./plan.ts";
import { addError, emptyReport, type Report } from "./report.ts";
import { temporaryName } from "./rules.ts";
import { openRoot, openSource, type Roots } from "./scan.ts";
import { Throttle } from "./throttle.ts";
import { Trash } from "./trash.ts";
import { type WrittenEntry, writtenFile, WrittenLog } from "./written.ts";
import {
  type Descriptor,
  hasCode,
  linkAt,
  makeSymlinkAt,
  PosixError,
  removeDirectoryAt,
  renameAt,
  renameToFree,
  statAt,
  statIfPresent,
  syncFileSystem,
  type Tree,
  unlinkAt,
} from "../posix/mod.ts";
import type { TaskContext } from "../../workers/types.ts";

/** How a run's steps are carried out. */
export interface ApplyOptions {
  verify: boolean;
  preservePermissions: boolean;
  owners: boolean;
  /** Bytes a second over all workers. */
  bandwidthLimit?: number;
  /** Absolute path that keeps what is overwritten or deleted. */
  trash?: string;
  /** 12 hexadecimal digits, different for every run. */
  run: string;
  /** File of the {@link WrittenLog}, and whether it is written before each deed. */
  log: { path: string; atOnce: boolean };
}

/** Segments of one stream to carry out, in this order. */
export interface ApplyInput {
  roots: Roots;
  options: ApplyOptions;
  spool: string;
  segments: Segment[];
  /** Steps that are not in the spool: the segment then only says of which stream they are. */
  lines?: PlanLine[];
}

/** A complete temporary file that waits to take the place of an old one. */
interface Replacement {
  directory: string;
  temporary: string;
  name: string;
}

/** Carries segments out: every step on its own, so that one that fails costs no other. */
export function applySegments(input: ApplyInput, context: TaskContext): Report {
  using source = openSource(input.roots);
  using target = openRoot(input.roots.target, "target");
  using applier = new Applier(source, target, input, context);
  for (const segment of input.segments) applier.run(segment, input.lines ?? readSegment(input.spool, segment));
  return applier.end();
}

class Applier implements Disposable {
  readonly #source: Tree;
  readonly #target: Tree;
  readonly #context: TaskContext;
  readonly #options: ApplyOptions;
  readonly #copy: CopyOptions;
  readonly #trash: Trash | undefined;
  readonly #log: WrittenLog;
  readonly #targetPath: string;
  readonly #report = emptyReport();
  readonly #replacements: Replacement[] = [];
  /** A second way into the target, for the files that hard links join. */
  #joined: Tree | undefined;
  #serial = 0;

  constructor(source: Tree, target: Tree, { options, roots }: ApplyInput, context: TaskContext) {
    this.#source = source;
    this.#target = target;
    this.#targetPath = roots.target;
    this.#context = context;
    this.#options = options;
    const throttle = new Throttle(options.bandwidthLimit, context);
    this.#copy = {
      verify: options.verify,
      preservePermissions: options.preservePermissions,
      owners: options.owners,
      piece: throttle.piece,
      beforePiece: (bytes) => {
        context.checkpoint();
        throttle.take(bytes);
      },
      afterPiece: (bytes) => {
        Atomics.add(context.counters, JobCounter.bytes, BigInt(bytes));
      },
    };
    this.#log = new WrittenLog(options.log.path, options.log.atOnce);
    if (options.trash !== undefined) this.#trash = new Trash(options.trash, this.#copy);
  }

  run(segment: Segment, lines: PlanLine[]): void {
    // No two segments share an offset, and a step takes more than one byte of it.
    this.#serial = segment.offset;
    const backwards = BACKWARDS.has(segment.stream);
    for (const [directory, steps] of backwards ? lines.reverse() : lines) {
      for (const step of backwards ? steps.reverse() : steps) {
        this.#context.checkpoint();
        this.#attempt(directory, step[0] === "finish" ? "" : step[1], () => this.#step(directory, step));
        Atomics.add(this.#context.counters, JobCounter.steps, 1n);
      }
    }
  }

  /** Puts the waiting replacements in their places. */
  end(): Report {
    this.#replace();
    this.#log.flush();
    return this.#report;
  }

  /** Does one path's work and records its failure. Cancellation and defects go on up. */
  #attempt(directory: string, name: string, work: () => void): void {
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
      if (!isFull(error)) this.#report.incomplete = true;
    }
  }

  #step(directory: string, step: Step): void {
    switch (step[0]) {
      case "file":
        return this.#file(directory, step[1], step[3]);
      case "symlink":
        return this.#symlink(directory, step[1], step[2], step[3]);
      case "directory":
        return this.#directory(directory, step[1], step[2]);
      case "hardlink":
        return this.#hardLink(directory, step[1], step[2], step[3]);
      case "metadata":
        return this.#metadata(directory, step[1]);
      case "rename":
        return this.#rename(directory, step[1], step[2]);
      case "delete":
        return this.#delete(directory, step[1], step[2] === "directory");
      case "stale":
        return this.#discard(directory, step[1]);
      case "finish":
        finishDirectory(this.#source.directory(directory), this.#target.directory(directory), this.#options);
        if (step[1]) this.#report.updated++;
        return;
      case "linked":
        throw new TypeError("Cannot apply a linked file before its links are resolved");
    }
  }

  /** The target's directory, made where it is missing. */
  #into(directory: string): Descriptor {
    const { descriptor, made } = makeDirectories(this.#target, directory, this.#directoryMode);
    this.#report.created += made;
    return descriptor;
  }

  /** Where permissions are not kept, the process's umask decides. */
  get #directoryMode(): number {
    return this.#options.preservePermissions ? NEW_DIRECTORY : 0o777;
  }

  #temporary(): string {
    return temporaryName(this.#options.run, this.#serial++);
  }

  #count(existing: Existing): void {
    if (existing === "nothing") this.#report.created++;
    else this.#report.updated++;
  }

  #file(directory: string, name: string, existing: Existing): void {
    const to = this.#into(directory);
    const temporary = this.#temporary();
    const replaced = this.#options.preservePermissions ? undefined : statIfPresent(to, name);
    const copied = copyToTemporary(this.#source.directory(directory), name, to, temporary, this.#copy, replaced);
    this.#report.bytes += copied.size;
    this.#place(directory, to, temporary, writtenFile(name, copied), existing);
  }

  #symlink(directory: string, name: string, link: string, existing: Existing): void {
    const to = this.#into(directory);
    const stat = statAt(this.#source.directory(directory), name);
    const temporary = this.#temporary();
    makeSymlinkAt(link, to, temporary);
    try {
      describeLink(to, temporary, stat, this.#options);
    } catch (error) {
      unlinkAt(to, temporary);
      throw error;
    }
    this.#place(directory, to, temporary, ["symlink", name, link], existing);
  }

  /** Gives a complete temporary file its name, at once where the name is free, else once it is on the disk. */
  #place(directory: string, to: Descriptor, temporary: string, written: WrittenEntry, existing: Existing): void {
    const name = written[1];
    if (existing === "entry") {
      this.#log.add(directory, written);
      this.#replacements.push({ directory, temporary, name });
      return;
    }
    try {
      this.#log.note(directory, written);
      if (existing === "directory") removeDirectoryAt(to, name);
      renameToFree(to, temporary, to, name);
    } catch (error) {
      unlinkAt(to, temporary);
      if (hasCode(error, "ENOTEMPTY")) throw new PathFailure("a directory that is not empty is in its place");
      if (hasCode(error, "EEXIST")) throw new PathFailure("something appeared in its place during the run");
      throw error;
    }
    this.#count(existing);
  }

  /**
   * Puts new versions in the place of old ones. The new ones are on the disk before the first old one is given up, so not even
   * a power cut can leave a path with neither; one flush serves all segments of a task.
   */
  #replace(): void {
    if (this.#replacements.length === 0) return;
    this.#log.flush();
    syncFileSystem(this.#target.root);
    for (let next = this.#replacements[0]; next !== undefined; next = this.#replacements[0]) {
      const { directory, temporary, name } = next;
      this.#attempt(directory, name, () => {
        const to = this.#target.directory(directory);
        this.#trash?.keep(directory, to, name);
        renameAt(to, temporary, to, name);
        this.#replacements.shift();
        this.#report.updated++;
      });
      if (this.#replacements[0] === next) {
        this.#replacements.shift();
        this.#discard(directory, temporary);
      }
    }
  }

  #directory(directory: string, name: string, existing: Existing): void {
    const to = this.#into(directory);
    this.#log.note(directory, ["directory", name]);
    if (existing === "entry") {
      this.#trash?.keep(directory, to, name);
      unlinkAt(to, name);
      this.#report.updated += makeDirectory(to, name, this.#directoryMode) ? 1 : 0;
    } else {
      this.#report.created += makeDirectory(to, name, this.#directoryMode) ? 1 : 0;
    }
  }

  #hardLink(directory: string, name: string, path: string, existing: Existing): void {
    const to = this.#into(directory);
    const [parent, base] = splitPath(path);
    this.#joined ??= openRoot(this.#targetPath, "target");
    const from = this.#joined.directory(parent);
    const [wanted, there] = [statAt(this.#source.directory(parent), base), statAt(from, base)];
    if (wanted.size !== there.size || wanted.mtime !== there.mtime || wanted.mtimeNs !== there.mtimeNs) {
      throw new PathFailure(`${path}, the file that it is linked to, could not be copied`);
    }
    this.#log.note(directory, writtenFile(name, there));
    if (existing === "nothing") {
      linkAt(from, base, to, name);
    } else {
      const temporary = this.#temporary();
      if (existing === "directory") removeDirectoryAt(to, name);
      else this.#trash?.keep(directory, to, name);
      linkAt(from, base, to, temporary);
      try {
        renameAt(to, temporary, to, name);
      } finally {
        // Renaming one link of a file over another does nothing.
        this.#discard(directory, temporary);
      }
    }
    this.#count(existing);
  }

  #metadata(directory: string, name: string): void {
    updateMetadata(this.#source.directory(directory), this.#target.directory(directory), name, this.#options);
    this.#report.updated++;
  }

  #rename(directory: string, name: string, from: string): void {
    const to = this.#target.directory(directory);
    this.#log.note(directory, ["gone", from]);
    if (name.toLowerCase() === from.toLowerCase()) renameAt(to, from, to, name);
    else renameToFree(to, from, to, name);
    this.#target.reset();
    this.#report.renamed++;
  }

  /** What is gone already needs no deletion; a directory in which something stays, stays. */
  #delete(directory: string, name: string, isDirectory: boolean): void {
    try {
      const from = this.#target.directory(directory);
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
  #discard(directory: string, temporary: string): void {
    try {
      unlinkAt(this.#target.directory(directory), temporary);
    } catch (error) {
      // Where the directory was moved away or became something else, the name went with it.
      if (!hasCode(error, "ENOENT", "ENOTDIR", "ELOOP")) throw error;
    }
  }

  /** A replacement that still waits here was cut off by a cancellation. */
  [Symbol.dispose](): void {
    for (const { directory, temporary } of this.#replacements) this.#discard(directory, temporary);
    this.#joined?.[Symbol.dispose]();
    this.#log[Symbol.dispose]();
    this.#trash?.[Symbol.dispose]();
  }
}

/** Streams in which children come before their parents. */
const BACKWARDS: ReadonlySet<string> = new Set(["clear", "delete", "finish"]);

function joinPath(directory: string, name: string): string {
  return directory === "" || name === "" ? directory + name : `${directory}/${name}`;
}

/** A path's parent (`""` is the root) and its last name. */
export function splitPath(path: string): [parent: string, name: string] {
  const cut = path.lastIndexOf("/");
  return [path.slice(0, Math.max(cut, 0)), path.slice(cut + 1)];
}

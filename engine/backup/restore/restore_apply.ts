import { type FileOptions, holds, makeFile, openExisting } from "./restore_file.ts";
import { describeLink, finishDirectory, metadataDiffers, updateMetadata } from "./restore_metadata.ts";
import { APPEARED, RestorePlacer } from "./restore_placer.ts";
import {
  emptyRestoreReport,
  type Existing,
  joinPath,
  nameOf,
  RestoreCounter,
  type RestoreLine,
  type RestoreReport,
  type RestoreSegment,
  type RestoreStep,
} from "./restore_steps.ts";
import { At, type FileEntry, type SymlinkEntry } from "../trees/tree_entry.ts";
import { type DataSource, VersionData } from "../versions/version_data.ts";
import { PathFailure } from "../../files/copy.ts";
import { makeDirectories, makeDirectory, NEW_DIRECTORY } from "../../files/directories.ts";
import { readSegments, splitPath } from "../../files/plan.ts";
import { addError } from "../../files/report.ts";
import { temporaryName } from "../../files/rules.ts";
import {
  close,
  type Descriptor,
  hasCode,
  linkAt,
  makeSymlinkAt,
  removeDirectoryAt,
  statAt,
  statIfPresent,
  statOf,
  Tree,
  unlinkAt,
} from "../../posix/mod.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** What is the same for all tasks that carry out a restore. */
export interface RestoreApplyOptions {
  source: DataSource;
  /** Absolute path of the target. */
  target: string;
  spool: string;
  verify: boolean;
  owners: boolean;
  /** 12 hexadecimal digits, different for every run. */
  run: string;
}

export interface RestoreApplyInput extends RestoreApplyOptions {
  /** Segments of one stream, to be carried out in this order. */
  segments: RestoreSegment[];
}

/** Frames that a task keeps: files that share them lie near each other. */
const CACHE = 16 * 2 ** 20;

/** Carries segments out: every step on its own, so that one that fails costs no other. */
export async function applyRestore(input: RestoreApplyInput, context: TaskContext): Promise<RestoreReport> {
  using applier = new RestoreApplier(input, context);
  let next = 0;
  for (const lines of readSegments<RestoreStep>(input.spool, input.segments)) {
    await applier.run(input.segments[next++], lines);
  }
  return await applier.end();
}

/** Streams in which children come before their parents. */
const BACKWARDS: ReadonlySet<string> = new Set(["delete", "close"]);

/** What a task that writes files of a version has, small ones and large ones alike. */
export function fileOptions({ verify, owners }: RestoreApplyOptions, context: TaskContext): FileOptions {
  return {
    verify,
    owners,
    beforePart: () => context.checkpoint(),
    afterPart: (bytes) => void Atomics.add(context.counters, RestoreCounter.bytes, BigInt(bytes)),
  };
}

class RestoreApplier implements Disposable {
  readonly #report = emptyRestoreReport();
  readonly #input: RestoreApplyOptions;
  readonly #context: TaskContext;
  readonly #data: VersionData;
  readonly #tree: Tree;
  readonly #placer: RestorePlacer;
  readonly #options: FileOptions;
  /** A second way into the target, for the files that hard links join. */
  #joined: Tree | undefined;
  #serial = 0;

  constructor(input: RestoreApplyOptions, context: TaskContext) {
    this.#input = input;
    this.#context = context;
    this.#data = new VersionData(input.source, { cacheBytes: CACHE, oneAtATime: true, signal: context.signal });
    this.#options = fileOptions(input, context);
    this.#tree = new Tree(input.target);
    this.#placer = new RestorePlacer(this.#tree, this.#report, context);
  }

  async run(segment: RestoreSegment, lines: RestoreLine[]): Promise<void> {
    // No two segments share an offset, and a step takes more than one byte of it.
    this.#serial = segment.offset;
    const backwards = BACKWARDS.has(segment.stream);
    for (const [directory, steps] of backwards ? lines.reverse() : lines) {
      for (const step of backwards ? steps.reverse() : steps) {
        this.#context.checkpoint();
        await this.#placer.attempt(directory, nameOf(step), () => this.#step(directory, step));
        Atomics.add(this.#context.counters, RestoreCounter.steps, 1n);
      }
    }
  }

  /** Puts the waiting replacements in their places. */
  async end(): Promise<RestoreReport> {
    await this.#placer.replace();
    return this.#report;
  }

  #step(directory: string, step: RestoreStep): Promise<void> | void {
    switch (step[0]) {
      case "file":
        return this.#file(directory, step[1], step[2], step[3]);
      case "symlink":
        return this.#symlink(directory, step[1], step[2]);
      case "directory":
        return this.#directory(directory, step[1], step[2]);
      case "join":
        return this.#join(directory, step[1], step[2], step[3]);
      case "metadata":
        return this.#metadata(directory, step[1]);
      case "delete":
        return this.#delete(directory, step[1], step[2]);
      case "stale":
        return this.#placer.discard(directory, step[1]);
      case "finish":
        return this.#note(directory, "", finishDirectory(this.#into(directory), step[1], this.#input.owners));
      case "linked":
        throw new TypeError("Cannot carry out a linked file before its links are resolved");
    }
  }

  /** Records metadata that could not be set. The content is there, so nothing else depends on it. */
  #note(directory: string, name: string, failures: string[]): void {
    for (const words of failures) addError(this.#report, joinPath(directory, name), words);
  }

  /** The target's directory, made where it is missing. */
  #into(directory: string): Descriptor {
    return makeDirectories(this.#tree, directory).descriptor;
  }

  #temporary(): string {
    return temporaryName(this.#input.run, this.#serial++);
  }

  async #file(directory: string, entry: FileEntry, existing: Existing, keep: boolean): Promise<void> {
    const parts = await this.#data.parts(entry[At.content]);
    const to = this.#into(directory);
    const name = entry[At.name];
    const old = existing === "entry" ? openExisting(to, name) : undefined;
    try {
      if (
        keep && old !== undefined && statOf(old).size === entry[At.size] && holds(old, parts, this.#data, this.#options)
      ) {
        return this.#keep(directory, entry);
      }
      // A file of one chunk has nothing in common with what was just found different.
      const useful = parts.length > 1 ? old : undefined;
      const temporary = this.#temporary();
      const made = await makeFile(to, temporary, entry, parts, useful, this.#data, this.#options);
      this.#report.bytes += made.bytes;
      this.#note(directory, name, made.failures);
      this.#placer.place(directory, to, temporary, name, existing);
    } finally {
      if (old !== undefined) close(old);
    }
  }

  /** The content is right, and perhaps the metadata. */
  #keep(directory: string, entry: FileEntry): void {
    if (metadataDiffers(this.#tree.directory(directory), entry, this.#input.owners, this.#input.verify)) {
      this.#metadata(directory, entry);
    } else this.#report.unchanged++;
  }

  #metadata(directory: string, entry: FileEntry | SymlinkEntry): void {
    const failures = updateMetadata(this.#tree.directory(directory), entry, this.#input.owners);
    this.#note(directory, entry[At.name], failures);
    this.#report.restored++;
  }

  #symlink(directory: string, entry: SymlinkEntry, existing: Existing): void {
    const to = this.#into(directory);
    const name = entry[At.name];
    // A link comes into being whole, so where nothing is there it needs no temporary name.
    const isFree = existing === "nothing";
    const made = isFree ? name : this.#temporary();
    try {
      makeSymlinkAt(entry[At.target], to, made);
    } catch (error) {
      if (isFree && hasCode(error, "EEXIST")) throw new PathFailure(APPEARED);
      throw error;
    }
    try {
      describeLink(to, made, entry, this.#input.owners);
    } catch (error) {
      unlinkAt(to, made);
      throw error;
    }
    if (isFree) this.#report.restored++;
    else this.#placer.place(directory, to, made, name, existing);
  }

  #directory(directory: string, name: string, existing: Existing): void {
    const to = this.#into(directory);
    if (existing === "entry") unlinkAt(to, name);
    if (!makeDirectory(to, name, NEW_DIRECTORY) && statAt(to, name).type !== "directory") {
      throw new PathFailure(APPEARED);
    }
  }

  /** Makes a name one more of a file that is there. */
  #join(directory: string, entry: FileEntry, path: string, existing: Existing): void {
    const to = this.#into(directory);
    const name = entry[At.name];
    const [parent, base] = splitPath(path);
    this.#joined ??= new Tree(this.#input.target);
    const from = this.#joined.directory(parent);
    const leader = statIfPresent(from, base);
    const isRight = leader?.type === "file" && leader.size === entry[At.size] && leader.mtime === entry[At.mtime] &&
      leader.mtimeNs === entry[At.mtimeNs];
    if (!isRight) throw new PathFailure(`${path}, the file that it is linked to, could not be restored`);
    if (existing === "nothing") {
      linkAt(from, base, to, name);
      this.#report.restored++;
      return;
    }
    if (statIfPresent(to, name)?.identity === leader.identity) {
      this.#report.unchanged++;
      return;
    }
    const temporary = this.#temporary();
    linkAt(from, base, to, temporary);
    this.#placer.place(directory, to, temporary, name, existing);
  }

  /** What is gone already needs no deletion; a directory in which something stays, stays. */
  #delete(directory: string, name: string, isDirectory: boolean): void {
    try {
      const from = this.#tree.directory(directory);
      if (isDirectory) removeDirectoryAt(from, name);
      else unlinkAt(from, name);
      this.#report.deleted++;
    } catch (error) {
      if (hasCode(error, "ENOENT") || isDirectory && hasCode(error, "ENOTEMPTY", "EEXIST")) return;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#placer[Symbol.dispose]();
    this.#joined?.[Symbol.dispose]();
    this.#data[Symbol.dispose]();
    this.#tree[Symbol.dispose]();
  }
}

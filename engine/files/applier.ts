import type { ApplyInput, ApplyOptions, ApplyOutput, LargeProgress } from "./apply.ts";
import { type Copied, type CopyOptions, copyPart, copyToTemporary, mayRetry, PathFailure } from "./copy.ts";
import { isSameTime } from "./coarse.ts";
import { JobCounter } from "./counters.ts";
import { makeDirectories, makeDirectory, NEW_DIRECTORY } from "./directories.ts";
import { describeLink, finishDirectory, updateMetadata } from "./metadata.ts";
import { copiedContent, PlacedFiles, writtenContent } from "./placed_files.ts";
import { ChangedMeanwhile, isState, NOT_EMPTY, Placer } from "./placer.ts";
import {
  type Existing,
  type FileStep,
  type HardLinkStep,
  inOrder,
  type MergedStep,
  type PlanLine,
  readContent,
  type Segment,
  splitPath,
  type Step,
  type SymlinkStep,
} from "./plan.ts";
import { emptyReport } from "./report.ts";
import { temporaryName } from "./rules.ts";
import { openRoot } from "./scan.ts";
import { Throttle } from "./throttle.ts";
import { Trash } from "./trash.ts";
import { writeToTemporary } from "./write_content.ts";
import { type WrittenEntry, writtenFile, WrittenLog } from "./written.ts";
import {
  type Descriptor,
  linkAt,
  makeDirectoryAt,
  makeSymlinkAt,
  removeDirectoryAt,
  renameAt,
  renameToFree,
  statAt,
  statIfPresent,
  type Tree,
  unlinkAt,
} from "../posix/mod.ts";
import { BLOCK } from "../posix/piece.ts";
import type { TaskContext } from "../../workers/types.ts";

/** Bytes after which a task lets others have its worker: a tenth of a second's work on a fast disk. */
const PART = 64 << 20;

/** Carries out the steps of a task: each on its own, so that one that fails costs no other. */
export class Applier implements Disposable {
  readonly #source: Tree;
  readonly #target: Tree;
  readonly #context: TaskContext;
  readonly #options: ApplyOptions;
  readonly #copy: CopyOptions;
  readonly #trash: Trash | undefined;
  readonly #log: WrittenLog;
  readonly #deleting: boolean;
  readonly #targetPath: string;
  readonly #spool: string;
  readonly #report = emptyReport();
  readonly #placer: Placer;
  /** Of a run that goes both ways. */
  readonly #placed: PlacedFiles | undefined;
  /** A second way into the target, for the files that hard links join. */
  #joined: Tree | undefined;
  #serial = 0;

  constructor(source: Tree, target: Tree, { options, roots, deleting, spool }: ApplyInput, context: TaskContext) {
    this.#source = source;
    this.#target = target;
    this.#targetPath = roots.target;
    this.#spool = spool;
    this.#context = context;
    this.#options = options;
    this.#deleting = deleting;
    const throttle = new Throttle(options.bandwidthLimit, context);
    this.#copy = {
      verify: options.verify,
      hash: options.contents !== undefined,
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
    if (options.trash !== undefined) this.#trash = new Trash(options.trash, this.#copy, target, context);
    if (options.contents !== undefined) this.#placed = new PlacedFiles(options.contents);
    this.#placer = new Placer(target, this.#report, this.#log, this.#trash, this.#placed, context);
  }

  run(segment: Segment, lines: PlanLine[]): void {
    // No two segments share an offset, and a step takes more than one byte of it.
    this.#serial = segment.offset;
    if (segment.stream === "delete") this.#placer.prepareDeletions(lines);
    for (const [directory, steps] of inOrder(segment.stream, lines)) {
      for (const step of steps) {
        this.#context.checkpoint();
        this.#placer.attempt(directory, nameOf(step), () => this.#step(directory, step));
        Atomics.add(this.#context.counters, JobCounter.steps, 1n);
      }
    }
  }

  /** Puts the waiting replacements in their places. */
  end(): ApplyOutput {
    this.#placer.replace();
    this.#placed?.end();
    return { report: this.#report, deviating: [...this.#placer.deviating] };
  }

  #step(directory: string, step: Step): void {
    switch (step[0]) {
      case "file":
        return this.#file(directory, step);
      case "merged":
        return this.#merged(directory, step);
      case "symlink":
        return this.#symlink(directory, step);
      case "directory":
        return this.#directory(directory, step[1], step[2]);
      case "hardlink":
        return this.#hardLink(directory, step);
      case "over":
        return this.#over(directory, step[1], step[2]);
      case "metadata":
        return this.#metadata(directory, step[1]);
      case "rename":
        return this.#rename(directory, step[1], step[2]);
      case "delete":
        return this.#placer.delete(directory, step[1], step[2] === "directory", step[3]);
      case "stale":
        return this.#placer.discard(directory, step[1]);
      case "finish":
        finishDirectory(this.#source.directory(directory), this.#target.directory(directory), this.#options);
        if (step[1]) this.#report.updated++;
        return;
      case "linked":
      case "merge":
      case "keep":
      case "left":
      case "contents":
      case "row":
        throw new TypeError(`Cannot apply the step ${step[0]}: it is for the planning`);
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

  #file(directory: string, step: FileStep, inside?: PlanLine[]): void {
    const name = step[1];
    const to = this.#into(directory);
    const temporary = this.#temporary();
    const replaced = this.#options.preservePermissions ? undefined : statIfPresent(to, name);
    const begun = Date.now();
    const copied = copyToTemporary(this.#source.directory(directory), name, to, temporary, this.#copy, replaced);
    this.#placeFile(directory, to, temporary, step, copied, begun, inside);
  }

  #placeFile(
    directory: string,
    to: Descriptor,
    temporary: string,
    [, name, size, existing, mtime, mtimeNs, replaced]: FileStep,
    copied: Copied,
    begun: number,
    inside?: PlanLine[],
  ): void {
    const { source, bytes, exact } = copied;
    this.#report.bytes += bytes;
    const planned = source.size === size && source.mtime === mtime && source.mtimeNs === mtimeNs;
    if (!planned || !exact) this.#placer.deviating.add(directory);
    // Holes are no work, but they count in the plan's bytes.
    if (bytes < source.size) Atomics.add(this.#context.counters, JobCounter.bytes, BigInt(source.size - bytes));
    const content = this.#placed === undefined ? undefined : copiedContent(copied, begun);
    const written = writtenFile(name, source, content && writtenContent(content));
    this.#placer.place(to, { directory, temporary, written, existing, inside, replaced, content });
  }

  /** Puts a merge in the target's place, unless either version that it was made of is another one by now. */
  #merged(directory: string, [, name, content, source, target]: MergedStep): void {
    const from = statAt(this.#source.directory(directory), name);
    if (!isState(from, source)) throw new ChangedMeanwhile();
    const to = this.#target.directory(directory);
    const replaced = statAt(to, name);
    if (!isState(replaced, target)) throw new ChangedMeanwhile();
    const temporary = this.#temporary();
    const bytes = readContent(this.#spool, content);
    const { size, mtime, mtimeNs } = writeToTemporary(bytes, from, to, temporary, this.#copy, replaced);
    this.#report.bytes += bytes.length;
    const written: WrittenEntry = ["merged", name, size, mtime, mtimeNs, source];
    this.#placer.place(to, { directory, temporary, written, existing: "entry", replaced: target });
  }

  /** Goes on with a large file; returns undefined where it has come to its end, good or bad. */
  copyPart(
    { offset }: Segment,
    directory: string,
    step: FileStep,
    { attempt, part }: LargeProgress,
  ): LargeProgress | undefined {
    const name = step[1];
    const { bandwidthLimit = Infinity, preservePermissions } = this.#options;
    const most = Math.min(PART, Math.max(1, Math.floor(bandwidthLimit / BLOCK)) * BLOCK);
    const temporary = temporaryName(this.#options.run, offset);
    let progress: LargeProgress | undefined;
    this.#placer.attempt(directory, name, () => {
      const to = this.#into(directory);
      const replaced = preservePermissions ? undefined : statIfPresent(to, name);
      try {
        const from = this.#source.directory(directory);
        const begun = Date.now();
        const copied = copyPart(from, name, to, temporary, this.#copy, replaced, part, most);
        if ("offset" in copied) progress = { attempt, part: copied };
        else this.#placeFile(directory, to, temporary, step, copied, begun);
      } catch (error) {
        this.#placer.discard(directory, temporary);
        if (!mayRetry(error, attempt)) throw error;
        progress = { attempt: attempt + 1 };
      }
    });
    if (progress === undefined) Atomics.add(this.#context.counters, JobCounter.steps, 1n);
    return progress;
  }

  #symlink(directory: string, [, name, link, existing]: SymlinkStep, inside?: PlanLine[]): void {
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
    this.#placer.place(to, { directory, temporary, written: ["symlink", name, link], existing, inside });
  }

  /** A file or link that takes a directory's place, with what has to be deleted in that. */
  #over(directory: string, step: FileStep | SymlinkStep | HardLinkStep, inside: PlanLine[]): void {
    if (inside.length > 0 && !this.#deleting) throw new PathFailure(NOT_EMPTY);
    if (step[0] === "file") this.#file(directory, step, inside);
    else if (step[0] === "symlink") this.#symlink(directory, step, inside);
    else this.#hardLink(directory, step, inside);
  }

  #directory(directory: string, name: string, existing: Existing): void {
    const to = this.#into(directory);
    this.#log.note(directory, ["directory", name]);
    if (existing === "nothing") {
      this.#report.created += makeDirectory(to, name, this.#directoryMode) ? 1 : 0;
      return;
    }
    const temporary = this.#temporary();
    makeDirectoryAt(to, temporary, this.#directoryMode);
    try {
      this.#trash?.keep(directory, to, name);
      unlinkAt(to, name);
      renameToFree(to, temporary, to, name);
    } catch (error) {
      removeDirectoryAt(to, temporary);
      throw error;
    }
    this.#report.updated++;
  }

  #hardLink(directory: string, [, name, path, existing]: HardLinkStep, inside?: PlanLine[]): void {
    const to = this.#into(directory);
    this.#placer.deviating.add(directory);
    const [parent, base] = splitPath(path);
    this.#joined ??= openRoot(this.#targetPath, "target");
    const from = this.#joined.directory(parent);
    const begun = Date.now();
    const [wanted, there] = [statAt(this.#source.directory(parent), base), statAt(from, base)];
    if (wanted.size !== there.size || !isSameTime(wanted, there)) {
      throw new PathFailure(`${path}, the file that it is linked to, could not be copied`);
    }
    const content = this.#placed && copiedContent({ source: wanted, made: there }, begun);
    const written = writtenFile(name, wanted, content && writtenContent(content));
    if (existing === "nothing") {
      this.#log.note(directory, written);
      linkAt(from, base, to, name);
      if (content !== undefined) this.#placed?.note(directory, to, name, content);
      this.#report.created++;
      return;
    }
    // Renaming one link of a file over another would do nothing.
    if (existing === "entry" && statIfPresent(to, name)?.identity === there.identity) {
      if (content !== undefined) this.#placed?.note(directory, to, name, content);
      return;
    }
    const temporary = this.#temporary();
    linkAt(from, base, to, temporary);
    this.#placer.place(to, { directory, temporary, written, existing, inside, content });
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

  [Symbol.dispose](): void {
    this.#placer[Symbol.dispose]();
    this.#joined?.[Symbol.dispose]();
    this.#log[Symbol.dispose]();
    this.#trash?.[Symbol.dispose]();
  }
}

/** The name that a step is about; empty where that is the directory itself. */
function nameOf(step: Step): string {
  if (step[0] === "over") return step[1][1];
  return step[0] === "finish" || step[0] === "keep" ? "" : step[1];
}

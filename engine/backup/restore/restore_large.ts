import { isLoss, lossOf } from "../maintenance/loss.ts";
import { fileOptions, type RestoreApplyOptions } from "./restore_apply.ts";
import { type FileOptions, holds, openExisting, type Range, writeParts } from "./restore_file.ts";
import { describe, metadataDiffers, updateMetadata } from "./restore_metadata.ts";
import { RestorePlacer } from "./restore_placer.ts";
import {
  emptyRestoreReport,
  type Existing,
  joinPath,
  type RestoreReport,
  type RestoreSegment,
  type RestoreStep,
} from "./restore_steps.ts";
import { At, type FileEntry } from "../trees/tree_entry.ts";
import { type Part, VersionData } from "../versions/version_data.ts";
import { goesDirect, openTemporary, PathFailure, VerificationFailed } from "../../files/copy.ts";
import { makeDirectories } from "../../files/directories.ts";
import { readSegment } from "../../files/plan.ts";
import { addError } from "../../files/report.ts";
import { temporaryName } from "../../files/rules.ts";
import {
  close,
  type Descriptor,
  O_DIRECT,
  O_NOFOLLOW,
  O_RDWR,
  openAt,
  PosixError,
  setTimesAt,
  statOf,
  Tree,
  truncate,
} from "../../posix/mod.ts";
import type { TaskContext } from "../../../workers/types.ts";

/**
 * A large file is made by many tasks, so that several workers share it and others get their turn between them:
 * - `inspect`: checks that all its chunks are known. Answers whether the old file may be right and is to be compared.
 * - `compare`: answers whether the old file has a range's content.
 * - `keep`: the old file has all the content, and gets the metadata.
 * - `create`: makes the temporary file. Answers whether it is written past the page cache. `write`: writes a range. `verify`: reads a range back.
 * - `finish`: metadata and name. `discard`: removes the temporary file.
 */
export type LargeAction = "inspect" | "compare" | "keep" | "create" | "write" | "verify" | "finish" | "discard";

export interface RestoreLargeInput extends RestoreApplyOptions {
  /** With the file as its only step. */
  segment: RestoreSegment;
  action: LargeAction;
  /** For `compare`, `write` and `verify`. */
  range: Range;
  /** For `write`: what `create` answered, whether the file is written past the page cache. */
  direct: boolean;
}

export interface RestoreLargeOutput {
  report: RestoreReport;
  /** The action's answer; false where it failed, which the report then says. */
  done: boolean;
}

const CACHE = 16 * 2 ** 20;

/** Does one step of making a large file. */
export async function restoreLarge(input: RestoreLargeInput, context: TaskContext): Promise<RestoreLargeOutput> {
  const report = emptyRestoreReport();
  using file = new LargeFile(input, context, report);
  try {
    return { report, done: await file.run(input.action) };
  } catch (error) {
    if (!isLoss(error) && !(error instanceof PosixError || error instanceof PathFailure)) throw error;
    addError(report, file.path, isLoss(error) ? lossOf(error) : error);
    report.incomplete = true;
    return { report, done: false };
  }
}

class LargeFile implements Disposable {
  readonly path: string;
  readonly #input: RestoreLargeInput;
  readonly #context: TaskContext;
  readonly #report: RestoreReport;
  readonly #data: VersionData;
  readonly #tree: Tree;
  readonly #options: FileOptions;
  readonly #directory: string;
  readonly #entry: FileEntry;
  readonly #existing: Existing;
  readonly #keep: boolean;
  readonly #temporary: string;

  constructor(input: RestoreLargeInput, context: TaskContext, report: RestoreReport) {
    this.#input = input;
    this.#context = context;
    this.#report = report;
    const [[directory, [step]]] = readSegment<RestoreStep>(input.spool, input.segment);
    if (step[0] !== "file") throw new TypeError(`Cannot carry out the step ${step[0]} as a large file`);
    [, this.#entry, this.#existing, this.#keep] = step;
    this.#directory = directory;
    this.path = joinPath(directory, this.#entry[At.name]);
    this.#temporary = temporaryName(input.run, input.segment.offset);
    this.#options = fileOptions(input, context);
    this.#data = new VersionData(input.source, { cacheBytes: CACHE, oneAtATime: true, signal: context.signal });
    this.#tree = new Tree(input.target);
  }

  async run(action: LargeAction): Promise<boolean> {
    switch (action) {
      case "inspect":
        await this.#inspect();
        return this.#mayKeep();
      case "compare":
        return await this.#compare(openExisting(this.#parent, this.#entry[At.name]));
      case "keep":
        return this.#keepOld();
      case "create":
        return this.#create();
      case "write":
        await this.#write();
        return true;
      case "verify":
        if (await this.#compare(this.#openTemporary(false))) return true;
        throw new VerificationFailed("what was written reads back differently");
      case "finish":
        return await this.#finish();
      case "discard":
        this.#placer().discard(this.#directory, this.#temporary);
        return true;
    }
  }

  get #parent(): Descriptor {
    return this.#tree.directory(this.#directory);
  }

  #placer(): RestorePlacer {
    return new RestorePlacer(this.#tree, this.#report, this.#context);
  }

  /** Whether the old file may have the right content. */
  #mayKeep(): boolean {
    if (!this.#keep) return false;
    const old = openExisting(this.#parent, this.#entry[At.name]);
    if (old === undefined) return false;
    try {
      return statOf(old).size === this.#entry[At.size];
    } finally {
      close(old);
    }
  }

  async #inspect(): Promise<void> {
    let length = 0;
    for await (const run of this.#data.runs(this.#entry[At.content])) {
      this.#context.checkpoint();
      const last = run[run.length - 1];
      length = last.offset + last.length;
    }
    const size = this.#entry[At.size];
    if (length !== size) throw new PathFailure(`its content in the version has ${length} bytes instead of ${size}`);
  }

  /** The parts that reach into the range. */
  #runs(): AsyncGenerator<Part[]> {
    const { start, end } = this.#input.range;
    return this.#data.runs(this.#entry[At.content], start, end);
  }

  /** Compares the parts that begin in the range, and closes the file. */
  async #compare(file: Descriptor | undefined): Promise<boolean> {
    if (file === undefined) return false;
    try {
      for await (const run of this.#runs()) {
        const mine = run.filter(({ offset }) => offset >= this.#input.range.start);
        if (!holds(file, mine, this.#data, this.#options)) return false;
      }
      return true;
    } finally {
      close(file);
    }
  }

  #keepOld(): boolean {
    if (metadataDiffers(this.#parent, this.#entry, this.#input.owners, this.#input.verify)) {
      this.#note(updateMetadata(this.#parent, this.#entry, this.#input.owners));
      this.#report.restored++;
    } else {
      this.#report.unchanged++;
    }
    return true;
  }

  #note(failures: string[]): void {
    for (const words of failures) addError(this.#report, this.path, words);
  }

  #create(): boolean {
    const to = makeDirectories(this.#tree, this.#directory).descriptor;
    const size = this.#entry[At.size];
    const { descriptor, direct } = openTemporary(to, this.#temporary, 0o600, goesDirect(size, this.#input.verify));
    try {
      truncate(descriptor, size);
    } finally {
      close(descriptor);
    }
    return direct;
  }

  #openTemporary(direct: boolean): Descriptor {
    return openAt(this.#parent, this.#temporary, O_RDWR | O_NOFOLLOW | (direct ? O_DIRECT : 0));
  }

  async #write(): Promise<void> {
    const parts = (await Array.fromAsync(this.#runs())).flat();
    const { range, direct } = this.#input;
    const old = this.#existing === "entry" ? openExisting(this.#parent, this.#entry[At.name]) : undefined;
    try {
      const file = this.#openTemporary(direct);
      try {
        this.#report.bytes += await writeParts(file, parts, range, old, direct, this.#data, this.#options);
      } finally {
        close(file);
      }
    } finally {
      if (old !== undefined) close(old);
    }
  }

  async #finish(): Promise<boolean> {
    const file = this.#openTemporary(false);
    const entry = this.#entry;
    try {
      // Blocks that were written whole may have gone past its end.
      truncate(file, entry[At.size]);
      this.#note(describe(file, statOf(file), entry, this.#input.owners));
    } finally {
      close(file);
    }
    setTimesAt(this.#parent, this.#temporary, entry[At.mtime], entry[At.mtimeNs]);
    using placer = this.#placer();
    const before = this.#report.restored;
    placer.place(this.#directory, this.#parent, this.#temporary, entry[At.name], this.#existing);
    await placer.replace();
    return this.#report.restored > before;
  }

  [Symbol.dispose](): void {
    this.#data[Symbol.dispose]();
    this.#tree[Symbol.dispose]();
  }
}

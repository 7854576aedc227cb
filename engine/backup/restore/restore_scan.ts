import { isLoss, lossOf } from "../maintenance/loss.ts";
import { type PendingDirectory, RestoreComparison, type RestoreRules } from "./restore_compare.ts";
import {
  emptyRestoreReport,
  RestoreCounter,
  type RestoreReport,
  type RestoreSegment,
  type RestoreStep,
  type RestoreStream,
} from "./restore_steps.ts";
import { type DataSource, VersionData } from "../versions/version_data.ts";
import { PlanWriter } from "../../files/plan.ts";
import { addError } from "../../files/report.ts";
import { type Descriptor, Listing, PosixError, readDirectory, type Stat, statOf, Tree } from "../../posix/mod.ts";
import type { TaskContext } from "../../../workers/types.ts";
import { At, type DirectoryEntry } from "../trees/tree_entry.ts";
import { permissionsFor, xattrsDiffer } from "./restore_metadata.ts";

export interface RestoreScanInput {
  source: DataSource;
  rules: RestoreRules;
  /** Absolute path of the target. */
  target: string;
  /** File that takes the plan. */
  spool: string;
  directories: PendingDirectory[];
  /** Entries after which the batch hands back what it has not compared. */
  budget: number;
}

export interface RestoreScanOutput {
  segments: RestoreSegment[];
  report: RestoreReport;
  pending: PendingDirectory[];
  missing: string[];
}

/** Frames of tree pages that a task keeps. */
const CACHE = 8 * 2 ** 20;

/** Compares a version's directories with the target's, and goes on into theirs while the budget lasts. Changes nothing. */
export async function scanRestore(input: RestoreScanInput, context: TaskContext): Promise<RestoreScanOutput> {
  using scan = new RestoreScan(input, context);
  return await scan.run();
}

class RestoreScan implements Disposable {
  readonly #input: RestoreScanInput;
  readonly #context: TaskContext;
  readonly #data: VersionData;
  readonly #plan: PlanWriter<RestoreStream, RestoreStep>;
  readonly #report = emptyRestoreReport();
  readonly #comparison: RestoreComparison;
  readonly #listing = new Listing();
  /** Opened when first needed: there may be none. */
  #tree: Tree | undefined;
  #budget: number;

  constructor(input: RestoreScanInput, context: TaskContext) {
    this.#input = input;
    this.#context = context;
    this.#budget = input.budget;
    this.#data = new VersionData(input.source, { cacheBytes: CACHE, signal: context.signal });
    const reserve = (length: number) => Number(Atomics.add(context.counters, RestoreCounter.planned, BigInt(length)));
    this.#plan = new PlanWriter(input.spool, reserve);
    this.#comparison = new RestoreComparison(input.rules, this.#plan, this.#report, (content) => {
      return this.#data.placeOf(content);
    });
  }

  async run(): Promise<RestoreScanOutput> {
    const pending = this.#input.directories.toReversed();
    for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
      this.#context.checkpoint();
      for (const child of (await this.#compare(directory)).reverse()) pending.push(child);
      if (this.#budget <= 0) break;
    }
    return {
      segments: this.#plan.end(),
      report: this.#report,
      pending: pending.reverse(),
      missing: this.#comparison.missing,
    };
  }

  async #compare(directory: PendingDirectory): Promise<PendingDirectory[]> {
    let descriptor: Descriptor | undefined;
    let listing: Listing | undefined;
    try {
      if (directory.target) {
        this.#tree ??= new Tree(this.#input.target);
        descriptor = this.#tree.directory(directory.path);
        // Of the root alone nobody has compared the metadata; those of others were listed above them.
        if (directory.path === "" && directory.entry !== null) {
          directory.differs = rootDiffers(directory.entry, descriptor, this.#input.rules);
        }
        listing = readDirectory(descriptor, this.#listing);
      }
      this.#comparison.begin(directory, descriptor, listing);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#fail(directory.path, `cannot be read in the target: ${error.message}`);
      return [];
    }
    const entries = await this.#visitPages(directory);
    const seen = (entries ?? 0) + (listing?.length ?? 0) + 1;
    this.#budget -= seen;
    Atomics.add(this.#context.counters, RestoreCounter.compared, BigInt(seen));
    return this.#comparison.end(entries !== undefined);
  }

  /** Returns how many entries the version's directory has; undefined where some of it is lost. */
  async #visitPages({ entry, path }: PendingDirectory): Promise<number | undefined> {
    let entries = 0;
    let lost = false;
    for (const id of entry?.[At.pages] ?? []) {
      try {
        const page = await this.#data.tree.page(id);
        this.#context.checkpoint();
        for (const entry of page) this.#visit(path, entry);
        entries += page.length;
      } catch (error) {
        if (!isLoss(error)) throw error;
        lost = true;
        this.#fail(path, `a part of this directory is lost: ${lossOf(error)}`);
      }
    }
    return lost ? undefined : entries;
  }

  #visit(path: string, entry: Parameters<RestoreComparison["visit"]>[0]): void {
    try {
      this.#comparison.visit(entry);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      this.#fail(
        path === "" ? entry[At.name] : `${path}/${entry[At.name]}`,
        `cannot be read in the target: ${error.message}`,
      );
    }
  }

  #fail(path: string, words: string): void {
    addError(this.#report, path, words);
    this.#report.incomplete = true;
  }

  [Symbol.dispose](): void {
    this.#tree?.[Symbol.dispose]();
    this.#plan[Symbol.dispose]();
  }
}

function rootDiffers(entry: DirectoryEntry, descriptor: Descriptor, { owners, verify }: RestoreRules): boolean {
  const there: Stat = statOf(descriptor);
  return owners && (there.uid !== entry[At.uid] || there.gid !== entry[At.gid]) ||
    there.permissions !== permissionsFor(entry, there, owners) ||
    there.mtime !== entry[At.mtime] || there.mtimeNs !== entry[At.mtimeNs] ||
    xattrsDiffer(descriptor, "", entry, verify);
}

import { JobCounter } from "./counters.ts";
import { BaselineReader } from "./baseline_store.ts";
import { DirectoryComparison } from "./compare.ts";
import { Contents, type ListedSide } from "./contents.ts";
import type { CompareOptions, PendingDirectory, Place } from "./compare_input.ts";
import { isLater } from "./conflict.ts";
import { PlanWriter, type Segment } from "./plan.ts";
import { addError, emptyReport, type Report } from "./report.ts";
import { type RuleOptions, Rules } from "./rules.ts";
import { linksInTrash } from "./trash.ts";
import { OWN_TRASH } from "./opening.ts";
import { EngineError } from "../errors.ts";
import {
  type Descriptor,
  hasCode,
  Listing,
  PosixError,
  readDirectory,
  type Stat,
  statIfPresent,
  statOf,
  Tree,
} from "../posix/mod.ts";
import type { TaskContext } from "../../workers/types.ts";

/** The two directories of a run, and what they were when it began. */
export interface Roots {
  source: string;
  target: string;
  /** Device and inode, so that another directory in the source's place (an unmounted disk) is noticed. */
  sourceIdentity: string;
}

/** What one pass over the listings of both sides makes of them. */
export interface ScanPass {
  /** As the pass sees them. */
  roots: Roots;
  rules: RuleOptions;
  options: CompareOptions;
  /** File that takes the plan. */
  spool: string;
}

/** A directory that waits for each pass, in their order; null for one that has nothing to do with it. */
export type PendingPlace = (PendingDirectory | null)[];

/** A batch of directories to compare. */
export interface ScanInput {
  /** One, or that of a run in both directions and the one back, for which each directory is listed once. */
  passes: ScanPass[];
  /** File of the pair's baseline, where there is one. */
  baseline: string | null;
  directories: PendingPlace[];
  /** Entries after which the batch hands back what it has not compared. */
  budget: number;
}

export interface PassOutput {
  segments: Segment[];
  report: Report;
  needed: Place[];
  kept: Place[];
}

export interface ScanOutput {
  passes: PassOutput[];
  /** Directories that remain to be compared. */
  pending: PendingPlace[];
}

/** Opens the source's root and checks that it is still the same directory. */
export function openSource(roots: Roots): Tree {
  const tree = openRoot(roots.source, "source");
  if (tree.identity === roots.sourceIdentity) return tree;
  tree[Symbol.dispose]();
  throw new EngineError("sync-failed", FAILED, `The source directory was replaced during the run: ${roots.source}`);
}

export const FAILED = "Synchronization operation failed";

/** Opens a root. @throws EngineError `sync-failed` with the path where it cannot be. */
export function openRoot(path: string, side: "source" | "target"): Tree {
  try {
    return new Tree(path);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    const gone = error.code === "ENOENT";
    const details = gone
      ? `${side === "source" ? "Source" : "Target"} directory not found: ${path}`
      : `Cannot open the ${side} directory ${path}: ${error.message}`;
    throw new EngineError("sync-failed", FAILED, details, { cause: error });
  }
}

/** Reading so many bytes takes as long as comparing an entry. */
const ENTRY_BYTES = 16 << 10;

/** Lists both sides of each directory, compares them and goes on into their directories while the budget lasts. */
export function scanDirectories(input: ScanInput, context: TaskContext): ScanOutput {
  using sides = new Sides(input.passes);
  const baseline = input.baseline === null ? undefined : BaselineReader.of(input.baseline);
  using passes = new Passes(input.passes, context);
  const pending = [...input.directories].reverse();
  let budget = input.budget;
  const scan = () => {
    for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
      context.checkpoint();
      const path = pathOf(place);
      try {
        const entries = sides.list(path, place);
        passes.compare(path, place, sides, baseline?.read(path), pending);
        budget -= entries + passes.takeBytesRead() / ENTRY_BYTES;
        Atomics.add(context.counters, JobCounter.compared, BigInt(entries));
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        passes.fail(path, place, error);
      }
      if (budget <= 0) break;
    }
  };
  if (baseline === undefined) scan();
  else baseline.batch(scan);
  return { passes: passes.end(), pending };
}

function pathOf(place: PendingPlace): string {
  const directory = place[0] ?? place[1];
  if (directory === null || directory === undefined) {
    throw new TypeError("Cannot scan a directory that no pass waits for");
  }
  return directory.path;
}

/** Both trees, and the listings of the directory that is compared: the first pass's source and its target. */
class Sides implements Disposable {
  readonly #trees: [Tree, LazyTree];
  readonly #listings = [new Listing(), new Listing()] as const;
  #current: (ListedSide | undefined)[] = [];
  #lookedAt = 0;

  constructor([first, back]: ScanPass[]) {
    const source = openSource(first.roots);
    this.#trees = [
      source,
      new LazyTree(() => back === undefined ? openRoot(first.roots.target, "target") : openSource(back.roots)),
    ];
  }

  /** Lists what the passes want of a directory; returns how many entries that took. */
  list(path: string, place: PendingPlace): number {
    const isWanted = (side: number) =>
      place.some((directory, pass) => directory?.[pass === side ? "source" : "target"]);
    const [source, target] = this.#trees;
    this.#lookedAt = Date.now();
    this.#current = [
      isWanted(0) ? { descriptor: source.directory(path), listing: this.#listings[0] } : undefined,
      isWanted(1) ? { descriptor: target.tree.directory(path), listing: this.#listings[1] } : undefined,
    ];
    let entries = 1;
    for (const side of this.#current) {
      if (side !== undefined) entries += readDirectory(side.descriptor, side.listing).length;
    }
    return entries;
  }

  /** Goes on to the directory's contents. */
  begin(contents: Contents): void {
    contents.begin(this.#current, this.#lookedAt);
  }

  /** The directory's sides as a pass sees them. */
  of(pass: number, { source, target }: PendingDirectory): [from: ListedSide | undefined, to: ListedSide | undefined] {
    return [source ? this.#current[pass] : undefined, target ? this.#current[1 - pass] : undefined];
  }

  [Symbol.dispose](): void {
    this.#trees[0][Symbol.dispose]();
    this.#trees[1][Symbol.dispose]();
  }
}

/** The comparisons of all passes. */
class Passes implements Disposable {
  readonly #inputs: ScanPass[];
  readonly #plans: PlanWriter[] = [];
  readonly #reports: Report[] = [];
  readonly #comparisons: DirectoryComparison[] = [];
  readonly #contents: Contents;

  constructor(inputs: ScanPass[], context: TaskContext) {
    this.#inputs = inputs;
    this.#contents = new Contents(() => context.checkpoint(), inputs[0].options.pass !== undefined);
    const reserve = (length: number) => Number(Atomics.add(context.counters, JobCounter.planned, BigInt(length)));
    for (const { rules, options, spool } of inputs) {
      const [plan, report] = [new PlanWriter(spool, reserve), emptyReport()];
      this.#plans.push(plan);
      this.#reports.push(report);
      this.#comparisons.push(new DirectoryComparison(new Rules(rules), options, plan, report));
    }
  }

  /** Compares a directory for each pass that it waits for, and adds what is in it to what waits. */
  compare(path: string, place: PendingPlace, sides: Sides, row: Uint8Array | undefined, pending: PendingPlace[]): void {
    sides.begin(this.#contents);
    const children = place.map((directory, pass) => {
      if (directory === null) return [];
      const [from, to] = sides.of(pass, directory);
      // Of the roots alone nobody has compared the metadata; those of others were listed above them.
      if (path === "" && from !== undefined && to !== undefined) {
        directory.own = compareOwn(statOf(from.descriptor), statOf(to.descriptor), this.#inputs[pass].options);
      }
      return this.#comparisons[pass].compare({
        directory,
        source: from?.listing,
        target: to?.listing,
        baseline: row,
        contents: this.#contents.of(pass),
        linksInTrash: (side, name, inode) => {
          return linksInTrash(`${this.#inputs[pass].roots[side]}/${OWN_TRASH}`, path, name, inode);
        },
        folds: (name, index) => to !== undefined && foldsTo(to.descriptor, name, to.listing, index),
      });
    });
    for (const child of together(children).reverse()) pending.push(child);
  }

  /** Bytes of files that were read since this was asked last. */
  takeBytesRead(): number {
    const { bytesRead } = this.#contents;
    this.#contents.bytesRead = 0;
    return bytesRead;
  }

  /** A directory that cannot be read: what seems to be missing in it may be there. */
  fail(path: string, place: PendingPlace, error: PosixError): void {
    const words = error.code === "ENOENT" ? "disappeared during the run" : `cannot be read: ${error.message}`;
    for (const [pass, report] of this.#reports.entries()) {
      if (place[pass] === null) continue;
      report.incomplete = true;
      addError(report, path, words);
    }
  }

  end(): PassOutput[] {
    return this.#comparisons.map(({ needed, kept }, pass) => ({
      segments: this.#plans[pass].end(),
      report: this.#reports[pass],
      needed,
      kept,
    }));
  }

  [Symbol.dispose](): void {
    for (const plan of this.#plans) plan[Symbol.dispose]();
  }
}

/** The directories that passes go on into, each once. */
function together(children: PendingDirectory[][]): PendingPlace[] {
  const [first, back] = children;
  const places: PendingPlace[] = first.map((directory) => back === undefined ? [directory] : [directory, null]);
  if (back === undefined || back.length === 0) return places;
  const known = new Map(first.map(({ path }, index) => [path, places[index]]));
  for (const directory of back) {
    const place = known.get(directory.path);
    if (place === undefined) places.push([null, directory]);
    else place[1] = directory;
  }
  return places;
}

/** A tree that is opened when first needed: a dry run may have no target. */
class LazyTree implements Disposable {
  readonly #open: () => Tree;
  #tree: Tree | undefined;

  constructor(open: () => Tree) {
    this.#open = open;
  }

  get tree(): Tree {
    return this.#tree ??= this.#open();
  }

  [Symbol.dispose](): void {
    this.#tree?.[Symbol.dispose]();
  }
}

function compareOwn(source: Stat, target: Stat, options: CompareOptions): PendingDirectory["own"] {
  const isOurs = options.pass === undefined || isLater(changeTime(source), changeTime(target));
  if (options.preservePermissions && isOurs) {
    const owner = options.owners && (source.uid !== target.uid || source.gid !== target.gid);
    if (owner || source.permissions !== target.permissions) return "counted";
  }
  return source.mtime === target.mtime && source.mtimeNs === target.mtimeNs ? "same" : "times";
}

function changeTime({ ctime, ctimeNs }: Stat) {
  return { seconds: ctime, nanoseconds: ctimeNs };
}

/**
 * Whether a name that a directory does not list leads to an entry that it does. Inodes do not tell: some file systems in user
 * space number names.
 */
function foldsTo(directory: Descriptor, name: string, listing: Listing, index: number): boolean {
  try {
    const found = statIfPresent(directory, name);
    const listed = statIfPresent(directory, listing.names[index]);
    return found !== undefined && listed !== undefined && found.type === listed.type && found.size === listed.size &&
      found.mtime === listed.mtime && found.mtimeNs === listed.mtimeNs;
  } catch (error) {
    if (hasCode(error, "ENAMETOOLONG", "EILSEQ", "EINVAL")) return false;
    throw error;
  }
}

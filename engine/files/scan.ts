import { JobCounter } from "./counters.ts";
import { BaselineReader } from "./baseline_store.ts";
import { DirectoryComparison } from "./compare.ts";
import type { CompareOptions, PendingDirectory, Place } from "./compare_input.ts";
import { isLater } from "./conflict.ts";
import { PlanWriter, type Segment } from "./plan.ts";
import { addError, emptyReport, type Report } from "./report.ts";
import { type RuleOptions, Rules } from "./rules.ts";
import { sameContent } from "./same_content.ts";
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

/** A batch of directories to compare. */
export interface ScanInput {
  roots: Roots;
  rules: RuleOptions;
  options: CompareOptions;
  /** File of the pair's baseline, where there is one. */
  baseline: string | null;
  /** File that takes the plan. */
  spool: string;
  directories: PendingDirectory[];
  /** Entries after which the batch hands back what it has not compared. */
  budget: number;
}

export interface ScanOutput {
  segments: Segment[];
  report: Report;
  /** Directories that remain to be compared. */
  pending: PendingDirectory[];
  needed: Place[];
  kept: Place[];
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

/** Lists both sides of each directory, compares them and goes on into their directories while the budget lasts. */
export function scanDirectories(input: ScanInput, context: TaskContext): ScanOutput {
  const report = emptyReport();
  using source = openSource(input.roots);
  using lazyTarget = new LazyTree(input.roots.target);
  const baseline = input.baseline === null ? undefined : BaselineReader.of(input.baseline);
  using plan = new PlanWriter(
    input.spool,
    (length) => Number(Atomics.add(context.counters, JobCounter.planned, BigInt(length))),
  );
  const comparison = new DirectoryComparison(new Rules(input.rules), input.options, plan, report);
  const pending = [...input.directories].reverse();
  const listings = [new Listing(), new Listing()] as const;
  let budget = input.budget;
  const scan = () => {
    for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
      context.checkpoint();
      const { path } = directory;
      try {
        const from = directory.source ? source.directory(path) : undefined;
        const to = directory.target ? lazyTarget.tree.directory(path) : undefined;
        // Of the roots alone nobody has compared the metadata; those of others were listed above them.
        if (path === "" && from !== undefined && to !== undefined) {
          directory.own = compareOwn(statOf(from), statOf(to), input.options);
        }
        const [sourceList, targetList] = [list(from, listings[0]), list(to, listings[1])];
        const children = comparison.compare({
          directory,
          source: sourceList,
          target: targetList,
          baseline: baseline?.read(path),
          equal: (name) => from !== undefined && to !== undefined && isEqual(from, to, name, context),
          folds: (name, index) => to !== undefined && foldsTo(to, name, targetList as Listing, index),
        });
        const entries = (sourceList?.length ?? 0) + (targetList?.length ?? 0) + 1;
        budget -= entries;
        Atomics.add(context.counters, JobCounter.compared, BigInt(entries));
        for (const child of children.reverse()) pending.push(child);
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        report.incomplete = true;
        addError(
          report,
          path,
          error.code === "ENOENT" ? "disappeared during the run" : `cannot be read: ${error.message}`,
        );
      }
      if (budget <= 0) break;
    }
  };
  if (baseline === undefined) scan();
  else baseline.batch(scan);
  return { segments: plan.end(), report, pending, needed: comparison.needed, kept: comparison.kept };
}

/** The target's tree, opened when first needed: a dry run may have none. */
class LazyTree implements Disposable {
  readonly #path: string;
  #tree: Tree | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  get tree(): Tree {
    return this.#tree ??= openRoot(this.#path, "target");
  }

  [Symbol.dispose](): void {
    this.#tree?.[Symbol.dispose]();
  }
}

function list(directory: Descriptor | undefined, into: Listing): Listing | undefined {
  return directory === undefined ? undefined : readDirectory(directory, into);
}

/** A file that cannot be read is no equal one; whoever copies it says why. */
function isEqual(from: Descriptor, to: Descriptor, name: string, context: TaskContext): boolean {
  try {
    return sameContent(from, to, name, () => context.checkpoint());
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return false;
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

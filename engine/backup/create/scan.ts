import type { RepositoryAccess } from "../repository/access.ts";
import { ChunkIndex, type ChunkIndexData } from "../packs/chunk_index.ts";
import { ChunkReader } from "../packs/chunk_reader.ts";
import { DirectoryScan, type PendingDirectory } from "./directory_scan.ts";
import { RecordWriter } from "./record_writer.ts";
import { RunCounter } from "./run_counter.ts";
import { addError, emptyReport, type RunReport } from "./run_report.ts";
import { Mark, type Segment } from "./scan_record.ts";
import { backupFailed, openSource, type SourceRoot } from "./source_root.ts";
import { Spool } from "./spool.ts";
import { TreeReader } from "../trees/tree_reader.ts";
import { openStore } from "../../cloud/open_store.ts";
import { type RuleOptions, Rules } from "../../files/rules.ts";
import { hasCode, Listing, PosixError, readDirectory } from "../../posix/mod.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** What every task of a run is given. */
export interface RunInput {
  access: RepositoryAccess;
  root: SourceRoot;
  index: ChunkIndexData;
  /** Path of the spool file. */
  spool: string;
}

export interface ScanInput {
  run: RunInput;
  rules: RuleOptions;
  /** Read every file anew. */
  reread: boolean;
  directories: PendingDirectory[];
  /** Entries after which the task hands back what it has not scanned. */
  budget: number;
}

export interface ScanOutput {
  segments: Segment[];
  report: RunReport;
  /** Directories that remain to be scanned. */
  pending: PendingDirectory[];
}

/** Of the parent version's pages; they lie in the order in which they were scanned, so neighbours come together. */
const CACHE = 8 << 20;

const LARGE_FROM = 16 << 20;

/** Lists directories, compares them with the parent version and goes on into those below while the budget lasts. */
export async function scanSource(input: ScanInput, context: TaskContext): Promise<ScanOutput> {
  const { run, rules } = input;
  const { access } = run;
  using source = openSource(run.root);
  using spool = new Spool(run.spool, context.counters);
  const index = new ChunkIndex(run.index);
  const chunks = new ChunkReader(access, openStore(access.location), index, {
    cacheBytes: CACHE,
    signal: context.signal,
  });
  const records = new RecordWriter(spool);
  const report = emptyReport();
  const listing = new Listing();
  const scan = new DirectoryScan({
    rules: rules.exclude.length + rules.protected.source.length > 0 ? new Rules(rules) : undefined,
    reread: input.reread,
    largeFrom: Math.min(LARGE_FROM, access.chunking.region),
    index,
    trees: new TreeReader(chunks),
    records,
    report,
    context,
  }, listing);
  const pending = [...input.directories].reverse();
  for (let budget = input.budget; pending.length > 0 && budget > 0;) {
    context.checkpoint();
    const directory = pending.pop() as PendingDirectory;
    const found = await scanOne(directory);
    const entries = listing.length + 1;
    budget -= entries;
    Atomics.add(context.counters, RunCounter.entries, BigInt(entries));
    for (const child of found.reverse()) pending.push(child);
  }
  return { segments: records.end(), report, pending };

  async function scanOne(directory: PendingDirectory): Promise<PendingDirectory[]> {
    const { path, number } = directory;
    // Pages that a repair could not save are nothing to compare with.
    const known = directory.pages?.every((id) => index.findHex(id) >= 0) === true;
    const pages = known ? directory.pages : null;
    if (directory.isRemoved) return await scan.remove({ ...directory, pages });
    let descriptor;
    try {
      descriptor = source.directory(path);
      readDirectory(descriptor, listing);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      if (path === "") throw backupFailed(`Cannot read the source directory ${run.root.path}: ${error.message}`, error);
      listing.clear();
      if (hasCode(error, "ENOENT", "ENOTDIR", "ELOOP")) {
        addError(report, path, "disappeared during the run");
        records.add(["gone", number]);
      } else {
        addError(report, path, `cannot be read: ${error.message}`);
        records.add(["page", number, Mark.first | Mark.last, 0, path, [], ""]);
      }
      return [];
    }
    return await scan.scan({ ...directory, pages }, descriptor);
  }
}

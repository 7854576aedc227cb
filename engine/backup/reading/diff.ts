import { asEngineError } from "../repository/failure.ts";
import { PairWalk } from "../trees/pair_walk.ts";
import type { VersionPlace } from "../operations.ts";
import { loadSource, openReading } from "./reading.ts";
import { At, type DirectoryEntry, type Entry, extraOf, isDirectory, isFile, isSymlink } from "../trees/tree_entry.ts";
import type { BackupServices, BrowseEntry, DiffEntry } from "../types.ts";
import { readVersion } from "../versions/version.ts";
import { type DataSource, VersionData } from "../versions/version_data.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** Entries that a task looks at: tens of milliseconds of work. */
const BUDGET = 16_384;
const CACHE = 8 * 2 ** 20;

export interface DiffInput {
  source: DataSource;
  before: DirectoryEntry;
  after: DirectoryEntry;
  /** The path to go on after. */
  resume: string | null;
}

export interface DiffOutput {
  entries: DiffEntry[];
  /** Null at the end. */
  resume: string | null;
}

/**
 * What has to be done to make one version the other: added, removed, modified (other content), metadata (owner, permissions,
 * attributes; of files and links the time, too), type. In the order of a walk: by name, what is in a directory right after it. Costs as
 * much as there are directories that differ.
 * @throws EngineError
 */
export async function* diffVersions(
  from: VersionPlace,
  to: string,
  services: BackupServices,
  signal: AbortSignal,
): AsyncGenerator<DiffEntry> {
  try {
    await using reading = await openReading(from.repository, services, "diff", signal);
    const { access, store } = reading;
    const [before, after] = await Promise.all([from.versionId, to].map((id) => readVersion(access, store, id)));
    await using tasks = services.pool.job({ name: "diff", priority: "interactive", signal: reading.signal });
    const source = await loadSource(access, tasks);
    for (let resume: string | null = null;;) {
      const input: DiffInput = { source, before: before.root, after: after.root, resume };
      const output: DiffOutput = await tasks.run("backup.diff", input);
      yield* output.entries;
      if (output.resume === null) return;
      resume = output.resume;
    }
  } catch (error) {
    throw asEngineError(error);
  }
}

/** Compares a part of two trees. */
export async function diffTrees(input: DiffInput, context: TaskContext): Promise<DiffOutput> {
  const data = new VersionData(input.source, { cacheBytes: CACHE, signal: context.signal });
  const walk = new PairWalk(data.tree, input.before, input.after, input.resume);
  const entries: DiffEntry[] = [];
  for (let seen = 1;; seen++) {
    const pair = await walk.next();
    if (pair === undefined) return { entries, resume: null };
    const change = compare(pair.before, pair.after);
    if (change !== undefined) entries.push(diffEntry(change, pair.path, pair.before, pair.after));
    if (seen === BUDGET) return { entries, resume: pair.path };
    if (seen % 1024 === 0) context.checkpoint();
  }
}

function compare(before: Entry | undefined, after: Entry | undefined): DiffEntry["change"] | undefined {
  if (before === undefined) return "added";
  if (after === undefined) return "removed";
  if (before[At.type] !== after[At.type]) return "type";
  if (isSymlink(before) && before[At.target] !== after[At.target]) return "modified";
  if (isFile(before) && isFile(after)) {
    const sameContent = before[At.size] === after[At.size] &&
      JSON.stringify(before[At.content]) === JSON.stringify(after[At.content]);
    if (!sameContent) return "modified";
  }
  return sameMetadata(before, after) ? undefined : "metadata";
}

/** A directory's time changes with what is in it, which is reported by itself. */
function sameMetadata(before: Entry, after: Entry): boolean {
  for (const at of [At.mode, At.uid, At.gid]) {
    if (before[at] !== after[at]) return false;
  }
  if (!isDirectory(before) && (before[At.mtime] !== after[At.mtime] || before[At.mtimeNs] !== after[At.mtimeNs])) {
    return false;
  }
  return JSON.stringify(extraOf(before)?.xattrs) === JSON.stringify(extraOf(after)?.xattrs);
}

function diffEntry(change: DiffEntry["change"], path: string, before: Entry | undefined, after: Entry | undefined) {
  const entry = (after ?? before) as Entry;
  return { change, path, type: typeName(entry), sizeBefore: sizeOf(before), sizeAfter: sizeOf(after) };
}

function sizeOf(entry: Entry | undefined): number | null {
  return entry !== undefined && isFile(entry) ? entry[At.size] : null;
}

export function typeName(entry: Entry): BrowseEntry["type"] {
  return isFile(entry) ? "file" : isDirectory(entry) ? "directory" : "symlink";
}

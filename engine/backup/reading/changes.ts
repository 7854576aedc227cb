import { damaged } from "../repository/damaged.ts";
import { asEngineError } from "../repository/failure.ts";
import type { VersionChange, VersionPlace } from "../operations.ts";
import { PairWalk } from "../trees/pair_walk.ts";
import { loadSource, openReading } from "./reading.ts";
import { type Content, type DirectoryEntry, isDirectory } from "../trees/tree_entry.ts";
import type { BackupServices } from "../types.ts";
import { readVersion } from "../versions/version.ts";
import { type DataSource, VersionData } from "../versions/version_data.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** Entries of a task that goes through a tree. */
const BUDGET = 16_384;
/** Bytes of a task that reads a list. */
const PIECE = 1 << 20;
const CACHE = 8 * 2 ** 20;

export interface ChangesInput {
  source: DataSource;
  root: DirectoryEntry;
  /** Null: everything was added. */
  changes: Content | null;
  /** Where to go on: a path of the tree, or a place in the list. */
  resume: string | number | null;
}

export interface ChangesOutput {
  changes: VersionChange[];
  /** Null at the end. */
  resume: string | number | null;
}

/**
 * All changes of a version against the newest earlier one of its source; of the first version every file and link as added.
 * @throws EngineError
 */
export async function* versionChanges(
  place: VersionPlace,
  services: BackupServices,
  signal: AbortSignal,
): AsyncGenerator<VersionChange> {
  try {
    await using reading = await openReading(place.repository, services, "changes", signal);
    const { root, changes } = await readVersion(reading.access, reading.store, place.versionId);
    await using tasks = services.pool.job({ name: "changes", priority: "interactive", signal: reading.signal });
    const source = await loadSource(reading.access, tasks);
    for (let resume: ChangesInput["resume"] = null;;) {
      const output: ChangesOutput = await tasks.run("backup.changes", { source, root, changes, resume });
      yield* output.changes;
      if (output.resume === null) return;
      resume = output.resume;
    }
  } catch (error) {
    throw asEngineError(error);
  }
}

/** Reads a part of a version's changes. */
export async function listChanges(input: ChangesInput, context: TaskContext): Promise<ChangesOutput> {
  const data = new VersionData(input.source, { cacheBytes: CACHE, signal: context.signal });
  if (input.changes === null) return await walkTree(data, input, context);
  return await readList(data, input.changes, input.resume as number | null ?? 0, context);
}

async function walkTree(data: VersionData, { root, resume }: ChangesInput, context: TaskContext) {
  const walk = new PairWalk(data.tree, undefined, root, resume as string | null);
  const changes: VersionChange[] = [];
  for (let seen = 1;; seen++) {
    const pair = await walk.next();
    if (pair?.after === undefined) return { changes, resume: null };
    if (!isDirectory(pair.after)) changes.push({ change: "added", path: pair.path });
    if (seen === BUDGET) return { changes, resume: pair.path };
    if (seen % 1024 === 0) context.checkpoint();
  }
}

const NEWLINE = 10;

/** The whole lines from an offset on. */
async function readList(data: VersionData, content: Content, offset: number, context: TaskContext) {
  const bytes = await data.read(content, offset, PIECE, context);
  if (bytes.length === 0) return { changes: [], resume: null };
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  if (end === 0) throw damaged("list of changes", "it has a line without an end");
  const changes: VersionChange[] = [];
  for (const line of new TextDecoder().decode(bytes.subarray(0, end - 1)).split("\n")) {
    const [change, path] = JSON.parse(line) as [VersionChange["change"], string];
    changes.push({ change, path });
  }
  return { changes, resume: bytes.length < PIECE && end === bytes.length ? null : offset + end };
}

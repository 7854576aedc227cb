import type { StoredSegment } from "./build_trees.ts";
import type { ClaimSetData } from "./claim_set.ts";
import { type CreateRun, SLICE_MS } from "./create_run.ts";
import { DirectoryRefs } from "./directory_refs.ts";
import { MOST_LISTED } from "./run_report.ts";

/** Segments that a task is given at most: what it does not build comes back. */
const MOST_SEGMENTS = 256;

export interface BuiltTrees {
  /** Of the source itself; null where they are the parent version's. */
  pages: string[] | null;
  /** Content of the list of changes; null where there is no earlier version. */
  changes: string[] | null;
  /** Files and links added or modified, and the first of them. */
  changed: number;
  changedFiles: string[];
  /** Files of the parent version that could not be read now. */
  lost: number;
}

/** Builds all tree pages, after everything else is stored. */
export async function treesPhase(
  run: CreateRun,
  segments: StoredSegment[],
  claims: ClaimSetData,
  directories: number,
): Promise<BuiltTrees> {
  const { tasks, prepared, job } = run;
  job.progress({ percentage: 97, message: "Writing the version" });
  const hasParent = prepared.parent !== null;
  const built: BuiltTrees = { pages: null, changes: hasParent ? [] : null, changed: 0, changedFiles: [], lost: 0 };
  const backwards = segments.toReversed();
  const refs = DirectoryRefs.allocate(directories);
  let open = { pages: [] as string[], changed: false };
  for (let at = 0; at < backwards.length;) {
    const output = await tasks.run("backup.create.trees", {
      run: run.input,
      claims,
      refs,
      segments: backwards.slice(at, at + MOST_SEGMENTS),
      open,
      hasParent,
      sliceMs: SLICE_MS,
    });
    at += output.done;
    open = output.open;
    built.pages = output.root;
    built.changes?.push(...output.changes);
    built.changed += output.changed;
    built.changedFiles.push(...output.changedFiles.slice(0, MOST_LISTED - built.changedFiles.length));
    built.lost += output.lost;
    await run.addPacks(output);
  }
  return built;
}

import type { RepositoryAccess } from "../repository/access.ts";
import { Bitmap } from "./bitmap.ts";
import type { ChunkIndex } from "../packs/chunk_index.ts";
import type { LostChunk } from "./lost_chunk.ts";
import { MOST_LOST } from "./mark.ts";
import { At } from "../trees/tree_entry.ts";
import type { Version } from "../versions/version.ts";
import type { PoolJob } from "../../../workers/types.ts";

/** Pages of a task: few while there is little to share out, many later. */
const FIRST_BUDGET = 64;
const BUDGET = 2_000;
const PAGES_OF_A_TASK = 256;

export interface Marked {
  /** A bit for each entry of the index that a version needs. */
  used: Bitmap;
  /** By id; at most {@link MOST_LOST}. */
  lost: Map<string, LostChunk>;
}

/** Finds out which chunks versions need, in the pool. */
export async function markVersions(
  access: RepositoryAccess,
  index: ChunkIndex,
  versions: readonly Version[],
  tasks: PoolJob,
  workers: number,
): Promise<Marked> {
  const used = Bitmap.create(index.size);
  const lost = new Map<string, LostChunk>();
  let pages = versions.flatMap(({ root }) => root[At.pages]).reverse();
  let contents = versions.flatMap(({ changes }) => changes === null ? [] : [changes]);
  let running = 0;
  let budget = FIRST_BUDGET;
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();

  const next = (): void => {
    while (running < workers && (pages.length > 0 || contents.length > 0)) {
      const share = Math.max(1, Math.min(PAGES_OF_A_TASK, Math.ceil(pages.length / workers)));
      const input = {
        access,
        index: index.data,
        used: used.data,
        pages: pages.slice(-share),
        contents,
        budget,
      };
      pages = pages.slice(0, -share);
      contents = [];
      running++;
      tasks.run("backup.mark", input).then((output) => {
        running--;
        budget = BUDGET;
        pages.push(...output.pending);
        for (const chunk of output.lost) if (lost.size < MOST_LOST) lost.set(chunk.id, chunk);
        next();
      }).catch(reject);
    }
    if (running === 0) resolve();
  };
  next();
  await done;
  return { used, lost };
}

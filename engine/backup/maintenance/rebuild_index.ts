import type { RepositoryAccess } from "../repository/access.ts";
import type { StoredPack } from "../packs/pack_table.ts";
import { readSegments } from "./read_index.ts";
import { type Segment, SegmentWriter } from "./reindex.ts";
import { openStore } from "../../cloud/open_store.ts";
import type { TaskContext } from "../../../workers/types.ts";

export interface RebuildIndexInput {
  access: RepositoryAccess;
  /** The old segments; those that cannot be read are passed over. */
  segments: Segment[];
  /** Names of the packs of old segments to name again. */
  packs: string[];
  /** Packs that no old segment names. */
  others: StoredPack[];
}

/** Writes segments that name these packs and no other, and returns their names. @throws StoreError */
export async function rebuildIndex(input: RebuildIndexInput, context: TaskContext): Promise<string[]> {
  const { access, segments, others } = input;
  const wanted = new Set(input.packs);
  const writer = new SegmentWriter(access, openStore(access.location), new Set());
  for (const pack of others) await writer.take(pack);
  for await (const found of readSegments(access, segments, context)) {
    if (!Array.isArray(found)) continue;
    for (const pack of found) if (wanted.has(pack.name)) await writer.take(pack);
  }
  return (await writer.finish()).map(({ name }) => name);
}

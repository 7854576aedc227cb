import type { RepositoryAccess } from "../repository/access.ts";
import type { ChunkIndexData } from "../packs/chunk_index.ts";
import { IndexBuilder } from "../packs/chunk_index.ts";
import { readIndexSegment, segmentObject } from "../packs/index_segment.ts";
import { isLoss, lossOf } from "./loss.ts";
import { packObject, type StoredPack } from "../packs/pack_table.ts";
import type { Segment } from "./reindex.ts";
import { StoreError } from "../../cloud/object_store.ts";
import { openStore } from "../../cloud/open_store.ts";
import type { TaskContext } from "../../../workers/types.ts";

export interface ReadIndexInput {
  access: RepositoryAccess;
  segments: Segment[];
  /** Where it is given: names of the only packs to take, in several rounds, so that a chunk is found in a pack of the earliest. */
  rounds?: string[][];
  /** Packs that no segment names. */
  packs?: StoredPack[];
}

export interface ReadIndexOutput {
  index: ChunkIndexData;
  /** Segments that cannot be read, or not to their end. */
  faults: SegmentFault[];
}

export interface SegmentFault {
  key: string;
  isMissing: boolean;
  reason: string;
}

/** The index of all segments that can be read: one that is lost hides no other. @throws StoreError */
export async function readIndex(input: ReadIndexInput, context: TaskContext): Promise<ReadIndexOutput> {
  const { access, segments, packs = [] } = input;
  const rounds = input.rounds?.map((names) => new Set(names)) ?? [undefined];
  const builder = new IndexBuilder(
    segments.reduce((sum, { size }) => sum + size, 0) + packs.reduce((sum, { table }) => sum + table.length, 0),
  );
  let faults: SegmentFault[] = [];
  for (const only of rounds) {
    faults = [];
    for await (const found of readSegments(access, segments, context)) {
      if (!Array.isArray(found)) faults.push(found);
      else for (const pack of found) if (only?.has(pack.name) ?? true) add(builder, pack, faults);
    }
    for (const pack of packs) if (only?.has(pack.name) ?? true) add(builder, pack, faults);
  }
  return { index: builder.end().data, faults };
}

function add(builder: IndexBuilder, pack: StoredPack, faults: SegmentFault[]): void {
  try {
    builder.add(pack);
  } catch (error) {
    if (!isLoss(error)) throw error;
    faults.push({ key: packObject(pack.name), isMissing: false, reason: lossOf(error) });
  }
}

/** The packs of each segment, or why it cannot be read. @throws StoreError */
export async function* readSegments(
  access: RepositoryAccess,
  segments: readonly Segment[],
  context: TaskContext,
): AsyncGenerator<StoredPack[] | SegmentFault> {
  const store = openStore(access.location);
  for (const { name } of segments) {
    context.checkpoint();
    const key = segmentObject(name);
    try {
      yield await readIndexSegment(access, store, name);
    } catch (error) {
      if (error instanceof StoreError && ["not-found", "damaged"].includes(error.kind)) {
        yield { key, isMissing: error.kind === "not-found", reason: error.message };
      } else if (isLoss(error)) yield { key, isMissing: false, reason: lossOf(error) };
      else throw error;
    }
  }
}

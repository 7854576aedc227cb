import type { RepositoryAccess } from "../repository/access.ts";
import { Bitmap } from "./bitmap.ts";
import { chunkId } from "../crypto/chunk_id.ts";
import { ChunkIndex, type ChunkIndexData } from "../packs/chunk_index.ts";
import { damaged } from "../repository/damaged.ts";
import { isLoss } from "./loss.ts";
import { frameKey, openFrame } from "../packs/pack_frame.ts";
import { type FrameChunk, type FrameChunks, framesByIndex, framesByTable } from "../packs/pack_frames.ts";
import { readPackTable } from "../packs/pack_reader.ts";
import { type PackKind, packObject, type StoredPack } from "../packs/pack_table.ts";
import { PackWriter } from "../packs/pack_writer.ts";
import { type ObjectStore, StoreError } from "../../cloud/object_store.ts";
import { openStore } from "../../cloud/open_store.ts";
import type { TaskContext } from "../../../workers/types.ts";

export interface RepackInput {
  access: RepositoryAccess;
  index: ChunkIndexData;
  /** A bit for each entry of the index. */
  chosen: SharedArrayBuffer;
  kind: PackKind;
  /** Numbers of packs. */
  packs: number[];
}

/**
 * Writes the chosen chunks of some packs into new ones, each checked against its id. The old ones stay, and only their chosen chunks
 * need to be sound.
 * @throws EngineError `damaged`; StoreError
 */
export async function repack(input: RepackInput, context: TaskContext): Promise<StoredPack[]> {
  const store = openStore(input.access.location);
  const index = new ChunkIndex(input.index);
  const chosen = new Bitmap(input.chosen);
  await using writer = new PackWriter(input.access, store, input.kind);
  for (const pack of input.packs) {
    for (const frame of await framesOf(input.access, store, index, pack)) {
      context.checkpoint();
      const chunks = frame.chunks.filter(({ entry }) => entry >= 0 && chosen.has(entry));
      if (chunks.length > 0) await copyChunks(input.access, store, index, frame, chunks, writer, context.signal);
    }
  }
  return await writer.finish();
}

async function framesOf(
  access: RepositoryAccess,
  store: ObjectStore,
  index: ChunkIndex,
  pack: number,
): Promise<FrameChunks[]> {
  const name = index.packName(pack);
  try {
    const { table } = await readPackTable(access, store, name, index.packSize(pack));
    const frames = framesByTable(index, pack, table, packObject(name));
    if (frames !== undefined) return frames;
  } catch (error) {
    const isDamage = isLoss(error) || error instanceof StoreError && ["invalid", "damaged"].includes(error.kind);
    if (!isDamage) throw error;
  }
  return framesByIndex(index, pack);
}

async function copyChunks(
  access: RepositoryAccess,
  store: ObjectStore,
  index: ChunkIndex,
  frame: FrameChunks,
  chunks: FrameChunk[],
  writer: PackWriter,
  signal: AbortSignal,
): Promise<void> {
  const pack = index.packOf(frame.number);
  const what = packObject(index.packName(pack));
  const range = { offset: index.frameOffset(frame.number), length: index.storedLength(frame.number), signal };
  const bytes = openFrame(await store.read(what, range), {
    key: frameKey(access, index.packSalt(pack)),
    number: index.numberInPack(frame.number),
    codec: index.codec(frame.number),
    plainLength: index.plainLength(frame.number),
  }, what);
  for (const { offset, length, matches } of chunks) {
    const chunk = bytes.subarray(offset, offset + length);
    const id = chunkId(access, chunk);
    if (!matches(id)) throw damaged(what, "a chunk reads back differently than its id says");
    await writer.add(id, chunk);
  }
}

import { Bitmap } from "./bitmap.ts";
import { ChunkIndex, type ChunkIndexData } from "../packs/chunk_index.ts";

export interface PackUsageInput {
  index: ChunkIndexData;
  /** A bit for each entry of the index that is needed. */
  used: SharedArrayBuffer;
}

/** By the packs' numbers, in stored bytes. Those of a frame count for its chunks by their lengths before compression. */
export interface PackUsage {
  /** Of all frames. */
  stored: Float64Array;
  /** Of the chunks that are needed and that the index has in this pack. */
  used: Float64Array;
}

/** How much of each pack is needed. */
export function packUsage(input: PackUsageInput): PackUsage {
  const index = new ChunkIndex(input.index);
  const bits = new Bitmap(input.used);
  const { packCount, frameCount } = input.index;
  const usage = { stored: new Float64Array(packCount), used: new Float64Array(packCount) };
  for (let frame = 0; frame < frameCount; frame++) usage.stored[index.packOf(frame)] += index.storedLength(frame);
  for (let entry = 0; entry < index.size; entry++) {
    if (!bits.has(entry)) continue;
    const frame = index.frameOf(entry);
    const share = index.plainLength(frame) === 0 ? 1 : index.lengthOf(entry) / index.plainLength(frame);
    // A chunk without bytes counts a little, so that its pack is not taken for dead.
    usage.used[index.packOf(frame)] += Math.max(index.storedLength(frame) * share, 1e-9);
  }
  return usage;
}

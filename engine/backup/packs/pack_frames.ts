import type { ChunkIndex } from "./chunk_index.ts";
import { TableReader } from "./pack_table.ts";

/** A frame of a pack with its chunks. */
export interface FrameChunks {
  /** In the index. */
  number: number;
  chunks: FrameChunk[];
}

export interface FrameChunk {
  /** In the uncompressed frame. */
  offset: number;
  length: number;
  /** The index's entry where that is this very place; −1 where the index has the chunk elsewhere. */
  entry: number;
  /** Whether it has this id. */
  matches(id: Uint8Array): boolean;
}

/** The frames as the pack's own table has them; undefined where the index has them otherwise. @throws EngineError `damaged` */
export function framesByTable(
  index: ChunkIndex,
  pack: number,
  bytes: Uint8Array,
  what: string,
): FrameChunks[] | undefined {
  const table = new TableReader(bytes, what);
  const frames: FrameChunks[] = [];
  for (let number = index.firstFrame(pack); table.next(); number++) {
    const isSame = frames.length < index.frameCount(pack) && index.frameOffset(number) === table.offset &&
      index.storedLength(number) === table.storedLength && index.plainLength(number) === table.plainLength &&
      index.codec(number) === table.codec;
    if (!isSame) return undefined;
    const chunks: FrameChunk[] = [];
    let offset = 0;
    for (let i = 0; i < table.chunks; i++) {
      const [id, length] = [table.id(i), table.length(i)];
      const entry = index.find(id);
      if (entry < 0) return undefined;
      const isHere = index.frameOf(entry) === number && index.offsetOf(entry) === offset;
      if (isHere && index.lengthOf(entry) !== length) return undefined;
      chunks.push({ offset, length, entry: isHere ? entry : -1, matches: (found) => equals(found, id) });
      offset += length;
    }
    if (offset !== table.plainLength) return undefined;
    frames.push({ number, chunks });
  }
  return frames.length === index.frameCount(pack) ? frames : undefined;
}

/** The frames as the index has them, without chunks that it has elsewhere. Goes through the whole index. */
export function framesByIndex(index: ChunkIndex, pack: number): FrameChunks[] {
  const first = index.firstFrame(pack);
  const frames = Array.from(
    { length: index.frameCount(pack) },
    (_, i): FrameChunks => ({ number: first + i, chunks: [] }),
  );
  for (let entry = 0; entry < index.size; entry++) {
    const frame = index.frameOf(entry);
    if (index.packOf(frame) !== pack) continue;
    const prefix = index.idPrefix(entry);
    frames[frame - first].chunks.push({
      offset: index.offsetOf(entry),
      length: index.lengthOf(entry),
      entry,
      matches: (found) => equals(found.subarray(0, prefix.length), prefix),
    });
  }
  return frames;
}

function equals(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < b.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return a.length === b.length;
}

import { damaged } from "../repository/damaged.ts";
import { CHUNK_LINE, Codec, type PackKind, packObject, type StoredPack, TableReader } from "./pack_table.ts";

/** What a {@link ChunkIndex} is made of; goes to workers as it is, its memory shared. */
export interface ChunkIndexData {
  chunks: SharedArrayBuffer;
  frames: SharedArrayBuffer;
  packs: SharedArrayBuffer;
  slots: SharedArrayBuffer;
  chunkCount: number;
  frameCount: number;
  packCount: number;
}

/** Words of an entry: 6 of the id, its frame, its place in the uncompressed frame, its length. */
const CHUNK_WORDS = 9;
const ID_WORDS = 6;
/** Pack, place in it, stored length with the codec in the highest bit, length before compression. */
const FRAME_WORDS = 4;
/** 8 of the name, 8 of the salt, size, kind, number of its first frame. */
const PACK_WORDS = 19;
/** Slots for each chunk that a segment of its size can hold at most: full to at most 0.87. */
const SLOTS = 1.15;

/**
 * Where every chunk of a repository lies, in memory that all workers share: 36 bytes a chunk, 16 a frame, 76 a pack, 4.6 to 6.8 for the slot. Filled once by
 * {@link IndexBuilder}, read by anyone. Entries, frames and packs are numbered from 0.
 */
export class ChunkIndex {
  readonly #chunks: Uint32Array;
  readonly #frames: Uint32Array;
  readonly #packs: Uint32Array;
  readonly #packBytes: Uint8Array;
  readonly #slots: Uint32Array;
  readonly #scratch = new Uint32Array(8);
  readonly #scratchBytes = new Uint8Array(this.#scratch.buffer);

  constructor(readonly data: ChunkIndexData) {
    this.#chunks = new Uint32Array(data.chunks);
    this.#frames = new Uint32Array(data.frames);
    this.#packs = new Uint32Array(data.packs);
    this.#packBytes = new Uint8Array(data.packs);
    this.#slots = new Uint32Array(data.slots);
  }

  /** Chunks in it. */
  get size(): number {
    return this.data.chunkCount;
  }

  /** The entry of a chunk, or −1. */
  find(id: Uint8Array): number {
    if (this.#slots.length === 0) return -1;
    this.#scratchBytes.set(id);
    const slot = probe(this.#slots, this.#chunks, this.#scratch);
    return this.#slots[slot] - 1;
  }

  /** As {@link find}, for an id in hexadecimal digits. */
  findHex(id: string): number {
    return this.find(Uint8Array.fromHex(id));
  }

  /** The first 24 of the 32 bytes of an entry's id, copied. */
  idPrefix(entry: number): Uint8Array {
    const at = entry * CHUNK_WORDS;
    return new Uint8Array(this.#chunks.slice(at, at + ID_WORDS).buffer);
  }

  frameOf(entry: number): number {
    return this.#chunks[entry * CHUNK_WORDS + ID_WORDS];
  }

  /** Where the chunk begins in its uncompressed frame. */
  offsetOf(entry: number): number {
    return this.#chunks[entry * CHUNK_WORDS + ID_WORDS + 1];
  }

  lengthOf(entry: number): number {
    return this.#chunks[entry * CHUNK_WORDS + ID_WORDS + 2];
  }

  packOf(frame: number): number {
    return this.#frames[frame * FRAME_WORDS];
  }

  /** Which of its pack's frames it is, from 0. */
  numberInPack(frame: number): number {
    return frame - this.#packs[this.packOf(frame) * PACK_WORDS + 18];
  }

  /** The number of a pack's first frame; its others follow. */
  firstFrame(pack: number): number {
    return this.#packs[pack * PACK_WORDS + 18];
  }

  /** The number of frames of a pack. */
  frameCount(pack: number): number {
    const next = pack + 1 < this.data.packCount ? this.firstFrame(pack + 1) : this.data.frameCount;
    return next - this.firstFrame(pack);
  }

  /** Where the frame begins in its pack. */
  frameOffset(frame: number): number {
    return this.#frames[frame * FRAME_WORDS + 1];
  }

  storedLength(frame: number): number {
    return this.#frames[frame * FRAME_WORDS + 2] & 0x7fffffff;
  }

  codec(frame: number): Codec {
    return (this.#frames[frame * FRAME_WORDS + 2] >>> 31) as Codec;
  }

  plainLength(frame: number): number {
    return this.#frames[frame * FRAME_WORDS + 3];
  }

  packName(pack: number): string {
    const at = pack * PACK_WORDS * 4;
    return this.#packBytes.slice(at, at + 32).toHex();
  }

  packSalt(pack: number): Uint8Array {
    const at = pack * PACK_WORDS * 4 + 32;
    return this.#packBytes.slice(at, at + 32);
  }

  packSize(pack: number): number {
    return this.#packs[pack * PACK_WORDS + 16];
  }

  packKind(pack: number): PackKind {
    return this.#packs[pack * PACK_WORDS + 17] === 0 ? "data" : "tree";
  }
}

/** The slot that holds the id in `wanted`, or the free one where it would go. */
function probe(slots: Uint32Array, chunks: Uint32Array, wanted: Uint32Array): number {
  for (let slot = wanted[0] % slots.length;; slot = slot + 1 === slots.length ? 0 : slot + 1) {
    const taken = slots[slot];
    if (taken === 0) return slot;
    const at = (taken - 1) * CHUNK_WORDS;
    let i = 0;
    while (i < ID_WORDS && chunks[at + i] === wanted[i]) i++;
    if (i === ID_WORDS) return slot;
  }
}

/** Fills the memory of a {@link ChunkIndex}. */
export class IndexBuilder {
  readonly #chunks: Uint32Array<SharedArrayBuffer>;
  readonly #frames: Uint32Array<SharedArrayBuffer>;
  readonly #packs: Uint32Array<SharedArrayBuffer>;
  readonly #slots: Uint32Array<SharedArrayBuffer>;
  readonly #names = new Set<string>();
  readonly #scratch = new Uint32Array(8);
  readonly #scratchBytes = new Uint8Array(this.#scratch.buffer);
  #chunkCount = 0;
  #frameCount = 0;
  #packCount = 0;

  /** @param bytes upper bound of the segments' total size; memory is taken only as far as it is used. */
  constructor(bytes: number) {
    const most = Math.floor(bytes / CHUNK_LINE);
    const words = (count: number) => new Uint32Array(new SharedArrayBuffer(4 * count));
    this.#chunks = words(most * CHUNK_WORDS);
    this.#frames = words(most * FRAME_WORDS);
    this.#packs = words(most * PACK_WORDS);
    this.#slots = words(Math.ceil(most * SLOTS));
  }

  /** Adds a pack's chunks; a pack that is there already and chunks that another pack has are passed over. @throws EngineError `damaged` */
  add(pack: StoredPack): void {
    if (this.#names.has(pack.name)) return;
    this.#names.add(pack.name);
    const number = this.#packCount++;
    const bytes = new Uint8Array(this.#packs.buffer);
    bytes.set(Uint8Array.fromHex(pack.name), number * PACK_WORDS * 4);
    bytes.set(pack.salt, number * PACK_WORDS * 4 + 32);
    this.#packs[number * PACK_WORDS + 16] = pack.size;
    this.#packs[number * PACK_WORDS + 17] = pack.kind === "data" ? 0 : 1;
    this.#packs[number * PACK_WORDS + 18] = this.#frameCount;
    const what = packObject(pack.name);
    const table = new TableReader(pack.table, what);
    while (table.next()) this.#addFrame(number, table, pack.size, what);
  }

  #addFrame(pack: number, table: TableReader, packSize: number, what: string): void {
    if (table.offset + table.storedLength > packSize) throw damaged(what, "its table has a frame beyond its end");
    const frame = this.#frameCount++;
    this.#frames.set(
      [
        pack,
        table.offset,
        (table.storedLength | (table.codec === Codec.raw ? 0 : 0x80000000)) >>> 0,
        table.plainLength,
      ],
      frame * FRAME_WORDS,
    );
    let offset = 0;
    for (let i = 0; i < table.chunks; i++) {
      const length = table.length(i);
      this.#scratchBytes.set(table.id(i));
      const slot = probe(this.#slots, this.#chunks, this.#scratch);
      if (this.#slots[slot] === 0) {
        const at = this.#chunkCount++ * CHUNK_WORDS;
        this.#chunks.set(this.#scratch.subarray(0, ID_WORDS), at);
        this.#chunks[at + ID_WORDS] = frame;
        this.#chunks[at + ID_WORDS + 1] = offset;
        this.#chunks[at + ID_WORDS + 2] = length;
        this.#slots[slot] = this.#chunkCount;
      }
      offset += length;
    }
    if (offset !== table.plainLength) throw damaged(what, "its table has a frame that its chunks do not fill");
  }

  end(): ChunkIndex {
    return new ChunkIndex({
      chunks: this.#chunks.buffer,
      frames: this.#frames.buffer,
      packs: this.#packs.buffer,
      slots: this.#slots.buffer,
      chunkCount: this.#chunkCount,
      frameCount: this.#frameCount,
      packCount: this.#packCount,
    });
  }
}

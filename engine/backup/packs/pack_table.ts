/** The table of a pack: its frames and their chunks (FORMAT section 4). */
import { ID_BYTES } from "../crypto/chunk_id.ts";
import { damaged } from "../repository/damaged.ts";

/** `data`: pieces of files; `tree`: pages of directories and lists. */
export type PackKind = "data" | "tree";

/** A pack that is in the store, as an index segment repeats it. */
export interface StoredPack {
  /** 64 hexadecimal digits: the SHA-256 of the object. */
  name: string;
  /** 32 bytes, zeros in a plain repository. */
  salt: Uint8Array;
  /** Bytes of the whole object. */
  size: number;
  kind: PackKind;
  /** The encoded table; {@link TableReader} reads it. */
  table: Uint8Array;
}

export const Codec = { raw: 0, zstd: 1 } as const;
export type Codec = typeof Codec[keyof typeof Codec];

/** Bytes of a chunk's and a frame's line in the table. */
export const CHUNK_LINE = 36;
const FRAME_LINE = 17;
const MAX_PACK = 2 ** 30;
const CUT = "its table is cut off";

/** The key of a pack's object. */
export function packObject(name: string): string {
  return `packs/${name.slice(0, 2)}/${name}`;
}

/** Collects frames and encodes the table. */
export class TableBuilder {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 4;
  #frames = 0;

  /** @param ids the chunks' ids, one after the other. */
  addFrame(
    frame: { offset: number; storedLength: number; plainLength: number; codec: Codec },
    ids: Uint8Array,
    lengths: readonly number[],
  ): void {
    this.#reserve(FRAME_LINE + lengths.length * CHUNK_LINE);
    const view = this.#view;
    let at = this.#length;
    view.setUint32(at, frame.offset, true);
    view.setUint32(at + 4, frame.storedLength, true);
    view.setUint32(at + 8, frame.plainLength, true);
    view.setUint8(at + 12, frame.codec);
    view.setUint32(at + 13, lengths.length, true);
    at += FRAME_LINE;
    for (let i = 0; i < lengths.length; i++, at += CHUNK_LINE) {
      this.#bytes.set(ids.subarray(i * ID_BYTES, (i + 1) * ID_BYTES), at);
      view.setUint32(at + ID_BYTES, lengths[i], true);
    }
    this.#length = at;
    this.#frames++;
  }

  get frames(): number {
    return this.#frames;
  }

  encode(): Uint8Array<ArrayBuffer> {
    this.#view.setUint32(0, this.#frames, true);
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/**
 * Goes through an encoded table frame by frame, without an object for each chunk: the fields are those of the current frame.
 * Everything is checked against its bounds. @throws EngineError `damaged`
 */
export class TableReader {
  readonly frames: number;
  offset = 0;
  storedLength = 0;
  plainLength = 0;
  codec: Codec = Codec.raw;
  chunks = 0;
  readonly #table: Uint8Array;
  readonly #view: DataView;
  #at = 4;
  #chunksAt = 4;
  #read = 0;

  readonly #what: string;

  /** @param what names the pack in errors. */
  constructor(table: Uint8Array, what: string) {
    this.#what = what;
    if (table.length < 4) throw damaged(what, CUT);
    this.#table = table;
    this.#view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    this.frames = this.#view.getUint32(0, true);
  }

  /** Goes to the next frame; false after the last one. */
  next(): boolean {
    if (this.#read === this.frames) {
      if (this.#at !== this.#table.length) throw damaged(this.#what, "its table has bytes after its end");
      return false;
    }
    if (this.#at + FRAME_LINE > this.#table.length) throw damaged(this.#what, CUT);
    const view = this.#view;
    this.offset = view.getUint32(this.#at, true);
    this.storedLength = view.getUint32(this.#at + 4, true);
    this.plainLength = view.getUint32(this.#at + 8, true);
    const codec = view.getUint8(this.#at + 12);
    this.chunks = view.getUint32(this.#at + 13, true);
    this.#chunksAt = this.#at + FRAME_LINE;
    this.#at = this.#chunksAt + this.chunks * CHUNK_LINE;
    if (codec !== Codec.raw && codec !== Codec.zstd) {
      throw damaged(this.#what, `its table has an unknown codec ${codec}`);
    }
    this.codec = codec;
    if (this.chunks === 0 || this.#at > this.#table.length) throw damaged(this.#what, CUT);
    if (this.offset + this.storedLength > MAX_PACK || this.plainLength > MAX_PACK) {
      throw damaged(this.#what, "its table has a frame beyond its bounds");
    }
    this.#read++;
    return true;
  }

  /** The id of the current frame's chunk number `i`, a view into the table. */
  id(i: number): Uint8Array {
    const at = this.#chunksAt + i * CHUNK_LINE;
    return this.#table.subarray(at, at + ID_BYTES);
  }

  length(i: number): number {
    return this.#view.getUint32(this.#chunksAt + i * CHUNK_LINE + ID_BYTES, true);
  }
}

import { Bitmap } from "./bitmap.ts";
import type { ChunkIndex } from "../packs/chunk_index.ts";
import { packObject } from "../packs/pack_table.ts";

/** What {@link Losses} is made of; goes to workers as it is. */
export interface LossesData {
  /** A bit for each entry of the index that cannot be had. */
  entries: SharedArrayBuffer;
  /** A bit for each pack of the index that is not there at all. */
  packs: SharedArrayBuffer;
}

/** Which chunks of a repository are known to be lost. */
export class Losses {
  readonly entries: Bitmap;
  readonly packs: Bitmap;

  constructor(private readonly index: ChunkIndex, readonly data: LossesData) {
    this.entries = new Bitmap(data.entries);
    this.packs = new Bitmap(data.packs);
  }

  static create(index: ChunkIndex): Losses {
    const data = { entries: Bitmap.create(index.size).data, packs: Bitmap.create(index.data.packCount).data };
    return new Losses(index, data);
  }

  get areNone(): boolean {
    return this.entries.isEmpty && this.packs.isEmpty;
  }

  /** What keeps a chunk from being had: its pack's key, or the id itself where no segment names it; undefined where nothing does. */
  causeOf(id: string): string | undefined {
    const entry = this.index.findHex(id);
    if (entry < 0) return id;
    const pack = this.index.packOf(this.index.frameOf(entry));
    return this.entries.has(entry) || this.packs.has(pack) ? packObject(this.index.packName(pack)) : undefined;
  }
}

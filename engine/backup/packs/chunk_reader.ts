import type { RepositoryAccess } from "../repository/access.ts";
import { chunkId } from "../crypto/chunk_id.ts";
import type { ChunkIndex } from "./chunk_index.ts";
import { frameKey, openFrame } from "./pack_frame.ts";
import { MergedReads, type PackReads } from "./merged_reads.ts";
import { packObject } from "./pack_table.ts";
import { release } from "./release.ts";
import { EngineError } from "../../errors.ts";
import { type ObjectStore, StoreError } from "../../cloud/object_store.ts";

/** A chunk that is not in the repository any more, or not as it was stored. Costs the files that need it, and no other. */
export class ChunkLost extends Error {
  override readonly name = "ChunkLost";

  /** @param pack the key of the pack that should hold it; undefined where no index segment names the chunk. */
  constructor(readonly id: string, readonly pack: string | undefined, reason: string, options?: ErrorOptions) {
    super(`chunk ${id} ${reason}`, options);
  }
}

export interface ChunkReaderOptions {
  /** Bytes of uncompressed frames that are kept, those used last. */
  cacheBytes: number;
  /** Whoever reads is done with each chunk before the next: the memory of a frame that is no longer kept is given back at once. */
  oneAtATime?: boolean;
  signal?: AbortSignal;
}

/** A frame, uncompressed. */
interface Frame {
  bytes: Uint8Array;
  /** Whether nothing else has its buffer. */
  isOwn: boolean;
}

/**
 * Reads chunks of a repository, each checked against its id, by whole frames: neighbours come from memory. One thread's own; with
 * `oneAtATime` disposing of it gives its memory back.
 */
export class ChunkReader implements Disposable {
  readonly #access: RepositoryAccess;
  readonly #store: PackReads;
  /** Whether what is read is a buffer of its own: merged reads share one. */
  readonly #ownsReads: boolean;
  readonly #index: ChunkIndex;
  readonly #options: ChunkReaderOptions;
  /** By frame; the one used last is the last. */
  readonly #frames = new Map<number, Frame>();
  readonly #keys = new Map<number, Uint8Array | null>();
  #cached = 0;
  #latest = -1;
  #latestBytes: Uint8Array = new Uint8Array(0);

  constructor(access: RepositoryAccess, store: ObjectStore, index: ChunkIndex, options: ChunkReaderOptions) {
    this.#access = access;
    this.#store = store.isDistant ? new MergedReads(store) : store;
    this.#ownsReads = !store.isDistant;
    this.#index = index;
    this.#options = options;
  }

  /**
   * The chunk's bytes, a view that must not be written to.
   * @throws {@link ChunkLost}; StoreError where the store cannot be used
   */
  async read(id: string | Uint8Array): Promise<Uint8Array> {
    const wanted = typeof id === "string" ? Uint8Array.fromHex(id) : id;
    const entry = this.#index.find(wanted);
    if (entry < 0) throw new ChunkLost(wanted.toHex(), undefined, "is in no index segment");
    const frame = this.#index.frameOf(entry);
    const bytes = frame === this.#latest ? this.#latestBytes : await this.#frame(frame, wanted);
    const at = this.#index.offsetOf(entry);
    const chunk = bytes.subarray(at, at + this.#index.lengthOf(entry));
    if (!equal(chunkId(this.#access, chunk), wanted)) {
      throw this.#lost(wanted, frame, "reads back differently than its id says");
    }
    return chunk;
  }

  async #frame(frame: number, wanted: Uint8Array): Promise<Uint8Array> {
    let latest = this.#frames.get(frame);
    if (latest === undefined) {
      latest = await this.#load(frame, wanted);
      this.#cached += latest.bytes.length;
    } else {
      this.#frames.delete(frame);
    }
    this.#frames.set(frame, latest);
    for (const [oldest, kept] of this.#frames) {
      if (this.#cached <= this.#options.cacheBytes || oldest === frame) break;
      this.#frames.delete(oldest);
      this.#cached -= kept.bytes.length;
      this.#release(kept);
    }
    this.#latest = frame;
    this.#latestBytes = latest.bytes;
    return latest.bytes;
  }

  #release({ bytes, isOwn }: Frame): void {
    if (this.#options.oneAtATime && isOwn) release(bytes as Uint8Array<ArrayBuffer>);
  }

  [Symbol.dispose](): void {
    for (const frame of this.#frames.values()) this.#release(frame);
    this.#frames.clear();
    this.#cached = 0;
    this.#latest = -1;
    this.#latestBytes = new Uint8Array(0);
  }

  async #load(frame: number, wanted: Uint8Array): Promise<Frame> {
    const index = this.#index;
    const pack = index.packOf(frame);
    const what = packObject(index.packName(pack));
    let key = this.#keys.get(pack);
    if (key === undefined) this.#keys.set(pack, key = frameKey(this.#access, index.packSalt(pack)));
    try {
      const range = {
        offset: index.frameOffset(frame),
        length: index.storedLength(frame),
        size: index.packSize(pack),
        signal: this.#options.signal,
      };
      const stored = await this.#store.read(what, range);
      const number = index.numberInPack(frame);
      const form = { key, number, codec: index.codec(frame), plainLength: index.plainLength(frame) };
      const bytes = openFrame(stored, form, what);
      if (this.#ownsReads && bytes !== stored) release(stored);
      return { bytes, isOwn: this.#ownsReads || bytes !== stored };
    } catch (error) {
      if (error instanceof StoreError && (error.kind === "not-found" || error.kind === "invalid")) {
        throw this.#lost(wanted, frame, "is missing", error);
      }
      if (
        error instanceof EngineError && error.kind === "damaged" ||
        error instanceof StoreError && error.kind === "damaged"
      ) {
        throw this.#lost(wanted, frame, "is damaged", error);
      }
      throw error;
    }
  }

  #lost(id: Uint8Array, frame: number, reason: string, cause?: unknown): ChunkLost {
    const pack = packObject(this.#index.packName(this.#index.packOf(frame)));
    return new ChunkLost(id.toHex(), pack, `${reason}, in ${pack}`, { cause });
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < b.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

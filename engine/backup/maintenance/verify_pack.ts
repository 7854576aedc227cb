import { createHash } from "node:crypto";
import type { RepositoryAccess } from "../repository/access.ts";
import { Bitmap } from "./bitmap.ts";
import { chunkId } from "../crypto/chunk_id.ts";
import { ChunkIndex, type ChunkIndexData } from "../packs/chunk_index.ts";
import { frameKey, HEADER_BYTES, openFrame } from "../packs/pack_frame.ts";
import { type FrameChunks, framesByIndex, framesByTable } from "../packs/pack_frames.ts";
import { readPackTable } from "../packs/pack_reader.ts";
import { release } from "../packs/release.ts";
import { packObject } from "../packs/pack_table.ts";
import { type ObjectStore, StoreError } from "../../cloud/object_store.ts";
import { openStore } from "../../cloud/open_store.ts";
import { EngineError } from "../../errors.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** A pack to verify: of its number in the index, with the size that the store says. */
export interface PackToVerify {
  number: number;
  size: number;
}

export interface VerifyPacksInput {
  access: RepositoryAccess;
  index: ChunkIndexData;
  packs: PackToVerify[];
  /** A bit for each entry of the index; those that cannot be had are set. */
  bad: SharedArrayBuffer;
}

export interface PackFault {
  /** The pack's number in the index. */
  number: number;
  reason: string;
}

/** Bytes that one read fetches at least, as long as there are more. */
const READ = 1 << 20;

/**
 * Reads packs through once: their own hash, their own table against the index, every frame, every chunk against its id.
 * @throws StoreError where the store cannot be used
 */
export async function verifyPacks(input: VerifyPacksInput, context: TaskContext): Promise<PackFault[]> {
  const index = new ChunkIndex(input.index);
  const store = openStore(input.access.location);
  const bad = new Bitmap(input.bad);
  const faults: PackFault[] = [];
  for (const pack of input.packs) {
    const reasons = await new Verification(input.access, store, index, bad, context, pack).run();
    if (reasons.length > 0) faults.push({ number: pack.number, reason: summary(reasons) });
  }
  return faults;
}

function summary(reasons: string[]): string {
  return reasons.length === 1 ? reasons[0] : `${reasons[0]}; ${reasons.length - 1} more faults`;
}

/** What a failure says where it means that stored bytes are not there or not right; anything else is thrown on. */
function reasonOf(error: unknown): string {
  if (error instanceof EngineError && error.kind === "damaged") return error.details;
  const isLoss = error instanceof StoreError && ["not-found", "invalid", "damaged"].includes(error.kind);
  if (!isLoss) throw error;
  return error.message;
}

class Verification {
  readonly #reasons: string[] = [];
  readonly #what: string;

  constructor(
    private readonly access: RepositoryAccess,
    private readonly store: ObjectStore,
    private readonly index: ChunkIndex,
    private readonly bad: Bitmap,
    private readonly context: TaskContext,
    private readonly pack: PackToVerify,
  ) {
    this.#what = packObject(index.packName(pack.number));
  }

  async run(): Promise<string[]> {
    const { index, pack } = this;
    if (pack.size !== index.packSize(pack.number)) {
      this.#reasons.push(`it has ${pack.size} bytes instead of ${index.packSize(pack.number)}`);
    }
    const frames = await this.#frames();
    try {
      const name = await this.#readThrough(frames);
      // Where frames are broken that says enough.
      if (name !== index.packName(pack.number) && this.#reasons.length === 0) {
        this.#reasons.push("its name is not its SHA-256");
      }
    } catch (error) {
      this.#reasons.push(reasonOf(error));
      for (const frame of frames) await this.#readAlone(frame);
    }
    return this.#reasons;
  }

  /** The pack's frames by its own table, which must be what the index says; otherwise by the index. */
  async #frames(): Promise<FrameChunks[]> {
    const { access, store, index, pack } = this;
    const name = index.packName(pack.number);
    try {
      const { table, salt } = await readPackTable(access, store, name, pack.size);
      const frames = framesByTable(index, pack.number, table, this.#what);
      if (frames !== undefined && salt.every((byte, i) => byte === index.packSalt(pack.number)[i])) return frames;
      this.#reasons.push("its table is not what the index says");
    } catch (error) {
      this.#reasons.push(reasonOf(error));
    }
    return framesByIndex(index, pack.number);
  }

  /** Reads all bytes in order and returns their SHA-256. */
  async #readThrough(frames: FrameChunks[]): Promise<string> {
    const hash = createHash("sha256");
    const input = new InOrder(this.store, this.#what, this.pack.size, this.context);
    let at = HEADER_BYTES;
    hash.update(await input.take(HEADER_BYTES));
    for (const frame of frames) {
      const offset = this.index.frameOffset(frame.number);
      const length = this.index.storedLength(frame.number);
      if (offset !== at) throw new StoreError("invalid", `${this.#what}: its frames do not follow one another`);
      const stored = await input.take(length);
      hash.update(stored);
      at += length;
      this.#check(frame, stored);
    }
    for (let rest = this.pack.size - at; rest > 0; rest = this.pack.size - at) {
      const piece = await input.take(Math.min(rest, READ));
      hash.update(piece);
      at += piece.length;
    }
    return hash.digest("hex");
  }

  async #readAlone(frame: FrameChunks): Promise<void> {
    const range = { offset: this.index.frameOffset(frame.number), length: this.index.storedLength(frame.number) };
    this.context.checkpoint();
    try {
      this.#check(frame, await this.store.read(this.#what, { ...range, signal: this.context.signal }));
    } catch (error) {
      this.#lose(frame, reasonOf(error));
    }
  }

  #check(frame: FrameChunks, stored: Uint8Array): void {
    const { access, index, pack } = this;
    let bytes: Uint8Array;
    try {
      bytes = openFrame(stored, {
        key: frameKey(access, index.packSalt(pack.number)),
        number: index.numberInPack(frame.number),
        codec: index.codec(frame.number),
        plainLength: index.plainLength(frame.number),
      }, this.#what);
    } catch (error) {
      return this.#lose(frame, reasonOf(error));
    }
    for (const chunk of frame.chunks) {
      const found = chunkId(access, bytes.subarray(chunk.offset, chunk.offset + chunk.length));
      if (chunk.matches(found)) continue;
      this.#reasons.push(`${this.#what}: a chunk reads back differently than its id says`);
      if (chunk.entry >= 0) this.bad.add(chunk.entry);
    }
    if (bytes !== stored) release(bytes as Uint8Array<ArrayBuffer>);
  }

  #lose(frame: FrameChunks, reason: string): void {
    this.#reasons.push(reason);
    for (const { entry } of frame.chunks) if (entry >= 0) this.bad.add(entry);
  }
}

/** Gives an object's bytes in order, in pieces of any length, from few reads. */
class InOrder {
  #block = new Uint8Array();
  #read = 0;

  constructor(
    private readonly store: ObjectStore,
    private readonly key: string,
    private readonly size: number,
    private readonly context: TaskContext,
  ) {}

  /** Good until the next call. */
  async take(length: number): Promise<Uint8Array> {
    if (this.#block.length < length) {
      this.context.checkpoint();
      const missing = length - this.#block.length;
      const more = Math.min(Math.max(missing, READ), this.size - this.#read);
      if (more < missing) throw new StoreError("invalid", `${this.key} ends before byte ${this.#read + missing}`);
      const range = { offset: this.#read, length: more, signal: this.context.signal };
      const bytes = await this.store.read(this.key, range);
      this.#read += more;
      this.#block = this.#joined(bytes);
    }
    const taken = this.#block.subarray(0, length);
    this.#block = this.#block.subarray(length);
    return taken;
  }

  /** What is left and what follows it. Nothing that was taken before may be in use any more. */
  #joined(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const left = this.#block;
    if (left.length === 0) {
      release(left);
      return bytes;
    }
    const both = new Uint8Array(left.length + bytes.length);
    both.set(left);
    both.set(bytes, left.length);
    release(left);
    release(bytes);
    return both;
  }
}

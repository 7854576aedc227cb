import type { RepositoryAccess } from "../repository/access.ts";
import { chunkId } from "../crypto/chunk_id.ts";
import type { ChunkIndex } from "../packs/chunk_index.ts";
import { addChunk, addHole, type ContentList } from "../trees/content_list.ts";
import { Chunker } from "../chunking/chunker.ts";
import type { ClaimSet } from "./claim_set.ts";
import { dataRuns } from "./data_runs.ts";
import type { PackWriter } from "../packs/pack_writer.ts";
import { RunCounter } from "./run_counter.ts";
import { type Descriptor, ReadBuffer } from "../../posix/mod.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** Bytes that are read at once of a file of more than one chunk. */
const PIECE = 1 << 20;

/** This thread's, made when first needed: room for a chunk that is not complete and a piece. */
let buffer: ReadBuffer | undefined;

function bufferOf(size: number): ReadBuffer {
  if (buffer === undefined || buffer.bytes.length < size) buffer = new ReadBuffer(size);
  return buffer;
}

/** Cuts files into chunks and stores those that the repository does not have. One task's own. */
export class ContentWriter {
  readonly #access: RepositoryAccess;
  readonly #index: ChunkIndex;
  readonly #claims: ClaimSet;
  readonly #packs: PackWriter;
  readonly #context: TaskContext;
  readonly #buffer: ReadBuffer;
  /** Bytes of chunks that the repository did not have. */
  newBytes = 0;

  constructor(
    access: RepositoryAccess,
    index: ChunkIndex,
    claims: ClaimSet,
    packs: PackWriter,
    context: TaskContext,
  ) {
    this.#access = access;
    this.#index = index;
    this.#claims = claims;
    this.#packs = packs;
    this.#context = context;
    this.#buffer = bufferOf(access.chunking.maximum + PIECE);
  }

  /** Files below this size are one chunk, and {@link readWhole} and {@link addWhole} take them. */
  get wholeBelow(): number {
    return this.#access.chunking.minimum;
  }

  /** Reads a small file and returns how many bytes it has, at most `wanted`. */
  readWhole(file: Descriptor, wanted: number): number {
    return this.#buffer.read(file, 0, wanted, 0);
  }

  /** Stores what {@link readWhole} has read as one chunk. @returns its id */
  async addWhole(length: number): Promise<string> {
    const id = this.#add(this.#buffer.bytes.subarray(0, length));
    return typeof id === "string" ? id : await id;
  }

  /**
   * Appends the chunks and holes of a range of a file.
   * @param sparse whether it may have holes
   * @param mayGoOn asked after each chunk; false ends the work there
   * @returns where it stopped: at `end`; at a chunk's end, as told; where the file has ended
   */
  async write(
    file: Descriptor,
    [start, end]: [start: number, end: number],
    sparse: boolean,
    list: ContentList,
    mayGoOn: () => boolean = () => true,
  ): Promise<number> {
    const { region } = this.#access.chunking;
    let at = start;
    for (const [from, to] of dataRuns(file, start, end, sparse)) {
      if (from > at) this.#hole(list, from - at);
      at = from;
      while (at < to) {
        const stop = Math.min(to, at - at % region + region);
        const reached = await this.#run(file, at, stop, list, mayGoOn);
        at = reached;
        if (reached < stop || at < to && !mayGoOn()) return at;
      }
    }
    if (at < end) this.#hole(list, end - at);
    return end;
  }

  #hole(list: ContentList, length: number): void {
    addHole(list, length);
    this.#progress(length);
  }

  /** Chunks one run of data. */
  async #run(
    file: Descriptor,
    start: number,
    end: number,
    list: ContentList,
    mayGoOn: () => boolean,
  ): Promise<number> {
    const { bytes } = this.#buffer;
    const chunker = new Chunker(this.#access.chunking, this.#access.gearSeed);
    /** Of the buffer: the first byte that is in no chunk yet, and the end of what was read. */
    let [first, filled] = [0, 0];
    let [offset, stop] = [start, end];
    for (let done = start;;) {
      const length = chunker.next(bytes, first, filled, offset === stop);
      if (length > 0) {
        const id = this.#add(bytes.subarray(first, first + length));
        addChunk(list, typeof id === "string" ? id : await id, length);
        first += length;
        done += length;
        this.#progress(length);
        if (done === stop || !mayGoOn()) return done;
        continue;
      }
      if (offset === stop) return done;
      if (filled + PIECE > bytes.length) {
        bytes.copyWithin(0, first, filled);
        filled -= first;
        first = 0;
      }
      const wanted = Math.min(PIECE, stop - offset);
      const count = this.#buffer.read(file, filled, wanted, offset);
      filled += count;
      offset += count;
      if (count < wanted) stop = offset;
    }
  }

  #progress(bytes: number): void {
    this.#context.checkpoint();
    Atomics.add(this.#context.counters, RunCounter.bytes, BigInt(bytes));
  }

  #add(bytes: Uint8Array): string | Promise<string> {
    const id = chunkId(this.#access, bytes);
    const hex = id.toHex();
    if (this.#index.find(id) >= 0 || !this.#claims.claim(id)) return hex;
    this.newBytes += bytes.length;
    Atomics.add(this.#context.counters, RunCounter.newBytes, BigInt(bytes.length));
    const added = this.#packs.add(id, bytes);
    return added === undefined ? hex : added.then(() => hex);
  }
}

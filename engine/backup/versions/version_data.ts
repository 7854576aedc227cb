import type { RepositoryAccess } from "../repository/access.ts";
import { ChunkIndex, type ChunkIndexData } from "../packs/chunk_index.ts";
import { ChunkLost, ChunkReader } from "../packs/chunk_reader.ts";
import { damaged } from "../repository/damaged.ts";
import type { Content } from "../trees/tree_entry.ts";
import { parseList } from "../trees/tree_page.ts";
import { TreeReader } from "../trees/tree_reader.ts";
import { openStore } from "../../cloud/open_store.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** What reading versions takes, as plain data that goes to workers. */
export interface DataSource {
  access: RepositoryAccess;
  index: ChunkIndexData;
}

/** A chunk or a hole of a file. */
export interface Part {
  /** Bytes from the file's start. */
  offset: number;
  length: number;
  /** Undefined: a hole. */
  id: Uint8Array | undefined;
}

export interface DataOptions {
  /** Bytes of frames that stay in memory. */
  cacheBytes: number;
  /** As of {@link ChunkReaderOptions}. */
  oneAtATime?: boolean;
  signal?: AbortSignal;
}

/** Reads trees and files of a repository's versions. One task's own. */
export class VersionData implements Disposable {
  readonly access: RepositoryAccess;
  readonly chunks: ChunkReader;
  readonly tree: TreeReader;
  readonly #index: ChunkIndex;

  constructor({ access, index }: DataSource, options: DataOptions) {
    this.access = access;
    this.#index = new ChunkIndex(index);
    this.chunks = new ChunkReader(access, openStore(access.location), this.#index, options);
    this.tree = new TreeReader(this.chunks);
  }

  [Symbol.dispose](): void {
    this.chunks[Symbol.dispose]();
  }

  /** Where a content begins in the repository: neighbours in a pack have equal or neighbouring numbers. */
  placeOf(content: Content): number {
    const first = content.find((item) => typeof item === "string");
    const entry = first === undefined ? -1 : this.#index.findHex(first);
    return entry < 0 ? -1 : this.#index.frameOf(entry);
  }

  /**
   * The parts of a content that overlap a range of bytes, in order, a list at a time.
   * @throws ChunkLost where a chunk up to the range's end is in no index segment; EngineError `damaged`; StoreError
   */
  async *runs(content: Content, from = 0, to = Infinity): AsyncGenerator<Part[]> {
    let offset = 0;
    let run: Part[] = [];
    for (const item of content) {
      if (offset >= to) break;
      if (!Array.isArray(item)) {
        offset = this.#add(run, item, offset, from);
        continue;
      }
      const [list, bytes] = item;
      const end = offset + bytes;
      if (end > from) {
        if (run.length > 0) yield run;
        run = [];
        for (const part of parseList(await this.chunks.read(list), list)) {
          offset = this.#add(run, part, offset, from);
          if (offset >= to) break;
        }
        if (offset !== end && offset < to) throw damaged(`list ${list}`, "it stands for another number of bytes");
        if (run.length > 0) yield run;
        run = [];
      }
      offset = end;
    }
    if (run.length > 0) yield run;
  }

  /** All parts of a content; only for files of a bounded size. Errors as of {@link runs}. */
  async parts(content: Content): Promise<Part[]> {
    const parts: Part[] = [];
    if (content.some(Array.isArray)) {
      for await (const run of this.runs(content)) parts.push(...run);
    } else {
      let offset = 0;
      for (const item of content) offset = this.#add(parts, item as string | number, offset, 0);
    }
    return parts;
  }

  /**
   * Bytes of a content from an offset on, fewer than `length` only at its end; holes are zeros.
   * @throws as {@link runs}
   */
  async read(content: Content, offset: number, length: number, context: TaskContext): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    let end = offset;
    for await (const run of this.runs(content, offset, offset + length)) {
      for (const part of run) {
        if (part.offset >= offset + length) break;
        context.checkpoint();
        const [from, to] = [Math.max(part.offset, offset), Math.min(part.offset + part.length, offset + length)];
        if (part.id !== undefined) {
          const chunk = await this.chunks.read(part.id);
          bytes.set(chunk.subarray(from - part.offset, to - part.offset), from - offset);
        }
        end = to;
      }
    }
    return bytes.subarray(0, end - offset);
  }

  /** Adds an item's part where it reaches into the range, and returns its end. */
  #add(parts: Part[], item: string | number, offset: number, from: number): number {
    const id = typeof item === "number" ? undefined : Uint8Array.fromHex(item);
    const length = typeof item === "number" ? item : this.#lengthOf(id as Uint8Array, item);
    if (offset + length > from) parts.push({ offset, length, id });
    return offset + length;
  }

  #lengthOf(id: Uint8Array, hex: string): number {
    const entry = this.#index.find(id);
    if (entry < 0) throw new ChunkLost(hex, undefined, "is in no index segment");
    return this.#index.lengthOf(entry);
  }
}

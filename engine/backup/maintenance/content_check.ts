import type { ChunkIndex } from "../packs/chunk_index.ts";
import type { Losses } from "./losses.ts";
import { asLostChunk } from "./lost_chunk.ts";
import type { Content, FileEntry } from "../trees/tree_entry.ts";
import { At } from "../trees/tree_entry.ts";
import type { TreeReader } from "../trees/tree_reader.ts";

/** Why something cannot be had. */
export interface Cause {
  /** The key of a pack, or the id of a chunk that is in no index segment or is not what it should be. */
  object: string;
  reason: string;
}

/** Tells whether contents can be had whole, without reading more than their lists. */
export class ContentCheck {
  constructor(
    private readonly index: ChunkIndex,
    private readonly losses: Losses,
    private readonly trees: TreeReader,
  ) {}

  /** Why a file of a tree page cannot be had whole; undefined where it can. @throws StoreError */
  async ofFile(entry: FileEntry, page: string): Promise<Cause | undefined> {
    const found = await this.#walk(entry[At.content]);
    if (typeof found !== "number") return found;
    const size = entry[At.size];
    if (found !== size) return { object: page, reason: `a file's content has ${found} bytes instead of ${size}` };
  }

  /** As {@link ofFile}, for what has no size of its own. */
  async ofContent(content: Content): Promise<Cause | undefined> {
    const found = await this.#walk(content);
    return typeof found === "number" ? undefined : found;
  }

  /** A chunk that is known to be lost. */
  ofChunk(id: string): Cause | undefined {
    const object = this.losses.causeOf(id);
    if (object === undefined) return undefined;
    return {
      object,
      reason: object === id ? `chunk ${id} is in no index segment` : `chunk ${id} is lost, in ${object}`,
    };
  }

  async #walk(content: Content): Promise<number | Cause> {
    let total = 0;
    for (const item of content) {
      const bytes = Array.isArray(item) ? await this.#list(item[0]) : this.#part(item);
      if (typeof bytes !== "number") return bytes;
      total += bytes;
    }
    return total;
  }

  #part(item: string | number): number | Cause {
    return typeof item === "number" ? item : this.ofChunk(item) ?? this.index.lengthOf(this.index.findHex(item));
  }

  async #list(id: string): Promise<number | Cause> {
    const known = this.ofChunk(id);
    if (known !== undefined) return known;
    let total = 0;
    try {
      for await (const items of this.trees.content([[id, 0]])) {
        for (const item of items) {
          const bytes = this.#part(item);
          if (typeof bytes !== "number") return bytes;
          total += bytes;
        }
      }
    } catch (error) {
      const lost = asLostChunk(error, id);
      if (lost === undefined) throw error;
      return { object: lost.pack ?? lost.id, reason: lost.reason };
    }
    return total;
  }
}

import { ChunkLost } from "../packs/chunk_reader.ts";
import type { ChunkIndex } from "../packs/chunk_index.ts";
import type { Content } from "../trees/tree_entry.ts";
import type { TreeReader } from "../trees/tree_reader.ts";

/**
 * Whether a file's content is in the repository, as far as the index tells: what a repair could not save is read again.
 * @returns a promise only where lists have to be read
 */
export function isKnown(content: Content, index: ChunkIndex, trees: TreeReader): boolean | Promise<boolean> {
  let lists = false;
  for (const item of content) {
    if (typeof item === "string") {
      if (index.findHex(item) < 0) return false;
    } else if (typeof item !== "number") {
      lists = true;
    }
  }
  return lists ? areListsKnown(content, index, trees) : true;
}

async function areListsKnown(content: Content, index: ChunkIndex, trees: TreeReader): Promise<boolean> {
  try {
    for await (const items of trees.content(content)) {
      for (const item of items) {
        if (typeof item === "string" && index.findHex(item) < 0) return false;
      }
    }
    return true;
  } catch (error) {
    if (isForgotten(error)) return false;
    throw error;
  }
}

/** Whether a chunk is in no index segment, as after a repair: then it is stored again when it comes up. */
export function isForgotten(error: unknown): boolean {
  return error instanceof ChunkLost && error.pack === undefined;
}

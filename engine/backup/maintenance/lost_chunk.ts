import { ChunkLost } from "../packs/chunk_reader.ts";
import { EngineError } from "../../errors.ts";

/** A chunk that cannot be had. */
export interface LostChunk {
  id: string;
  /** The key of the pack that should hold it; undefined where no index segment names it. */
  pack: string | undefined;
  reason: string;
}

/** What the failure to read a chunk, or to understand it, says; undefined for any other error. */
export function asLostChunk(error: unknown, id: string): LostChunk | undefined {
  if (error instanceof ChunkLost) return { id: error.id, pack: error.pack, reason: error.message };
  if (error instanceof EngineError && error.kind === "damaged") return { id, pack: undefined, reason: error.details };
  return undefined;
}

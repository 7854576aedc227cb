import { ChunkLost } from "../packs/chunk_reader.ts";
import { EngineError } from "../../errors.ts";

/** Whether an error means that something in the repository is lost, which costs what needs it and nothing else. */
export function isLoss(error: unknown): error is ChunkLost | EngineError {
  return error instanceof ChunkLost || error instanceof EngineError && error.kind === "damaged";
}

/** What is lost, in words. */
export function lossOf(error: ChunkLost | EngineError): string {
  return error instanceof EngineError ? error.details : error.message;
}

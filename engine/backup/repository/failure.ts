import { damaged } from "./damaged.ts";
import { EngineError, type ErrorKind } from "../../errors.ts";
import type { StoreError, StoreErrorKind } from "../../cloud/object_store.ts";

const KINDS: Record<StoreErrorKind, ErrorKind> = {
  "not-found": "damaged",
  exists: "conflict",
  invalid: "damaged",
  denied: "storage-unavailable",
  full: "backup-failed",
  unavailable: "storage-unavailable",
  damaged: "damaged",
};

/**
 * What to throw to a caller in place of an error of the repository's store or of a worker's task: errors lose their class on their way from
 * a worker, so they are told by their names. Anything else stays as it is.
 */
export function asEngineError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof EngineError) return error;
  if (error.name === "EngineError") {
    const { kind, details } = error as EngineError;
    return new EngineError(kind, error.message, details, { cause: error });
  }
  if (error.name === "ChunkLost") {
    const details = `${error.message}. Check the repository; repair gives up what is lost.`;
    return new EngineError("damaged", "The backup repository is damaged", details, { cause: error });
  }
  if (error.name === "WorkerLostError") {
    const details = `${error.message}. Run it again: it goes on from what it had done.`;
    return new EngineError("backup-failed", "Backup operation failed", details, { cause: error });
  }
  if (error.name === "ChunkLost") return damaged("a chunk that is needed", error.message, { cause: error });
  if (error.name !== "StoreError") return error;
  const kind = KINDS[(error as StoreError).kind] ?? "storage-unavailable";
  return new EngineError(kind, "The backup repository cannot be used", error.message, { cause: error });
}

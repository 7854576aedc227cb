import { EngineError, type ErrorKind } from "../../errors.ts";
import type { StoreError, StoreErrorKind } from "../object_store.ts";

const KINDS: Record<StoreErrorKind, ErrorKind> = {
  "not-found": "not-found",
  exists: "conflict",
  invalid: "invalid",
  denied: "storage-unavailable",
  full: "storage-unavailable",
  unavailable: "storage-unavailable",
  damaged: "storage-unavailable",
};

const MESSAGES: Record<StoreErrorKind, string> = {
  "not-found": "The object was not found",
  exists: "The object exists already",
  invalid: "The request is not valid",
  denied: "The cloud storage refused access",
  full: "The cloud storage is full",
  unavailable: "The cloud storage is unavailable",
  damaged: "The data was damaged on its way",
};

/** What to throw to a caller in place of a task's error; errors lose their class on their way, so they are told by name. */
export function cloudError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof EngineError) return error;
  if (error.name === "EngineError") {
    const { kind, details } = error as EngineError;
    return new EngineError(kind, error.message, details, { cause: error });
  }
  if (error.name === "WorkerLostError") {
    const details = `${error.message}. Ask again: it goes on where it was.`;
    return new EngineError("storage-unavailable", "The transfer broke off", details, { cause: error });
  }
  if (error.name !== "StoreError") return error;
  const { kind } = error as StoreError;
  return new EngineError(KINDS[kind], MESSAGES[kind], error.message, { cause: error });
}

/** Whether what was done until then may be gone on with. */
export function isResumable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "StoreError"
    ? ["unavailable", "denied", "full"].includes((error as StoreError).kind)
    : error.name !== "EngineError";
}

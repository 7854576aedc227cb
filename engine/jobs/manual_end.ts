import type { SessionStore } from "../state/session_store.ts";
import type { ManualResult, Session } from "./types.ts";

const MESSAGES = {
  completed: "Completed",
  cancelled: "Cancelled",
  failed: "Failed",
  interrupted: "Interrupted: the server stopped while it ran",
};

/** How a manual session ends, with the sum of its operations as its result. */
export function manualEnd(
  store: SessionStore,
  sequence: number,
  status: keyof typeof MESSAGES,
): Partial<Session> & { result: ManualResult } {
  const sums = store.sums(sequence);
  const completedAt = new Date().toISOString();
  const isCompleted = status === "completed";
  const result: ManualResult = {
    success: isCompleted && sums.failedOperations === 0,
    changesApplied: sums.changesApplied,
    conflictsEncountered: sums.conflictsEncountered,
    errors: store.errors(sequence),
    operations: sums.operations,
    failedOperations: sums.failedOperations,
    bytesTransferred: sums.bytesTransferred,
    executionTimeMs: sums.executionTimeMs,
    syncedAt: completedAt,
  };
  const end = { status, result, completedAt, message: MESSAGES[status] };
  return isCompleted ? { ...end, progressPercentage: 100 } : end;
}

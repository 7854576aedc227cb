import { EngineError, type ErrorKind, isCancellation } from "../../errors.ts";
import { DatabaseError, type DatabaseErrorKind } from "../error.ts";
import type { Side } from "./decide.ts";

const KINDS: Partial<Record<DatabaseErrorKind, ErrorKind>> = { missing: "not-found", ambiguous: "invalid" };

/** The engine's error for what a database refused, with the side in its details. Whatever else was thrown stays as it is. */
export function failure(error: unknown, side: Side, message = "The database refused or failed"): unknown {
  if (!(error instanceof DatabaseError) || isCancellation(error)) return error;
  return new EngineError(KINDS[error.kind] ?? "database-failed", message, `${side}: ${error.message}`, {
    cause: error,
  });
}

/** Runs work on one side's database. @throws EngineError */
export async function onSide<T>(side: Side, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failure(error, side);
  }
}

/** Whether doing the same again may succeed. */
export function isTransient(error: unknown): boolean {
  return error instanceof DatabaseError && ["deadlock", "lock-timeout", "connection"].includes(error.kind);
}

/** Whether an error, {@link failure}'s as well, says that there is no connection any more. */
export function isLostConnection(error: unknown): boolean {
  const cause = error instanceof EngineError ? error.cause : error;
  return cause instanceof DatabaseError && cause.kind === "connection";
}

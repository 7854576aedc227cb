import { DatabaseError } from "../error.ts";
import type { ErrorContext } from "./error.ts";
import type { Session } from "./session.ts";

const NAME = "syncline";

/** Runs an action so that a failure leaves the transaction as it was before. */
export async function inSavepoint<T>(session: Session, action: () => Promise<T>): Promise<T> {
  await session.run(`savepoint ${NAME}`);
  try {
    const result = await action();
    await session.run(`release savepoint ${NAME}`);
    return result;
  } catch (error) {
    await goBack(session, error);
    throw error;
  }
}

/**
 * The same of statements of which one is a COPY of these pieces, all sent at once.
 * @returns how many rows each touched
 */
export async function copyInSavepoint(
  session: Session,
  statements: string[],
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  context: ErrorContext,
): Promise<number[]> {
  const text = [`savepoint ${NAME}`, ...statements, `release savepoint ${NAME}`].join("; ");
  try {
    return (await session.copyIn(text, pieces, context)).slice(1, -1);
  } catch (error) {
    await goBack(session, error);
    throw error;
  }
}

async function goBack(session: Session, error: unknown): Promise<void> {
  if (error instanceof DatabaseError && error.place.aborts === true) return;
  // Where this fails too, the connection is gone; the first error says more.
  await session.run(`rollback to savepoint ${NAME}; release savepoint ${NAME}`).catch(() => {});
}

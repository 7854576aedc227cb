import { DatabaseError } from "../error.ts";
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
    if (!(error instanceof DatabaseError) || error.place.aborts !== true) {
      // Where this fails too, the connection is gone; the first error says more.
      await session.run(`rollback to savepoint ${NAME}; release savepoint ${NAME}`).catch(() => {});
    }
    throw error;
  }
}

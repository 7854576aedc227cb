import { DatabaseError, type DatabaseErrorKind } from "../../error.ts";

/** What a call did, to be counted once it is certain to stay. */
export type Effect = () => void;

const OF_A_ROW: ReadonlySet<DatabaseErrorKind> = new Set([
  "unique",
  "foreign-key",
  "check",
  "not-null",
  "value",
  "other",
]);

/** Whether an error is about a row, so that others may be written without it. */
export function isOfARow(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && OF_A_ROW.has(error.kind);
}

/** Whether it is, and the transaction goes on. */
export function isRowRefused(error: unknown): error is DatabaseError {
  return isOfARow(error) && error.place.aborts !== true;
}

/** Says to which of the items of a batch an error's row belongs. */
export class ItemRefused extends Error {
  override readonly name = "ItemRefused";

  constructor(readonly item: unknown, override readonly cause: DatabaseError) {
    super(cause.message, { cause });
  }
}

/** Calls a writer with the rows of some items; an error that names a row then names the item. */
export async function naming<T, R>(items: T[], call: () => Promise<R>): Promise<R> {
  try {
    return await call();
  } catch (error) {
    const row = isRowRefused(error) ? error.place.row : undefined;
    if (row === undefined || items[row] === undefined) throw error;
    throw new ItemRefused(items[row], error as DatabaseError);
  }
}

/** Works on items made from others, one of each; an error that names one of them then names the other. */
export async function onBehalf<T, U, R>(items: T[], made: U[], work: (made: U[]) => Promise<R>): Promise<R> {
  try {
    return await work(made);
  } catch (error) {
    const at = error instanceof ItemRefused ? made.indexOf(error.item as U) : -1;
    throw at < 0 ? error : new ItemRefused(items[at], (error as ItemRefused).cause);
  }
}

/**
 * Works on a batch; where a row is refused, on parts of it, until those that are refused stand alone. The transaction goes on
 * meanwhile: a call that throws has changed nothing.
 *
 * @param refuse may throw, which ends it
 */
export async function divide<T>(
  items: T[],
  work: (items: T[]) => Promise<Effect>,
  refuse: (item: T, error: DatabaseError) => void,
): Promise<Effect[]> {
  const effects: Effect[] = [];
  const rest = [items];
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part.length === 0) continue;
    try {
      effects.push(await work(part));
    } catch (error) {
      const cause = error instanceof ItemRefused ? error.cause : error;
      if (!isRowRefused(cause)) throw cause;
      const at = part.length === 1 ? 0 : error instanceof ItemRefused ? part.indexOf(error.item as T) : -1;
      if (at >= 0) {
        refuse(part[at], cause);
        rest.push(part.slice(at + 1), part.slice(0, at));
      } else {
        const middle = part.length >> 1;
        rest.push(part.slice(middle), part.slice(0, middle));
      }
    }
  }
  return effects;
}

/** Waits for all, whatever becomes of the others, and throws the first error: nothing goes on behind the caller's back. */
export async function allOrError<T extends readonly unknown[]>(work: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  let first: { error: unknown } | undefined;
  const note = (error: unknown) => void (first ??= { error });
  const results = await Promise.all(work.map((each) => each.catch(note)));
  if (first !== undefined) throw first.error;
  return results as unknown as T;
}

/** Calls `work` for every item, so many at once, and waits for all that were begun. The first error keeps further items from being begun. */
export async function forEachAtOnce<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failed = false;
  const lane = async () => {
    for (let next = iterator.next(); !next.done && !failed; next = iterator.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await allOrError(Array.from({ length: atOnce }, lane));
}

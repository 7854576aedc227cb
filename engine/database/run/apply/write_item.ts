import { setImmediate } from "node:timers/promises";
import type { Row } from "../../types.ts";
import type { ChangeFiles, ChangeLine } from "../plan.ts";
import type { LineFile } from "../line_file.ts";

/** One row to be written. */
export interface WriteItem {
  line: ChangeLine;
  /** The new row; undefined where it is to be deleted. */
  row: Row | undefined;
}

export type Lines = LineFile<ChangeLine>;
export type { ChangeFiles };

const FIRST_BATCH = 200;
const GROWTH = 8;
/** Text of the rows of a batch, in code units: where they are long, it has fewer. */
export const MOST_TEXT = 8 << 20;

/** Code units of a row's values. */
export function textOf(row: Row): number {
  let text = 0;
  for (const value of row) text += value?.length ?? 0;
  return text;
}

/**
 * A plan's lines with their rows, in batches that are bounded by number and by size. The next is fetched while one is worked on.
 *
 * @param fetch the new rows of lines that do not carry them
 */
export function itemBatches(
  lines: Iterable<ChangeLine>,
  mostRows: number,
  fetch: (lines: ChangeLine[]) => Promise<(Row | undefined)[]>,
): AsyncGenerator<WriteItem[]> {
  return batches(lines, mostRows, async (batch) => {
    const rows = await fetch(batch);
    const text = rows.reduce((sum, row) => sum + textOf(row ?? []), 0);
    return { batch: batch.map((line, i): WriteItem => ({ line, row: rows[i] })), text };
  });
}

/**
 * Makes batches of lines that are bounded by number and by what `load` says is the text of their rows. The next is loaded while
 * one is worked on.
 */
export async function* batches<T>(
  lines: Iterable<ChangeLine>,
  mostRows: number,
  load: (lines: ChangeLine[]) => Promise<{ batch: T; text: number }>,
): AsyncGenerator<T> {
  const iterator = lines[Symbol.iterator]();
  let size = Math.min(mostRows, FIRST_BATCH);
  const take = async (): Promise<{ batch: T } | undefined> => {
    // First the last batch leaves for its server, which would have nothing to do meanwhile.
    await setImmediate();
    const some: ChangeLine[] = [];
    while (some.length < size) {
      const next = iterator.next();
      if (next.done) break;
      some.push(next.value);
    }
    if (some.length === 0) return undefined;
    const { batch, text } = await load(some);
    const fitting = Math.floor(MOST_TEXT / Math.max(1, text / some.length));
    size = Math.max(1, Math.min(mostRows, size * GROWTH, fitting));
    return { batch };
  };
  let next = take();
  try {
    for (;;) {
      const taken = await next;
      if (taken === undefined) return;
      next = take();
      // Its error is thrown when its turn comes.
      next.catch(() => {});
      yield taken.batch;
    }
  } finally {
    await next.catch(() => {});
  }
}

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
export async function* itemBatches(
  lines: Iterable<ChangeLine>,
  mostRows: number,
  fetch: (lines: ChangeLine[]) => Promise<(Row | undefined)[]>,
): AsyncGenerator<WriteItem[]> {
  const iterator = lines[Symbol.iterator]();
  let size = Math.min(mostRows, FIRST_BATCH);
  const load = async (): Promise<WriteItem[]> => {
    const batch: ChangeLine[] = [];
    while (batch.length < size) {
      const next = iterator.next();
      if (next.done) break;
      batch.push(next.value);
    }
    if (batch.length === 0) return [];
    const rows = await fetch(batch);
    const text = rows.reduce((sum, row) => sum + textOf(row ?? []), 0);
    const fitting = Math.floor(MOST_TEXT / Math.max(1, text / batch.length));
    size = Math.max(1, Math.min(mostRows, size * GROWTH, fitting));
    return batch.map((line, i) => ({ line, row: rows[i] }));
  };
  let next = load();
  try {
    for (;;) {
      const items = await next;
      if (items.length === 0) return;
      next = load();
      // Its error is thrown when its turn comes.
      next.catch(() => {});
      yield items;
    }
  } finally {
    await next.catch(() => {});
  }
}

import type { Row } from "../../types.ts";
import { naming } from "./divide.ts";
import type { EntityWriter } from "./entity_writer.ts";
import type { Transactions } from "./transactions.ts";
import { MOST_TEXT, textOf } from "./write_item.ts";

/** Inserts rows into a table without a key. */
export async function insertLoose(writer: EntityWriter, transactions: Transactions): Promise<void> {
  for (const rows of batches(repeated(writer), writer.batchSize, (row) => row)) {
    await transactions.batch(rows, async (to, rows) => {
      await naming(rows, () => to.insert(writer.table, rows));
      return () => writer.counted("inserted", rows.length);
    }, { refuse: (row, error) => writer.refuse(row, undefined, error) });
  }
}

/** Each row as often as it is to be inserted. */
function* repeated(writer: EntityWriter): Generator<Row> {
  for (const [row, count] of writer.plan.loose.insert.read()) {
    for (let n = 0; n < count; n++) yield row;
  }
}

/** Batches that are bounded by number and by the size of their rows. */
function* batches<T>(items: Iterable<T>, mostRows: number, rowOf: (item: T) => Row): Generator<T[]> {
  let batch: T[] = [];
  let text = 0;
  for (const item of items) {
    batch.push(item);
    text += textOf(rowOf(item));
    if (batch.length < mostRows && text < MOST_TEXT) continue;
    yield batch;
    batch = [];
    text = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Deletes rows from a table without a key. Those that somebody else has deleted meanwhile are as they shall be. */
export async function deleteLoose(writer: EntityWriter, transactions: Transactions): Promise<void> {
  const lines = writer.plan.loose.delete.read();
  for (const batch of batches(lines, writer.batchSize, ([row]) => row)) {
    const items = batch.map(([row, count]) => ({ row, count }));
    await transactions.batch(items, async (to, items) => {
      const deleted = await naming(items, () => to.deleteEqual(writer.table, items));
      return () => writer.counted("deleted", deleted);
    }, { refuse: ({ row }, error) => writer.refuse(row, undefined, error) });
  }
}

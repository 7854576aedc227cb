import type { Row } from "../../types.ts";
import { naming } from "./divide.ts";
import type { EntityWriter } from "./entity_writer.ts";
import type { Transactions } from "./transactions.ts";

/** Inserts rows into a table without a key. */
export async function insertLoose(writer: EntityWriter, transactions: Transactions): Promise<void> {
  for (const rows of repeated(writer)) {
    await transactions.batch(rows, async (to, rows) => {
      await naming(rows, () => to.insert(writer.table, rows));
      return () => writer.counted("inserted", rows.length);
    }, { refuse: (row, error) => writer.refuse(row, undefined, error) });
  }
}

/** Each row as often as it is to be inserted, in batches. */
function* repeated(writer: EntityWriter): Generator<Row[]> {
  let batch: Row[] = [];
  for (const [row, count] of writer.plan.loose.insert.read()) {
    for (let n = 0; n < count; n++) {
      batch.push(row);
      if (batch.length < writer.batchSize) continue;
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

/** Deletes rows from a table without a key. Those that somebody else has deleted meanwhile are as they shall be. */
export async function deleteLoose(writer: EntityWriter, transactions: Transactions): Promise<void> {
  for (const lines of writer.plan.loose.delete.batches(writer.batchSize)) {
    const items = lines.map(([row, count]) => ({ row, count }));
    await transactions.batch(items, async (to, items) => {
      const deleted = await naming(items, () => to.deleteEqual(writer.table, items));
      return () => writer.counted("deleted", deleted);
    }, { refuse: ({ row }, error) => writer.refuse(row, undefined, error) });
  }
}

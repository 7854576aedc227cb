import type { RowCarrier } from "../../dialect.ts";
import { onSide } from "../failure.ts";
import type { ChangeLine } from "../plan.ts";
import type { EntityWriter } from "./entity_writer.ts";
import type { Transactions } from "./transactions.ts";
import { batches } from "./write_item.ts";

/** A way to write rows without a look at them. */
export interface Carry {
  change: "insert" | "update";
  carrier: RowCarrier;
  write: NonNullable<RowCarrier["update"]>;
}

export interface CarryParts {
  transactions: Transactions;
  checkpoint: () => void;
  /** Writes lines of which not all could be written so. */
  otherwise: (lines: ChangeLine[]) => Promise<void>;
}

/** Writes rows as the source's server sends them, batch by batch; a batch of which not all can be written so is looked at row by row. */
export async function carryRows(
  target: EntityWriter,
  lines: Iterable<ChangeLine>,
  { change, carrier, write }: Carry,
  { transactions, checkpoint, otherwise }: CarryParts,
): Promise<void> {
  const carried = batches(lines, target.batchSize, async (lines) => {
    const keys = lines.map(([, key]) => key);
    const replaced = change === "insert" ? undefined : lines.map(([, , from]) => BigInt(`0x${from}`));
    const rows = await onSide("source", () => carrier.read(keys, replaced));
    return { batch: { lines, rows }, text: rows.bytes };
  });
  for await (const { lines, rows } of carried) {
    checkpoint();
    let written = 0;
    if (rows.rows === lines.length) {
      await transactions.call(async (writer) => {
        const count = await write(writer, rows);
        return () => {
          written = count;
          target.counted(change === "insert" ? "inserted" : "updated", count);
        };
      });
    }
    // What was written is then found to be done.
    if (written < lines.length) await otherwise(lines);
  }
}

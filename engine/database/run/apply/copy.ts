import type { DirectCopy, Snapshot } from "../../dialect.ts";
import type { DatabaseError } from "../../error.ts";
import { type ChangeLine, COPIED } from "../plan.ts";
import type { Row } from "../../types.ts";
import { MOST_TEXT, textOf, type WriteItem } from "./write_item.ts";
import { failure } from "../failure.ts";
import { keyOf } from "../report.ts";
import { type Effect, naming } from "./divide.ts";
import type { EntityWriter } from "./entity_writer.ts";
import type { CopyMemory } from "./copy_memory.ts";
import type { Transactions } from "./transactions.ts";

/** Rows asked of the source at once. */
const READ_ROWS = 1000;

export interface CopyParts {
  source: Snapshot;
  transactions: Transactions;
  /** Undefined where there is no such way. */
  direct: DirectCopy | undefined;
  memory: CopyMemory;
  postpone: (items: WriteItem[], error: DatabaseError) => boolean;
  checkpoint: () => void;
}

/** Fills an empty table with everything that the source has. */
export async function copyTable(target: EntityWriter, parts: CopyParts): Promise<void> {
  const { source, transactions, direct, memory, postpone, checkpoint } = parts;
  const pair = target.entity.pair;
  if (pair === undefined) throw new Error(`Cannot copy ${target.entity.name} before its table is there`);
  if (direct !== undefined) {
    if (await copyDirectly(target, parts, direct)) return;
    memory.readInstead(source);
  }
  for await (const rows of readAhead(batches(source, target))) {
    checkpoint();
    memory.rows(rows);
    await transactions.batch(rows, async (writer, rows): Promise<Effect> => {
      const there = await naming(rows, () => writer.insert(pair.target, rows));
      return () => {
        target.copied(rows.length - there.length);
        target.progressed(rows.length);
        for (const i of there) target.guardCopied(keyOf(pair.target, rows[i]));
      };
    }, {
      refuse: (row, error) => target.refuseCopied(keyOf(pair.target, row), error),
      // Without a key nothing could refer to the rows, and they could not be found again.
      postpone: (rows, error) => {
        const lines = rows.map((row): ChangeLine => [COPIED, keyOf(pair.target, row), null, ""]);
        return pair.target.key.length > 0 && postpone(lines.map((line) => ({ line, row: undefined })), error);
      },
    });
  }
}

/** @returns false where nothing was done: it cannot be, or a row was refused, so that it has to be found out which */
async function copyDirectly(
  target: EntityWriter,
  { source: snapshot, transactions, memory }: CopyParts,
  direct: DirectCopy,
): Promise<boolean> {
  const { source: from, target: to } = target.entity.pair as NonNullable<EntityWriter["entity"]["pair"]>;
  let rows: number | undefined;
  const refused = await transactions.call(async (writer) => {
    const progress = (rows: number) => target.progressed(rows);
    rows = await direct({ snapshot, side: from }, { writer, side: to }, progress, memory.sink());
    return () => target.copied(rows ?? 0);
  });
  return refused === undefined && rows !== undefined;
}

/** Everything that the source has, in batches as the target takes them. */
async function* batches(source: Snapshot, target: EntityWriter): AsyncGenerator<Row[]> {
  const { source: side } = target.entity.pair as NonNullable<EntityWriter["entity"]["pair"]>;
  let batch: Row[] = [];
  let text = 0;
  try {
    for await (const rows of source.all(side, Math.min(READ_ROWS, target.batchSize))) {
      for (const row of rows) {
        batch.push(row);
        text += textOf(row);
        if (batch.length < target.batchSize && text < MOST_TEXT) continue;
        yield batch;
        batch = [];
        text = 0;
      }
    }
  } catch (error) {
    throw failure(error, "source");
  }
  if (batch.length > 0) yield batch;
}

/** Fetches the next item while one is worked on. */
async function* readAhead<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = items.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done) return;
      next = items.next();
      // Its error is thrown when its turn comes.
      next.catch(() => {});
      yield value;
    }
  } finally {
    await next.catch(() => {});
    await items.return(undefined);
  }
}

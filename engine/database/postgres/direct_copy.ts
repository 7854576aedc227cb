import { DatabaseError } from "../error.ts";
import type { DirectCopy, Snapshot, Writer } from "../dialect.ts";
import type { TableSide } from "../types.ts";
import { linesIn } from "./copy_text.ts";
import { reference } from "./expressions.ts";
import { copyInto, notTaken } from "./insert.ts";
import { copyInSavepoint } from "./savepoint.ts";
import { fromClause } from "./select.ts";
import { PostgresSnapshot } from "./snapshot.ts";
import { assertWritable, PostgresWriter } from "./writer.ts";

/** Rows of a batch where the servers' own text will not do. */
const BATCH = 20_000;

/**
 * What one server's COPY sends is what the other's takes, where the columns are of the same types: nothing is rounded or cut on the
 * way. Else the rows are read and written as others are.
 */
export const directCopy: DirectCopy = async (from, to, progress) => {
  assertWritable(to.side);
  const { snapshot } = from;
  const { writer } = to;
  const isOwn = snapshot instanceof PostgresSnapshot && writer instanceof PostgresWriter;
  if (!isOwn || !haveSameTypes(from.side, to.side)) {
    return await copyRows(snapshot, from.side, writer, to.side, progress);
  }
  const columns = from.side.columns.map(reference).join(", ");
  const sql = `copy (select ${columns} ${fromClause(from.side)}) to stdout`;
  const pieces = snapshot.lanes.stream((lane) => lane.copyOut(sql, { table: from.side.table.id }));
  let sent = 0;
  const onSent = (rows: number) => {
    sent += rows;
    progress(rows);
  };
  const context = { table: to.side.table.id };
  const [inserted] = await copyInSavepoint(writer.session, [copyInto(to.side)], counted(pieces, onSent), {
    ...context,
    copy: { relation: to.side.table.name, firstRow: 0 },
  });
  if (inserted < sent) {
    // A trigger may have put them elsewhere in the table, which was empty.
    const [[there]] = await writer.session.query(`select count(*) ${fromClause(to.side)}`, [], context);
    if (Number(there) < sent) throw notTaken(to.side, sent - Number(there));
  }
  return sent;
};

/** Whether what one side's columns send is what the other's take. A domain's name may stand for another type on the other side. */
export function haveSameTypes(one: TableSide, other: TableSide): boolean {
  return one.columns.every(({ type, logical }, at) => {
    const { type: otherType, logical: otherLogical } = other.columns[at];
    return type === otherType && one.forms[at] === other.forms[at] &&
      JSON.stringify(logical) === JSON.stringify(otherLogical);
  });
}

async function copyRows(
  snapshot: Snapshot,
  from: TableSide,
  writer: Writer,
  to: TableSide,
  progress: (rows: number) => void,
): Promise<number> {
  let copied = 0;
  for await (const rows of snapshot.all(from, BATCH)) {
    const [existing] = await writer.insert(to, rows);
    if (existing !== undefined) {
      const words = `a row with the key of row ${copied + existing + 1} is there already`;
      throw new DatabaseError("unique", `${to.table.id}: ${words}`, { table: to.table.id });
    }
    copied += rows.length;
    progress(rows.length);
  }
  return copied;
}

/** Counts the lines that go through. */
async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  progress: (rows: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    const rows = linesIn(piece);
    yield piece;
    progress(rows);
  }
}

import { DatabaseError } from "../error.ts";
import type { Row, TableSide } from "../types.ts";
import { copyPieces } from "./copy_text.ts";
import { copyLines } from "./encode.ts";
import { findRows } from "./find_rows.ts";
import { quote, quoteTable } from "./identifier.ts";
import { copyInSavepoint, inSavepoint } from "./savepoint.ts";
import type { Session } from "./session.ts";
import { TEMPORARY, withTemporaryRows } from "./temporary_table.ts";

/** Inserts rows and returns the positions of those whose key was there. */
export async function insertRows(session: Session, side: TableSide, rows: Row[]): Promise<number[]> {
  try {
    const pieces = copyPieces(copyLines(side, allPositions(side), rows));
    const [inserted] = await copyInSavepoint(session, [copyInto(side)], pieces, {
      table: side.table.id,
      copy: { relation: side.table.name, firstRow: 0 },
    });
    if (inserted < rows.length) await assertThere(session, side, rows.map((row) => side.key.map((at) => row[at])));
    return [];
  } catch (error) {
    const mayBeKey = error instanceof DatabaseError && error.kind === "unique" && side.key.length > 0;
    if (!mayBeKey) throw error;
    return await inSavepoint(session, () => insertMissing(session, side, rows));
  }
}

/**
 * Where the server says that fewer rows came in than it was sent: a trigger may have put them elsewhere in the table, or nowhere.
 * @throws DatabaseError `other` where rows are not there
 */
export async function assertThere(session: Session, side: TableSide, keys: Row[]): Promise<void> {
  if (side.key.length === 0) return;
  const missing = (await findRows(session, side, keys)).filter((row) => row === undefined).length;
  if (missing > 0) throw notTaken(side, missing);
}

/** Others are there already: only with the transaction is it as it was. */
export function notTaken({ table }: TableSide, rows: number): DatabaseError {
  const words = `${rows} rows of ${table.id} were not taken: a trigger or a rule is in the way`;
  return new DatabaseError("other", words, { table: table.id, aborts: true });
}

/** The statement that takes rows of a side. Identity columns take what is given. */
export function copyInto(side: TableSide): string {
  return `copy ${quoteTable(side.table)} (${names(side)}) from stdin`;
}

async function insertMissing(session: Session, side: TableSide, rows: Row[]): Promise<number[]> {
  const positions = allPositions(side);
  return await withTemporaryRows(session, side, positions, rows, async () => {
    const key = side.key.map((at) => quote(side.columns[at].name));
    const sql = `with inserted as (insert into ${quoteTable(side.table)} (${names(side)}) overriding system value ` +
      `select ${positions.map((_, n) => `c${n}`).join(", ")} from ${TEMPORARY} order by number ` +
      `on conflict (${key.join(", ")}) do nothing returning ${key.map((name, n) => `${name} as k${n}`).join(", ")}) ` +
      `select s.number from ${TEMPORARY} s where not exists (` +
      `select from inserted i where ${side.key.map((at, n) => `i.k${n} = s.c${at}`).join(" and ")})`;
    return (await session.query(sql, [], { table: side.table.id })).map(([number]) => Number(number));
  });
}

function names(side: TableSide): string {
  return side.columns.map((column) => quote(column.name)).join(", ");
}

function allPositions(side: TableSide): number[] {
  return side.columns.map((_, at) => at);
}

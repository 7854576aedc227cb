import { DatabaseError } from "../error.ts";
import type { Row, TableSide } from "../types.ts";
import { copyPieces } from "./copy_text.ts";
import { copyLines } from "./encode.ts";
import { reference } from "./expressions.ts";
import { quoteTable } from "./identifier.ts";
import type { Session } from "./session.ts";

const NAME = "syncline_rows";

/** The table's name in SQL, so that none of the user's is meant. */
export const TEMPORARY = `pg_temp.${NAME}`;
export const COPY_TEMPORARY = `copy ${TEMPORARY} from stdin`;
export const DROP_TEMPORARY = `drop table ${TEMPORARY}`;

/** Makes a table of a `number` of 64 bits and some of a side's columns as `c0`, `c1`, … */
export function createTemporary(side: TableSide, positions: number[]): string {
  const columns = positions.map((position, n) => `${reference(side.columns[position])} as c${n}`);
  return `create temporary table ${NAME} on commit drop as ` +
    `select ${["0::bigint as number", ...columns].join(", ")} from ${quoteTable(side.table)} t with no data`;
}

/**
 * Uses rows that were sent into a temporary table, `number` from 0 and some columns as `c0`, `c1`, …, of the same types as the
 * side's, so that the server's own input has read them.
 */
export async function withTemporaryRows<T>(
  session: Session,
  side: TableSide,
  positions: number[],
  rows: Row[],
  use: () => Promise<T>,
): Promise<T> {
  const context = { table: side.table.id };
  await session.run(createTemporary(side, positions), context);
  try {
    await session.copyIn(COPY_TEMPORARY, copyPieces(numbered(copyLines(side, positions, rows))), {
      ...context,
      copy: { relation: NAME, firstRow: 0 },
    });
  } catch (error) {
    throw withOwnColumn(error, side, positions);
  }
  const result = await use();
  await session.run(DROP_TEMPORARY);
  return result;
}

function* numbered(lines: Iterable<string>): Generator<string> {
  let number = 0;
  for (const line of lines) yield `${number++}\t${line}`;
}

function withOwnColumn(error: unknown, side: TableSide, positions: number[]): unknown {
  if (!(error instanceof DatabaseError) || !/^c\d+$/.test(error.place.column ?? "")) return error;
  const column = side.columns[positions[Number(error.place.column?.slice(1))]]?.name;
  return column === undefined ? error : new DatabaseError(error.kind, error.message, { ...error.place, column });
}

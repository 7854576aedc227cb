import type { Buffer } from "node:buffer";
import type { Row, TableSide } from "../types.ts";
import { unreadable } from "../unreadable.ts";
import { type Reading, reading } from "./expressions.ts";
import { quoteTable } from "./identifier.ts";
import type { Session } from "./session.ts";

/** The rows of a side as the table `t`. The filter is in a query of its own, where no other name is. */
export function fromClause({ table, filter }: TableSide): string {
  return filter === undefined
    ? `from ${quoteTable(table)} t`
    : `from (select * from ${quoteTable(table)} where (${filter}\n)) t`;
}

export function readings(side: TableSide): Reading[] {
  return side.columns.map((column, at) => reading(column, side.forms[at]));
}

/**
 * Makes rows canonical that were read as their {@link readings} say: of all columns, or those at some positions.
 *
 * @throws DatabaseError `value` with table, column and key
 */
export function converter(side: TableSide, positions: number[] = [...side.columns.keys()]): (row: Row) => Row {
  const converts = positions.flatMap((at, n) => {
    const { convert } = reading(side.columns[at], side.forms[at]);
    return convert === undefined ? [] : [{ at, n, convert }];
  });
  if (converts.length === 0) return (row) => row;
  return (row) => {
    for (const { at, n, convert } of converts) {
      const text = row[n];
      if (text === null) continue;
      try {
        row[n] = convert(text);
      } catch (error) {
        throw unreadable(error, side, at, (at) => row[positions.indexOf(at)]);
      }
    }
    return row;
  };
}

/** What a `COPY … TO STDOUT` sends; `setting` holds for it alone. */
export async function* copyQuery(
  session: Session,
  side: TableSide,
  copy: string,
  setting?: string,
): AsyncGenerator<Buffer> {
  if (setting !== undefined) await session.run(`set ${setting}`);
  yield* session.copyOut(copy, { table: side.table.id });
  if (setting !== undefined) await session.run(`reset ${setting.split(" ")[0]}`);
}

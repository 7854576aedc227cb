import type { Buffer } from "node:buffer";
import type { Row, TableSide } from "../types.ts";
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

/** Makes rows canonical that were read as their {@link readings} say. */
export function converter(columns: Reading[]): (row: Row) => Row {
  const converts = columns.flatMap(({ convert }, at) => convert === undefined ? [] : [{ at, convert }]);
  if (converts.length === 0) return (row) => row;
  return (row) => {
    for (const { at, convert } of converts) {
      const text = row[at];
      if (text !== null) row[at] = convert(text);
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

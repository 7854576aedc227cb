import { DatabaseError } from "./error.ts";
import type { TableSide } from "./types.ts";

/** Longer values are cut. */
const MOST_SHOWN = 60;

/**
 * The error of a value that is not of its column's form, with table, column and key.
 *
 * @param value of the row at a position of the side; undefined where it was not read
 */
export function unreadable(
  error: unknown,
  side: TableSide,
  at: number,
  value: (at: number) => string | null | undefined,
): unknown {
  if (!(error instanceof DatabaseError)) return error;
  const { table, columns, key } = side;
  const named = key.flatMap((at) => {
    const text = value(at);
    return typeof text === "string" ? [`${columns[at].name} ${shorten(text)}`] : [];
  });
  const where = named.length === 0 ? "" : ` (${named.join(", ")})`;
  const { name } = columns[at];
  return new DatabaseError(error.kind, `${table.id}.${name}${where}: ${error.message}`, {
    table: table.id,
    column: name,
  });
}

function shorten(text: string): string {
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

import { DatabaseError } from "../error.ts";
import type { Column, Row, TableSide } from "../types.ts";
import type { Stored } from "./stored.ts";
import { valueWriter, type WriteValue } from "./write_value.ts";

/** Turns canonical values into what is bound. */
export class RowBinder {
  readonly #side: TableSide;
  readonly #writers: WriteValue[];

  constructor(side: TableSide) {
    this.#side = side;
    this.#writers = side.columns.map((column, at) => valueWriter(column, side.forms[at]));
  }

  row(row: Row): Stored[] {
    return row.map((_, at) => this.value(row, at));
  }

  /** @throws DatabaseError `value` with table, key and column */
  value(row: Row, at: number): Stored {
    const value = row[at];
    if (value === null) return null;
    try {
      return this.#writers[at](value);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const { table, columns, key } = this.#side;
      const named = key.map((at) => `${columns[at].name} ${row[at]}`).join(", ");
      const where = named === "" ? "" : ` (${named})`;
      const { name } = columns[at];
      throw new DatabaseError(error.kind, `${table.id}.${name}${where}: ${error.message}`, { column: name });
    }
  }
}

/** A value that no other row has. */
export function placeholder({ nullable, storage }: Column): Stored {
  if (nullable) return null;
  const isText = storage?.affinity === "text" || storage?.affinity === "blob";
  return isText ? crypto.randomUUID() : crypto.getRandomValues(new BigInt64Array(1))[0];
}

import { DatabaseError } from "../error.ts";
import type { Column, Form, Row } from "../types.ts";
import { sqliteFailure } from "./failure.ts";
import { Query } from "./query.ts";
import { RowLayout, type StoredRow } from "./row_layout.ts";
import { type ReadContext, RowReader } from "./row_reader.ts";
import { quote, type Stored } from "./stored.ts";
import { valueWriter, type WriteValue } from "./write_value.ts";

/** Finds rows by the canonical values of their key. */
export class KeyLookup {
  readonly #context: ReadContext;
  readonly #layout: RowLayout;
  readonly #query: Query;
  readonly #writers: WriteValue[];

  constructor(context: ReadContext, layout: RowLayout) {
    const { side } = layout;
    this.#context = context;
    this.#layout = layout;
    this.#writers = side.key.map((at) => valueWriter(side.columns[at], side.forms[at]));
    const conditions = side.key.map((at, i) => condition(side.columns[at], side.forms[at], i + 1));
    if (side.filter !== undefined) conditions.push(`(${side.filter}\n)`);
    const where = conditions.join(" AND ");
    this.#query = new Query(
      context.database,
      `SELECT ${layout.exactColumns} FROM ${quote(side.table.name)} WHERE ${where}`,
    );
  }

  /** The rows in the order of the keys; undefined where there is none. */
  async find(keys: Row[]): Promise<(StoredRow | undefined)[]> {
    try {
      const found = keys.map((key) => this.#one(key));
      const { side } = this.#layout;
      const isSpelled = side.key.some((at) => isSpelledFreely(side.columns[at], side.forms[at]));
      return isSpelled && found.includes(undefined) ? await this.#search(keys, found) : found;
    } catch (error) {
      throw sqliteFailure(error, { table: this.#layout.side.table.id });
    }
  }

  #one(key: Row): StoredRow | undefined {
    const values = this.#bind(key);
    if (values === undefined) return undefined;
    // A collation may find a row whose key only looks the same.
    return this.#query.all(values).map((found) => this.#layout.decode(found)).find((row) =>
      isKey(this.#layout, row, key)
    );
  }

  /** Undefined where no row can have that key. */
  #bind(key: Row): Stored[] | undefined {
    if (key.includes(null)) return undefined;
    try {
      return key.map((value, i) => this.#writers[i](value as string));
    } catch (error) {
      if (error instanceof DatabaseError) return undefined;
      throw error;
    }
  }

  /** Looks at every row for those keys that are not stored in their canonical text. */
  async #search(keys: Row[], found: (StoredRow | undefined)[]): Promise<(StoredRow | undefined)[]> {
    const wanted = new Map<string, number>();
    for (const [i, key] of keys.entries()) {
      if (found[i] === undefined) wanted.set(JSON.stringify(key), i);
    }
    const all = [...found];
    for await (const page of new RowReader(this.#context, this.#layout).pages()) {
      for (const row of page) {
        const at = wanted.get(JSON.stringify(this.#layout.key(row)));
        if (at !== undefined) all[at] = row;
      }
    }
    return all;
  }
}

function condition({ name }: Column, form: Form, parameter: number): string {
  // Other programs write UUIDs in capitals.
  const spellings = form === "uuid" ? ` IN (?${parameter}, upper(?${parameter}))` : ` = ?${parameter}`;
  return quote(name) + spellings;
}

/** Whether values that are the same in the form may be stored in different ways. */
function isSpelledFreely({ storage, logical }: Column, form: Form): boolean {
  if (logical.kind === "any" && form !== "native") return true;
  switch (form) {
    case "bytes":
    case "float":
    case "integer":
      return false;
    case "text":
      return storage?.affinity !== "text";
    case "native":
      return storage?.affinity === "numeric" || storage?.affinity === "integer";
    case "decimal":
      return storage?.affinity === "text" || storage?.affinity === "blob";
    default:
      return true;
  }
}

function isKey(layout: RowLayout, row: StoredRow, key: Row): boolean {
  return layout.side.key.every((at, i) => layout.value(row, at) === key[i]);
}

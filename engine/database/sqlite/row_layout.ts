import { Buffer } from "node:buffer";
import type { DatabaseSync } from "node:sqlite";
import { balanced } from "../balanced.ts";
import { DatabaseError } from "../error.ts";
import type { Column, Row, Table, TableSide } from "../types.ts";
import { rowidOf } from "./describe.ts";
import { scalar } from "./query.ts";
import { bytesOf, type ReadValue, valueReader } from "./read_value.ts";
import { InvalidText, quote, type Stored } from "./stored.ts";

/** SQLite's limit. */
const MOST_RESULT_COLUMNS = 2000;

/** A row as stored: what finds it again, then the side's columns; there may be more after them. */
export type StoredRow = Stored[];

/** How a table's rows are selected and told apart. */
export class RowLayout {
  readonly side: TableSide;
  /** Expressions that find a row again: its rowid, or the columns of the primary key. Empty: nothing does. */
  readonly locator: string[];
  readonly isRowid: boolean;
  /** Of all columns. */
  readonly positions: number[];
  /** A mark for each text would be more columns than SQLite takes. */
  readonly isWide: boolean;
  readonly #readers: ReadValue[];
  readonly #decoder: TextDecoder;
  readonly #isUtf8: boolean;
  /** Of the locator and the columns: whether text may be there. */
  readonly #mayBeText: boolean[];
  /** Of the columns: where text is usual. */
  readonly #usuallyText: boolean[];

  constructor(database: DatabaseSync, side: TableSide) {
    this.side = side;
    const { table, columns, forms } = side;
    const rowid = rowidOf(database, table);
    const encoding = String(scalar(database, "PRAGMA encoding"));
    this.#isUtf8 = encoding === "UTF-8";
    this.#decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
    const keys = rowid !== undefined || table.kind === "view" ? [] : table.key.map((name) => columnOf(table, name));
    this.isRowid = rowid !== undefined;
    this.locator = rowid === undefined ? keys.map(({ name }) => quote(name)) : [rowid];
    this.positions = [...columns.keys()];
    this.#readers = forms.map(valueReader);
    this.#usuallyText = columns.map(usuallyText);
    this.#mayBeText = [...(rowid === undefined ? keys.map(mayBeText) : [false]), ...columns.map(mayBeText)];
    this.isWide = this.#mayBeText.length + this.#mayBeText.filter(Boolean).length > MOST_RESULT_COLUMNS;
  }

  /** Whether the key is the rowid. */
  get isKeyRowid(): boolean {
    const { key, columns, table } = this.side;
    return this.isRowid && key.length === 1 && columns[key[0]].identity && table.key[0] === columns[key[0]].name;
  }

  get #expressions(): string[] {
    return [...this.locator, ...this.side.columns.map(({ name }) => quote(name))];
  }

  /**
   * The result columns of a select whose texts may turn out cut short: `node:sqlite` ends a text at U+0000. The last is how long
   * they are, in units of the file's encoding.
   */
  get fastColumns(): string {
    return [...this.#expressions, this.#octets].join(", ");
  }

  get #octets(): string {
    const octets = this.side.columns.filter(usuallyText).map((column) => {
      const length = `octet_length(${quote(column.name)})`;
      // A number's length is that of its text.
      return neverNumber(column) ? `ifnull(${length}, 0)` : `iif(typeof(${quote(column.name)}) = 'text', ${length}, 0)`;
    });
    if (octets.length === 0) return "0";
    return this.#isUtf8 ? balanced(octets, "+") : `(${balanced(octets, "+")}) / 2`;
  }

  /**
   * The result columns of a select that is exact: what may be text comes as a blob, with a mark where it was text; in a wide table
   * without the mark, and blobs as digits.
   */
  get exactColumns(): string {
    return this.#expressions.map((expression, i) => {
      if (!this.#mayBeText[i]) return expression;
      if (this.isWide) {
        const [text, bytes] = [`CAST(${expression} AS BLOB)`, `hex(${expression})`];
        return `CASE typeof(${expression}) WHEN 'text' THEN ${text} WHEN 'blob' THEN ${bytes} ELSE ${expression} END`;
      }
      const isText = `typeof(${expression}) = 'text'`;
      return `iif(${isText}, CAST(${expression} AS BLOB), ${expression}), ${isText}`;
    }).join(", ");
  }

  /** An expression for how many bytes a row's long values have. */
  get size(): string {
    const sizes = this.side.columns.filter(mayBeLong).map(({ name }) => `ifnull(octet_length(${quote(name)}), 0)`);
    return sizes.length === 0 ? "0" : balanced(sizes, "+");
  }

  /** Whether a row of {@link fastColumns} may not be what is stored: it has text where that is unusual, or text that is not whole. */
  isDoubtful(row: StoredRow): boolean {
    const [usual, first] = [this.#usuallyText, this.locator.length];
    const octets = Number(row[first + usual.length]);
    let units = 0;
    for (let at = 0; at < usual.length; at++) {
      const value = row[first + at];
      if (typeof value === "string") {
        // In place of what is not valid there is U+FFFD.
        if (!usual[at] || value.includes("\ufffd")) return true;
        units += value.length;
      }
    }
    return units !== octets && (!this.#isUtf8 || this.#bytes(row) !== octets);
  }

  #bytes(row: StoredRow): number {
    let bytes = 0;
    for (const [at, isUsual] of this.#usuallyText.entries()) {
      const value = row[this.locator.length + at];
      if (isUsual && typeof value === "string") bytes += Buffer.byteLength(value);
      else if (neverNumber(this.side.columns[at]) && value instanceof Uint8Array) bytes += value.length;
    }
    return bytes;
  }

  /** The row that a select of {@link exactColumns} found. */
  decode(found: Stored[]): StoredRow {
    const row: StoredRow = [];
    for (let i = 0, at = 0; i < this.#mayBeText.length; i++, at++) {
      let value = found[at];
      if (this.isWide && typeof value === "string") value = bytesOf(value);
      else if (this.#mayBeText[i] && (this.isWide ? value instanceof Uint8Array : found[++at] === 1n)) {
        value = this.#decode(value as Uint8Array);
      }
      row.push(value);
    }
    return row;
  }

  #decode(bytes: Uint8Array): string | InvalidText {
    try {
      return this.#decoder.decode(bytes);
    } catch {
      return new InvalidText(bytes);
    }
  }

  /** @throws DatabaseError `value` with table, key and column */
  value(row: StoredRow, at: number): string | null {
    const stored = row[this.locator.length + at];
    if (stored === null) return null;
    if (stored instanceof InvalidText) throw this.#failure(row, this.side.columns[at], "the text is not valid UTF-8");
    try {
      return this.#readers[at](stored);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      throw this.#failure(row, this.side.columns[at], error.message);
    }
  }

  row(row: StoredRow): Row {
    return this.side.columns.map((_, at) => this.value(row, at));
  }

  key(row: StoredRow): Row {
    return this.side.key.map((at) => this.value(row, at));
  }

  #failure(row: StoredRow, column: Column | undefined, words: string): DatabaseError {
    const { table, columns, key } = this.side;
    const parts = key.map((at) => [columns[at].name, row[this.locator.length + at]] as const);
    if (key.length === 0 && this.isRowid) parts.push(["rowid", row[0]]);
    const named = parts.filter(([, value]) => value !== undefined).map(([name, value]) => `${name} ${show(value)}`);
    const where = named.length === 0 ? "" : ` (${named.join(", ")})`;
    const place = column === undefined ? table.id : `${table.id}.${column.name}`;
    return new DatabaseError("value", `${place}${where}: ${words}`, { table: table.id, column: column?.name });
  }
}

function columnOf(table: Table, name: string): Column {
  return table.columns.find((column) => column.name === name) as Column;
}

function mayBeText({ storage }: Column): boolean {
  return !(storage?.exact && (storage.affinity === "integer" || storage.affinity === "real"));
}

function neverNumber({ storage }: Column): boolean {
  return storage?.affinity === "text";
}

function mayBeLong(column: Column): boolean {
  return mayBeText(column);
}

/** Where a number is what one expects, text is looked at closely when it is met. */
function usuallyText({ logical, storage }: Column): boolean {
  return storage?.affinity === "text" || storage?.affinity === "blob" ||
    ["date", "time", "timestamp", "uuid", "json", "any", "bits"].includes(logical.kind);
}

function show(value: Stored): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return `of ${value.length} bytes`;
  const text = String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

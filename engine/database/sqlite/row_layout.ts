import { balanced } from "../balanced.ts";
import { DatabaseError } from "../error.ts";
import type { Column, Row, Table, TableSide } from "../types.ts";
import { bytesOf, type ReadValue, valueReader } from "./read_value.ts";
import { quote, type Stored } from "./stored.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** SQLite's limit. */
const MOST_RESULT_COLUMNS = 2000;

/** A row as stored: what finds it again, then the side's columns. */
export type StoredRow = Stored[];

/** How a table's rows are selected and told apart. */
export class RowLayout {
  readonly side: TableSide;
  /** Expressions that find a row again: its rowid, or the columns of the primary key. Empty: nothing does. */
  readonly locator: string[];
  readonly isRowid: boolean;
  readonly #readers: ReadValue[];
  /** Of the locator and the columns: whether text may be there. */
  readonly #mayBeText: boolean[];
  /** A mark for each text would be more columns than SQLite takes. */
  readonly #isWide: boolean;

  constructor(side: TableSide, rowid: string | undefined) {
    this.side = side;
    const { table, columns, forms } = side;
    const keys = rowid !== undefined || table.kind === "view" ? [] : table.key.map((name) => columnOf(table, name));
    this.isRowid = rowid !== undefined;
    this.locator = rowid === undefined ? keys.map(({ name }) => quote(name)) : [rowid];
    this.#readers = forms.map(valueReader);
    this.#mayBeText = [...(rowid === undefined ? keys.map(mayBeText) : [false]), ...columns.map(mayBeText)];
    this.#isWide = this.#mayBeText.length + this.#mayBeText.filter(Boolean).length > MOST_RESULT_COLUMNS;
  }

  /** Whether the key is the rowid. */
  get isKeyRowid(): boolean {
    const { key, columns, table } = this.side;
    return this.isRowid && key.length === 1 && columns[key[0]].identity && table.key[0] === columns[key[0]].name;
  }

  get #expressions(): string[] {
    return [...this.locator, ...this.side.columns.map(({ name }) => quote(name))];
  }

  /** The result columns of a select whose texts may turn out cut short: `node:sqlite` ends a text at U+0000. */
  get fastColumns(): string {
    return this.#expressions.join(", ");
  }

  /**
   * The result columns of a select that is exact: what may be text comes as a blob, with a mark where it was text; in a wide table
   * without the mark, and blobs as digits.
   */
  get exactColumns(): string {
    return this.#expressions.map((expression, i) => {
      if (!this.#mayBeText[i]) return expression;
      if (this.#isWide) {
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

  /** An expression that is true where a text holds U+0000; of columns where text is usual. */
  get hasNul(): string {
    const columns = this.side.columns.filter(usuallyText).map(({ name }) => `instr(${quote(name)}, char(0)) > 0`);
    return columns.length === 0 ? "0" : `ifnull(${balanced(columns, "OR")}, 0)`;
  }

  /** Whether a row of {@link fastColumns} may not be what is stored: it has text where that is unusual, or broken UTF-8. */
  isDoubtful(row: StoredRow): boolean {
    const { columns } = this.side;
    for (let i = 0; i < columns.length; i++) {
      const value = row[i + this.locator.length];
      if (typeof value === "string" && (!usuallyText(columns[i]) || value.includes("\ufffd"))) return true;
    }
    return false;
  }

  /** The row that a select of {@link exactColumns} found. @throws DatabaseError `value` where a text is not UTF-8 */
  decode(found: Stored[]): StoredRow {
    const row: StoredRow = [];
    for (let i = 0, at = 0; i < this.#mayBeText.length; i++, at++) {
      let value = found[at];
      if (this.#isWide && typeof value === "string") value = bytesOf(value);
      else if (this.#mayBeText[i] && (this.#isWide ? value instanceof Uint8Array : found[++at] === 1n)) {
        try {
          value = decoder.decode(value as Uint8Array);
        } catch {
          const column = i < this.locator.length ? undefined : this.side.columns[i - this.locator.length];
          throw this.#failure(row, column, "the text is not valid UTF-8");
        }
      }
      row.push(value);
    }
    return row;
  }

  /** @throws DatabaseError `value` with table, key and column */
  value(row: StoredRow, at: number): string | null {
    const stored = row[this.locator.length + at];
    if (stored === null) return null;
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

import type { Column, Table } from "../types.ts";
import { quoteName, quoteText } from "./quote.ts";
import type { ServerFacts } from "./server.ts";

export interface Creation {
  statements: string[];
  notes: string[];
}

/** Bytes of an index, and of the columns of a row that are not kept beside it. */
const MOST_INDEX_BYTES = 3072;
const MOST_ROW_BYTES = 60_000;
/** A character of utf8mb4. */
const CHARACTER_BYTES = 4;
/** Longer texts are kept beside the row. */
const MOST_CHARACTERS = 1000;
const MOST_BYTES = 4000;
const MOST_DIGITS = 65;
const MOST_BITS = 64;
const MOST_LABEL = 255;

/** As {@link Connection.creation}. */
export function creationOf(table: Table, server: ServerFacts): Creation {
  const notes: string[] = [];
  const columns = table.columns.filter((column) => !column.generated);
  const types = new ColumnTypes(table, server);
  const numbered = numberedColumn(table);
  const parts = columns.map((column) => {
    const { type, note } = types.of(column);
    if (note !== undefined) notes.push(`${column.name}: ${note}`);
    const isNull = column.nullable && !table.key.includes(column.name);
    const number = column === numbered ? " AUTO_INCREMENT" : "";
    if (column.identity && number === "") notes.push(`${column.name}: is not numbered by the server`);
    // A timestamp of NOT NULL alone would get defaults of its own.
    return `${quoteName(column.name)} ${type} ${isNull ? "NULL" : "NOT NULL"}${number}`;
  });
  const list = (names: string[]) => names.map(quoteName).join(", ");
  if (table.key.length > 0) parts.push(`PRIMARY KEY (${list(table.key)})`);
  for (const unique of table.unique) {
    if (unique.every((name) => columns.some((column) => column.name === name))) parts.push(`UNIQUE (${list(unique)})`);
    else notes.push(`the unique key over ${unique.join(", ")} was not made, since it has a computed column`);
  }
  const options = `ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE ${server.exactCollation}`;
  const generated = table.columns.filter((column) => column.generated).map((column) => column.name);
  if (generated.length > 0) notes.push(`not made, since computed in the source: ${generated.join(", ")}`);
  if (table.foreignKeys.length > 0) {
    notes.push(`foreign keys were not made: ${table.foreignKeys.map((key) => key.name).join(", ")}`);
  }
  const defaults = columns.filter((column) => column.hasDefault && !column.identity).map((column) => column.name);
  if (defaults.length > 0) notes.push(`defaults were not made: ${defaults.join(", ")}`);
  return { statements: [`CREATE TABLE ${quoteName(table.name)} (${parts.join(", ")}) ${options}`], notes };
}

/** The one column that can be numbered: a whole number that leads a key. */
function numberedColumn({ columns, key, unique }: Table): Column | undefined {
  const leading = new Set([key, ...unique].map(([name]) => name));
  return columns.find(({ identity, logical, name }) => identity && logical.kind === "integer" && leading.has(name));
}

interface ColumnType {
  type: string;
  note?: string;
}

class ColumnTypes {
  readonly #server: ServerFacts;
  /** Bytes that each column of a key may take. */
  readonly #keyBytes = new Map<string, number>();
  #rowBytes = 0;

  constructor({ key, unique }: Table, server: ServerFacts) {
    this.#server = server;
    for (const names of [key, ...unique]) {
      const share = Math.floor(MOST_INDEX_BYTES / names.length);
      for (const name of names) this.#keyBytes.set(name, Math.min(share, this.#keyBytes.get(name) ?? share));
    }
  }

  of(column: Column): ColumnType {
    const { logical } = column;
    switch (logical.kind) {
      case "integer":
        return { type: `${INTEGERS[logical.bits]}${logical.unsigned ? " unsigned" : ""}` };
      case "decimal":
        return this.#decimal(logical.precision, logical.scale);
      case "float":
        return { type: logical.bits === 32 ? "float" : "double" };
      case "boolean":
        return { type: "tinyint(1)" };
      case "text":
        return this.#text(column, logical.length, logical.fixed);
      case "bytes":
        return this.#bytes(column, logical.length, logical.fixed);
      case "date":
        return { type: "date" };
      case "time":
        return logical.zone
          ? this.#asText(column, "times with a time zone have no counterpart")
          : { type: `time(${Math.min(logical.precision, 6)})`, ...micro(logical.precision) };
      case "timestamp":
        return {
          type: `datetime(${Math.min(logical.precision, 6)})`,
          ...micro(logical.precision),
          ...(logical.zone ? { note: "made as datetime, which holds the time in UTC" } : {}),
        };
      case "uuid":
        return this.#server.hasUuid
          ? { type: "uuid" }
          : { type: "char(36) CHARACTER SET ascii COLLATE ascii_general_ci" };
      case "json":
        return { type: "json" };
      case "bits":
        return logical.varying || logical.length === null || logical.length > MOST_BITS
          ? this.#asText(column, `${column.type} has no counterpart`)
          : { type: `bit(${logical.length})` };
      case "enum":
        return this.#enum(column, logical.labels);
      case "native":
        return logical.engine === "mysql"
          ? { type: column.type }
          : this.#asText(column, `${column.type} has no counterpart`);
      case "interval":
        return this.#asText(column, "intervals have no counterpart");
      case "any":
        return this.#asText(column, "values of any type have no counterpart");
    }
  }

  #decimal(precision: number | null, scale: number | null): ColumnType {
    const { mostScale } = this.#server;
    if (precision === null || scale === null) {
      return { type: `decimal(${MOST_DIGITS},30)`, note: `holds 35 digits before the point and 30 after it` };
    }
    // A negative scale leaves out digits before the point.
    const [digits, after] = scale < 0 ? [precision - scale, 0] : [Math.max(precision, scale), scale];
    if (digits <= MOST_DIGITS && after <= mostScale) return { type: `decimal(${digits},${after})` };
    const kept = Math.min(after, mostScale);
    const whole = Math.min(digits - after, MOST_DIGITS - kept);
    return {
      type: `decimal(${whole + kept},${kept})`,
      note: `holds ${whole} digits before the point and ${kept} after it, fewer than ${digits - after} and ${after}`,
    };
  }

  #text(column: Column, length: number | null, fixed: boolean): ColumnType {
    const key = this.#keyBytes.get(column.name);
    const most = key === undefined ? MOST_CHARACTERS : Math.floor(key / CHARACTER_BYTES);
    if (length !== null && length > 0 && length <= most && this.#fits(length * CHARACTER_BYTES)) {
      return { type: `${fixed && length <= 255 ? "char" : "varchar"}(${length})` };
    }
    if (key === undefined) {
      return length === null
        ? { type: "longtext" }
        : { type: "longtext", note: `made as longtext, without a limit of ${length}` };
    }
    this.#fits(most * CHARACTER_BYTES);
    return { type: `varchar(${most})`, note: `in a key, so made as varchar(${most}); longer values will be refused` };
  }

  #bytes(column: Column, length: number | null, fixed: boolean): ColumnType {
    const key = this.#keyBytes.get(column.name);
    const most = key ?? MOST_BYTES;
    if (length !== null && length > 0 && length <= most && this.#fits(length)) {
      return { type: `${fixed && length <= 255 ? "binary" : "varbinary"}(${length})` };
    }
    if (key === undefined) return { type: "longblob" };
    this.#fits(most);
    return {
      type: `varbinary(${most})`,
      note: `in a key, so made as varbinary(${most}); longer values will be refused`,
    };
  }

  #enum(column: Column, labels: string[]): ColumnType {
    const isPossible = labels.length > 0 && labels.every((label) => label.length <= MOST_LABEL && !label.endsWith(" "));
    if (!isPossible) return this.#asText(column, "its labels are not possible");
    return { type: `enum(${labels.map(quoteText).join(",")})` };
  }

  #asText(column: Column, why: string): ColumnType {
    const { type } = this.#text(column, null, false);
    return { type, note: `${why}; made as ${type}` };
  }

  /** Whether so many bytes are left in the row, which are then taken. */
  #fits(bytes: number): boolean {
    if (this.#rowBytes + bytes > MOST_ROW_BYTES) return false;
    this.#rowBytes += bytes;
    return true;
  }
}

const INTEGERS = { 8: "tinyint", 16: "smallint", 24: "mediumint", 32: "int", 64: "bigint" };

function micro(precision: number): { note?: string } {
  return precision > 6 ? { note: "times have no more than six digits of a second" } : {};
}

/** Columns' values as canonical text, as far as SQL can write it, and by conversion here where it cannot. */
import { canonical } from "../canonical.ts";
import type { Column, Form } from "../types.ts";
import { quoteName } from "./quote.ts";

/** How a column is read in a form. */
export interface Rendering {
  /** An expression of text (or of what becomes that text where text is asked for), NULL for NULL. */
  sql: string;
  /** Whether the expression alone is the canonical text. */
  inSql: boolean;
  /** Makes the canonical text of what the expression gives, or says why there is none. */
  convert?: (text: string) => string;
  /** The octets of the expression's value, where there is a faster way than to look at it. */
  length?: string;
  /** Read as bytes and written as digits here: half of what goes over the wire, and a server's limit for texts does not matter. */
  bytes?: string;
}

/** Character sets whose bytes are those of UTF-8. */
const UTF8 = new Set(["ascii", "utf8", "utf8mb3", "utf8mb4"]);

/** How `column` is read in `form`. */
export function render(column: Column, form: Form): Rendering {
  const { logical, type } = column;
  const reference = quoteName(column.name);
  const inSql = true;
  switch (logical.kind) {
    case "integer":
      // Numbers with leading zeros; years, which come as four digits.
      return { sql: /zerofill|year/.test(type) ? `(${reference} + 0)` : reference, inSql };
    case "boolean":
      return { sql: reference, inSql };
    case "decimal":
      return { sql: decimal(type.includes("zerofill") ? `(${reference} + 0)` : reference, logical.scale ?? 0), inSql };
    case "float":
      // The product is a double with all its digits, whatever the column shows.
      return { sql: `(${reference} * 1e0)`, inSql: false, convert: (text) => canonical(form, text) };
    case "bits":
      return form === "boolean"
        ? { sql: `(${reference} + 0)`, inSql }
        : { sql: `LPAD(BIN(${reference} + 0), ${logical.length}, '0')`, inSql };
    case "bytes":
      return hexadecimal(reference);
    case "date":
      return { sql: reference, inSql };
    case "time":
      return { sql: logical.precision === 0 ? reference : withoutZeros(reference), inSql };
    case "timestamp":
      return logical.precision === 0 ? { sql: reference, inSql } : { sql: withoutZeros(reference), inSql };
    case "uuid":
      return { sql: `CAST(${reference} AS CHAR)`, inSql };
    case "json": {
      const sql = logical.binary ? `CAST(${reference} AS CHAR CHARACTER SET utf8mb4)` : utf8(column, reference);
      return form === "json" ? { sql, inSql: false, convert: (text) => canonical("json", text) } : { sql, inSql };
    }
    case "native":
      return isText(logical.name) ? { sql: `CAST(${reference} AS CHAR)`, inSql } : hexadecimal(reference);
    default: {
      const sql = utf8(column, reference);
      return form === "uuid" ? { sql: uuid(sql), inSql, convert: (text) => canonical("uuid", text) } : { sql, inSql };
    }
  }
}

/** Types of MariaDB that have a text; of others, such as geometries, the bytes are taken. */
export function isText(name: string): boolean {
  return name === "inet4" || name === "inet6";
}

/** The character set of a column of text. */
export function characterSet(column: Column): string | undefined {
  return column.collation?.name.split("_")[0];
}

function utf8(column: Column, reference: string): string {
  const set = characterSet(column);
  return set !== undefined && UTF8.has(set) ? reference : `CONVERT(${reference} USING utf8mb4)`;
}

function hexadecimal(reference: string): Rendering {
  return { sql: `LOWER(HEX(${reference}))`, length: `LENGTH(${reference}) * 2`, bytes: reference, inSql: true };
}

/** A text's usual spellings of a UUID as the canonical one; of any other text something that no UUID is, without `|`. */
function uuid(text: string): string {
  const parts = [[1, 8], [9, 4], [13, 4], [17, 4], [21, 12]].map(([from, length]) =>
    `SUBSTR(${text}, ${from}, ${length})`
  );
  return `REPLACE(LOWER(CASE CHAR_LENGTH(${text}) WHEN 32 THEN CONCAT_WS('-', ${parts.join(", ")})
    WHEN 38 THEN SUBSTR(${text}, 2, 36) ELSE ${text} END), '|', '?')`;
}

function decimal(reference: string, scale: number): string {
  return scale === 0 ? reference : withoutZeros(reference);
}

/** Bytes are trimmed faster than characters. */
function withoutZeros(reference: string): string {
  return `TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(${reference} AS BINARY)))`;
}

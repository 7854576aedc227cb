/** Canonical texts as literals of SQL. */
import type { Column, Form, Value } from "../types.ts";
import { quoteText } from "./quote.ts";
import { characterSet, isText } from "./render.ts";

/** A value to be stored in `column`. The server checks it; what it would change is refused before, see `fitting.ts`. */
export function storedLiteral(column: Column, form: Form, value: Value): string {
  if (value === null) return "NULL";
  switch (column.logical.kind) {
    case "float":
      return quoteText(value);
    case "bytes":
      return `x'${hexadecimal(value)}'`;
    case "bits":
      return form === "boolean" ? `b'${value === "0" ? "0" : "1"}'` : `b'${value.replace(/[^01]/g, "")}'`;
    case "native":
      return isText(column.logical.name) ? quoteText(value) : `x'${hexadecimal(value)}'`;
    case "integer":
      // A year of text below 100 is taken for one of this century.
      return column.type.startsWith("year") && value === "0" ? "'0000'" : quoteText(value);
    default:
      return quoteText(value);
  }
}

/**
 * A value to be compared with `column`: of the column's own type, so that an index finds it, in a list of values of any kind as well.
 */
export function comparedLiteral(column: Column, form: Form, value: string): string {
  const { logical } = column;
  switch (logical.kind) {
    case "integer":
    case "boolean":
    case "decimal":
      return number(value);
    case "float":
      return value.includes("e") ? number(value) : `${number(value)}e0`;
    case "bits":
      return form === "boolean" ? number(value) : String(BigInt(`0b${value}`));
    case "date":
      return `DATE${quoteText(value)}`;
    case "time":
      return `TIME${quoteText(value)}`;
    case "timestamp":
      return `TIMESTAMP${quoteText(value)}`;
    case "uuid":
      return `CAST(${quoteText(value)} AS UUID)`;
    case "bytes":
      return `x'${hexadecimal(value)}'`;
    case "native":
      return isText(logical.name) ? `CAST(${quoteText(value)} AS ${logical.name})` : `x'${hexadecimal(value)}'`;
    default:
      return text(column, value);
  }
}

function text(column: Column, value: string): string {
  const set = characterSet(column);
  if (set === undefined || column.collation === undefined) return quoteText(value);
  const literal = set === "utf8mb4" ? quoteText(value) : `CONVERT(${quoteText(value)} USING ${set})`;
  return `${literal} COLLATE ${column.collation.name}`;
}

function number(value: string): string {
  if (!/^-?\d+(?:\.\d+)?(?:e[+-]\d+)?$/.test(value)) throw new RangeError("not a number");
  return value;
}

function hexadecimal(value: string): string {
  if (!/^(?:[0-9a-f]{2})*$/.test(value)) throw new RangeError("not bytes");
  return value;
}

import { DatabaseError } from "../error.ts";
import type { Column, Form, Row, TableSide } from "../types.ts";
import { copyValue } from "./copy_text.ts";

/** Makes a canonical text what the column's input takes; refuses what the server would round or cut without a word. */
type Encode = (text: string) => string;

const refused = (type: string): never => {
  throw new DatabaseError("value", `the value does not fit into ${type}`);
};

/** Undefined where the canonical text does. */
function encoder({ logical, type }: Column, form: Form): Encode | undefined {
  switch (logical.kind) {
    case "bytes":
      return form === "bytes" ? (text) => `\\x${text}` : undefined;
    case "decimal": {
      const { scale } = logical;
      return scale === null ? undefined : (text) => fitsScale(text, scale) ? text : refused(type);
    }
    case "float":
      return logical.bits === 64 ? undefined : (text) => {
        const number = Number(text);
        return Object.is(Math.fround(number), number) ? text : refused(type);
      };
    case "text": {
      const { length, fixed } = logical;
      if (length === null || fixed) return (text) => text.includes("\0") ? refused(type) : text;
      // In UTF-16 it is no shorter than in characters.
      return (text) => text.includes("\0") || text.length > length && [...text].length > length ? refused(type) : text;
    }
    case "time":
    case "timestamp": {
      const { precision } = logical;
      return (text) => fractionDigits(text) <= precision ? text : refused(type);
    }
    default:
      return undefined;
  }
}

function fitsScale(text: string, scale: number): boolean {
  if (scale >= 0) return fractionDigits(text) <= scale;
  return text === "0" || !/^-?\d/.test(text) || fractionDigits(text) === 0 && text.endsWith("0".repeat(-scale));
}

function fractionDigits(text: string): number {
  const point = text.indexOf(".");
  if (point < 0) return 0;
  let end = point + 1;
  while (end < text.length && text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57) end++;
  return end - point - 1;
}

/** Lines of COPY for some columns of rows; a value that does not fit is told with its column and row. */
export function* copyLines(side: TableSide, positions: number[], rows: Iterable<Row>): Generator<string> {
  const columns = positions.map((position) => ({
    position,
    encode: encoder(side.columns[position], side.forms[position]),
  }));
  let at = 0;
  for (const row of rows) {
    let line = "";
    for (let n = 0; n < columns.length; n++) {
      const { position, encode } = columns[n];
      let value = row[position];
      if (value !== null && encode !== undefined) {
        try {
          value = encode(value);
        } catch (error) {
          throw placed(error, side, position, at);
        }
      }
      line += n === 0 ? copyValue(value) : `\t${copyValue(value)}`;
    }
    yield line;
    at++;
  }
}

function placed(error: unknown, side: TableSide, position: number, row: number): unknown {
  if (!(error instanceof DatabaseError)) return error;
  const { name } = side.columns[position];
  return new DatabaseError(error.kind, `${name}: ${error.message}`, { table: side.table.id, column: name, row });
}

import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { DatabaseError } from "../error.ts";
import type { Column, Form, Row, TableSide } from "../types.ts";
import { isText } from "./render.ts";
import { quoteName } from "./quote.ts";
import { sideSql } from "./side_sql.ts";
import type { Writing } from "./writing.ts";

const PIECE_CHARACTERS = 256 << 10;

/**
 * Inserts rows by LOAD DATA, the fastest way in. From a client the server takes errors for warnings, leaves rows out and changes
 * values; so it must not have warned at all.
 *
 * @throws DatabaseError where it did; what is wrong is not known then
 */
export async function loadRows({ session }: Writing, side: TableSide, rows: Row[]): Promise<void> {
  const fields = side.columns.map((column, at) => loadField(column, side.forms[at], at));
  const names = fields.map(({ name }) => name).join(", ");
  const set = fields.flatMap(({ set }) => set === undefined ? [] : [set]);
  const sql = `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${sideSql(side).table} CHARACTER SET utf8mb4
    FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' STARTING BY '' (${names})
    ${set.length === 0 ? "" : `SET ${set.join(", ")}`}`;
  const { affectedRows, warnings } = await session.load(sql, () => Readable.from(lines(rows, fields)));
  if (warnings !== 0 || affectedRows !== rows.length) throw new DatabaseError("other", "the server warned");
}

interface LoadField {
  /** A column, or a variable that `set` makes the column's value of. */
  name: string;
  set?: string;
  zero?: string;
}

function loadField({ name, logical, type }: Column, form: Form, at: number): LoadField {
  const column = quoteName(name);
  const variable = `@v${at}`;
  switch (logical.kind) {
    case "bytes":
      return { name: variable, set: `${column} = UNHEX(${variable})` };
    case "bits": {
      const number = form === "boolean" ? variable : `CONV(${variable}, 2, 10)`;
      return { name: variable, set: `${column} = CAST(${number} AS UNSIGNED)` };
    }
    case "native":
      return isText(logical.name) ? { name: column } : { name: variable, set: `${column} = UNHEX(${variable})` };
    default:
      // The text 0 is a year of its own.
      return type.startsWith("year") ? { name: column, zero: "0000" } : { name: column };
  }
}

const SPECIAL = /[\\\t\n\0]/;
const ESCAPES: Record<string, string> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\0": "\\0" };

function* lines(rows: Row[], fields: LoadField[]): Generator<Buffer> {
  let text = "";
  for (const row of rows) {
    for (let at = 0; at < row.length; at++) {
      if (at > 0) text += "\t";
      const value = row[at];
      if (value === null) text += "\\N";
      else if (SPECIAL.test(value)) text += value.replace(/[\\\t\n\0]/g, (character) => ESCAPES[character]);
      else text += value === "0" ? fields[at].zero ?? value : value;
    }
    text += "\n";
    if (text.length < PIECE_CHARACTERS) continue;
    yield Buffer.from(text);
    text = "";
  }
  yield Buffer.from(text);
}

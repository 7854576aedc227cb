/** The SQL of one side: its columns as they are read, and their text as it is hashed. */
import { isMeasured } from "../row_text.ts";
import type { Column, Form, Row, TableSide } from "../types.ts";
import { unreadable } from "../unreadable.ts";
import { quoteName } from "./quote.ts";
import { render, type Rendering } from "./render.ts";
import { BYTES } from "./session.ts";

export interface SideSql {
  /** The table's quoted name. */
  table: string;
  /** `WHERE` and the filter, or an empty text. */
  where: string;
  /** The columns as {@link SideSql.read} takes them; all, or those at some positions. */
  select(positions?: number[]): string;
  /** Makes the canonical row of one that was selected. Changes it. */
  read(row: Row, positions?: number[]): Row;
  /** The text of the row, as row_text.ts has it. */
  rowText: string;
  /** The same of the key. */
  keyText: string;
}

const made = new WeakMap<TableSide, SideSql>();

export function sideSql(side: TableSide): SideSql {
  let sql = made.get(side);
  if (sql === undefined) made.set(side, sql = make(side));
  return sql;
}

/** A condition beside the side's own. */
export function whereAlso(side: TableSide, condition: string): string {
  return side.filter === undefined ? `WHERE ${condition}` : `${sideSql(side).where} AND (${condition})`;
}

function make(side: TableSide): SideSql {
  const all = [...side.columns.keys()];
  const renderings = side.columns.map((column, at) => render(column, side.forms[at]));
  const converting = all.filter((at) => renderings[at].convert !== undefined);
  const convert = (row: Row, i: number, at: number, positions: number[]) => {
    const value = row[i];
    if (value === null) return value;
    try {
      return renderings[at].convert?.(value) ?? value;
    } catch (error) {
      throw unreadable(error, side, at, (at) => row[positions.indexOf(at)]);
    }
  };
  const texts = renderings.map((rendering, at) => valueText(rendering, side.columns[at], side.forms[at]));
  return {
    table: quoteName(side.table.name),
    // On a line of its own, so that a comment at its end comments out nothing else.
    where: side.filter === undefined ? "" : `WHERE (${side.filter}\n)`,
    select: (positions = all) => positions.map((at) => selected(renderings[at], at)).join(", "),
    read: (row, positions) => {
      if (positions !== undefined) {
        for (const [i, at] of positions.entries()) row[i] = convert(row, i, at, positions);
      } else {
        for (const at of converting) row[at] = convert(row, at, at, all);
      }
      return row;
    },
    rowText: concatenated(texts),
    keyText: concatenated(side.key.map((at) => texts[at])),
  };
}

function selected({ sql, bytes }: Rendering, at: number): string {
  return bytes === undefined ? `${sql} AS c${at}` : `${bytes} AS \`${BYTES}${at}\``;
}

/** The parts of one value's text. Where the text is longer than the server's limit for texts, everything becomes NULL. */
function valueText({ sql, length = `LENGTH(${sql})` }: Rendering, { name, nullable }: Column, form: Form): string {
  const isNull = `${quoteName(name)} IS NULL`;
  if (!isMeasured(form)) return nullable ? `IF(${isNull}, 'N', ${sql})` : sql;
  const parts = `${length}, '|', ${sql}`;
  return nullable ? `IF(${isNull}, '-1', CONCAT(${parts}))` : parts;
}

/** Put together as bytes, for columns may have collations that do not mix. A literal of bytes would give way to them. */
function concatenated(texts: string[]): string {
  return texts.length === 0 ? "''" : `CONCAT(CAST('' AS BINARY), ${texts.join(", '|', ")})`;
}

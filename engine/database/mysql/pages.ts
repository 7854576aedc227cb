/** Reads a table in the order of its key, page by page, so that a connection is held for a moment only and memory is bounded. */
import type { Column, Row, TableSide } from "../types.ts";
import { comparedLiteral } from "./literal.ts";
import { quoteName } from "./quote.ts";
import { BATCH_CHARACTERS, characters, type Session } from "./session.ts";
import { whereAlso } from "./side_sql.ts";

/** Runs a piece of work on a connection when there is one. */
export type Lend = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

export interface PageQuery {
  side: TableSide;
  /** Everything up to the condition: `SELECT … FROM …`. The key's columns must be among the selected. */
  select: string;
  /** Beside the side's filter. */
  condition?: string;
  /** Where in the selected columns the key's are, in its order. */
  keyAt: number[];
  /** Makes a selected row's values canonical. */
  read(row: Row): Row;
}

/** Whether the order of the key's index is the one that comparisons with a literal have. */
export function isPageable(side: TableSide): boolean {
  return side.key.length > 0 && side.key.every((at) => isOrdered(side.columns[at]));
}

function isOrdered({ logical, type }: Column): boolean {
  // Of labels, the index has the numbers and a comparison the texts; years below 100 are compared as others.
  return logical.kind !== "enum" && !type.startsWith("set(") && !type.startsWith("year") && logical.kind !== "native";
}

/** The rows, in batches of at most `batchRows`. The next is read while one is worked on. */
export async function* pages(query: PageQuery, batchRows: number, lend: Lend): AsyncGenerator<Row[]> {
  let next = page(query, undefined, batchRows, lend);
  try {
    while (true) {
      const { rows, last, complete } = await next;
      if (!complete) {
        next = page(query, last, batchRows, lend);
        // Its error is thrown when its turn comes.
        next.catch(() => {});
      }
      if (rows.length > 0) yield rows;
      if (complete) return;
    }
  } finally {
    await next.catch(() => {});
  }
}

interface Page {
  rows: Row[];
  /** The last row's key. */
  last: Row | undefined;
  /** There are no more. */
  complete: boolean;
}

async function page(query: PageQuery, after: Row | undefined, limit: number, lend: Lend): Promise<Page> {
  const { side, select, condition, keyAt, read } = query;
  const conditions = [
    condition === undefined ? [] : `(${condition})`,
    after === undefined ? [] : afterKey(side, after),
  ];
  const where = whereAlso(side, conditions.flat().join(" AND ") || "TRUE");
  const order = side.key.map((at) => quoteName(side.columns[at].name)).join(", ");
  const sql = `${select} ${where} ORDER BY ${order} LIMIT ${limit}`;
  return await lend(async (session) => {
    // One more than there can be: a batch that comes before the end is full by its size.
    for await (const rows of session.stream(sql, limit + 1)) {
      const complete = rows.length < limit && characters(rows) < BATCH_CHARACTERS;
      for (const row of rows) read(row);
      const last = rows[rows.length - 1];
      return { rows, last: keyAt.map((at) => last[at]), complete };
    }
    return { rows: [], last: undefined, complete: true };
  });
}

/** `a > x OR a = x AND (b > y OR …)`, led by a condition that an index can use. */
function afterKey(side: TableSide, key: Row): string {
  const columns = side.key.map((at) => ({
    name: quoteName(side.columns[at].name),
    literal: (value: string) => comparedLiteral(side.columns[at], side.forms[at], value),
  }));
  const literals = key.map((value, i) => columns[i].literal(value!));
  let condition = `${columns.at(-1)!.name} > ${literals.at(-1)}`;
  for (let i = columns.length - 2; i >= 0; i--) {
    const { name } = columns[i];
    condition = `${name} > ${literals[i]} OR ${name} = ${literals[i]} AND (${condition})`;
  }
  return columns.length === 1 ? condition : `${columns[0].name} >= ${literals[0]} AND (${condition})`;
}

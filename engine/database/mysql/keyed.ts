/** Rows by their keys: a list of keys is a derived table that is joined, whatever the key's columns and types are. */
import type { Row, TableSide } from "../types.ts";
import { fitting } from "./fitting.ts";
import { comparedLiteral } from "./literal.ts";
import { quoteName } from "./quote.ts";

/** Keys of one statement. */
export const MOST_KEYS = 1000;

/** Names that no column of a user has, whose filter may name columns and the table. */
export const KEYS = "`#keys`";
export const POSITION = `${KEYS}.\`#position\``;

/** Positions of the keys that the table can hold at all; others it does not have. */
export function holdable(side: TableSide, keys: Row[]): number[] {
  const checks = side.key.map((at) => fitting(side.columns[at], side.forms[at]));
  const positions: number[] = [];
  for (const [i, key] of keys.entries()) {
    if (key.every((value, n) => value !== null && checks[n]?.(value) === undefined)) positions.push(i);
  }
  return positions;
}

/**
 * The derived table of the keys at `positions`, joined with the side's table.
 *
 * @param more values that belong to a key, by its position; see {@link extra}
 */
export function joinKeys(
  side: TableSide,
  keys: Row[],
  positions: number[],
  more: (position: number) => string[] = () => [],
): string {
  const columns = side.key.map((at) => side.columns[at]);
  const lines: string[] = [];
  for (const position of positions) {
    const literals = keys[position].map((value, n) => comparedLiteral(columns[n], side.forms[side.key[n]], value!));
    for (const spelled of spellings(side, literals)) {
      const values = [String(position), ...spelled, ...more(position)];
      lines.push((lines.length === 0 ? named(values, literals.length) : values).join(", "));
    }
  }
  const table = quoteName(side.table.name);
  const on = columns.map((column, n) => `${table}.${quoteName(column.name)} = ${KEYS}.\`#key${n}\``).join(" AND ");
  return `(SELECT ${lines.join(" UNION ALL SELECT ")}) ${KEYS} STRAIGHT_JOIN ${table} ON ${on}`;
}

/** The nth of the values that belong to a key. */
export function extra(n: number): string {
  return `${KEYS}.\`#extra${n}\``;
}

function named(values: string[], keys: number): string[] {
  const names = ["position", ...Array.from({ length: keys }, (_, n) => `key${n}`)];
  return values.map((value, i) => `${value} AS \`#${names[i] ?? `extra${i - names.length}`}\``);
}

/** A UUID in a column of text may be there in capital letters. */
function spellings(side: TableSide, literals: string[]): string[][] {
  const texts = side.key.map((at) => side.forms[at] === "uuid" && side.columns[at].logical.kind === "text");
  if (!texts.includes(true)) return [literals];
  return [literals, literals.map((literal, n) => texts[n] ? `UPPER(${literal})` : literal)];
}

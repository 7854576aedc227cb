import type { TableName } from "../types.ts";

/** An identifier in SQL, whatever is in it. */
export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/** A table's name in SQL. */
export function quoteTable({ schema, name }: Pick<TableName, "schema" | "name">): string {
  return schema === undefined ? quote(name) : `${quote(schema)}.${quote(name)}`;
}

/** A text literal; sessions have `standard_conforming_strings` on. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** An array of texts as PostgreSQL reads it. */
export function arrayText(values: (string | null)[]): string {
  let text = "{";
  for (const [at, value] of values.entries()) {
    if (at > 0) text += ",";
    text += value === null ? "NULL" : /^[\w.:-]+$/.test(value) && !/^null$/i.test(value) ? value : quoteElement(value);
  }
  return text + "}";
}

function quoteElement(value: string): string {
  return `"${/["\\]/.test(value) ? value.replace(/["\\]/g, "\\$&") : value}"`;
}

import type { Column, LogicalType, Table } from "../types.ts";
import { quote } from "./stored.ts";

/** The statement that makes a table in which the values of another engine's table stay exact. */
export function creation(table: Table): { statements: string[]; notes: string[] } {
  const notes: string[] = [];
  const columns = table.columns.filter(({ generated }) => !generated);
  const isAlias = (name: string) => table.key.length === 1 && table.key[0] === name;
  const lines = columns.map((column) => {
    const isRowid = isAlias(column.name) && column.logical.kind === "integer" && !isUnsigned64(column.logical);
    const type = isRowid ? "INTEGER PRIMARY KEY" : columnType(column, notes);
    if (column.identity && !isRowid) notes.push(`${column.name}: is not numbered by SQLite`);
    return [quote(column.name), type, column.nullable || isRowid ? "" : "NOT NULL"].filter((part) => part !== "").join(
      " ",
    );
  });
  const list = (names: string[]) => `(${names.map(quote).join(", ")})`;
  if (table.key.length > 0 && !lines.some((line) => line.endsWith(" INTEGER PRIMARY KEY"))) {
    lines.push(`PRIMARY KEY ${list(table.key)}`);
  }
  for (const names of table.unique) {
    if (names.every((name) => columns.some((column) => column.name === name))) lines.push(`UNIQUE ${list(names)}`);
    else notes.push(`the unique key over ${names.join(", ")} was not made, since it has a computed column`);
  }
  const noted = (what: string, names: string[]) => {
    if (names.length > 0) notes.push(`${what}: ${names.join(", ")}`);
  };
  noted(
    "not made, since computed in the source",
    table.columns.filter(({ generated }) => generated).map(({ name }) => name),
  );
  noted("foreign keys were not made", table.foreignKeys.map(({ name }) => name));
  const defaults = columns.filter(({ hasDefault, identity }) => hasDefault && !identity);
  noted("defaults were not made", defaults.map(({ name }) => name));
  return { statements: [`CREATE TABLE ${quote(table.name)} (${lines.join(", ")})`], notes };
}

function isUnsigned64(logical: LogicalType): boolean {
  return logical.kind === "integer" && logical.unsigned && logical.bits === 64;
}

/** A declared type whose affinity changes no value, and that says again what the column holds. */
function columnType({ name, type, logical, storage }: Column, notes: string[]): string {
  if (storage !== undefined) return type;
  const kept = (as: string) => notes.push(`${name}: ${type} is kept as ${as}`);
  switch (logical.kind) {
    case "integer":
      if (!isUnsigned64(logical)) return "INTEGER";
      kept("text, for SQLite's whole numbers end at 2^63");
      return "DECIMAL TEXT(20)";
    case "decimal":
      kept("text, for SQLite would round it");
      return logical.precision === null ? "DECIMAL TEXT" : `DECIMAL TEXT(${logical.precision}, ${logical.scale})`;
    case "float":
      return "REAL";
    case "boolean":
      return "BOOLEAN";
    case "text":
      return logical.length === null ? "TEXT" : `VARCHAR(${logical.length})`;
    case "bytes":
      return "BLOB";
    case "date":
      return "DATE";
    case "time":
      return logical.zone ? "TIMETZ" : "TIME";
    case "timestamp":
      return logical.zone ? "TIMESTAMPTZ" : "TIMESTAMP";
    case "uuid":
      return "UUID";
    case "json":
      return "JSON TEXT";
    case "bits":
      return logical.length === null ? "BITS TEXT" : `BITS TEXT(${logical.length})`;
    case "enum":
    case "interval":
    case "native":
      kept("text");
      return "TEXT";
    case "any":
      return "";
  }
}

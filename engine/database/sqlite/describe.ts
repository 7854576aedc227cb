import type { DatabaseSync } from "node:sqlite";
import { DatabaseError } from "../error.ts";
import type { Column, ForeignKey, Table } from "../types.ts";
import { declaredType } from "./declared_type.ts";
import { sqliteFailure } from "./failure.ts";
import { Query, scalar } from "./query.ts";
import { quote, type Stored } from "./stored.ts";

/** The names by which SQLite has a rowid, as long as no column has them. */
const ROWID_NAMES = ["rowid", "_rowid_", "oid"];
/** Few rows take less, so a file has hardly more rows. */
const ROW_BYTES = 10;

/** Finds a table or view of the file: `name` or `main.name`, exactly first, then ignoring case. @throws DatabaseError */
export function findTable(database: DatabaseSync, entity: string): Table {
  try {
    const listed = new Query(
      database,
      "SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    ).all([]) as [string, string, bigint, bigint][];
    const names = entity.startsWith("main.") ? [entity, entity.slice(5)] : [entity];
    for (const name of names) {
      const exact = listed.find(([listed]) => listed === name);
      if (exact !== undefined) return describe(database, exact);
      const similar = listed.filter(([listed]) => listed.toLowerCase() === name.toLowerCase());
      if (similar.length > 1) {
        const candidates = similar.map(([name]) => name).sort().join(", ");
        throw new DatabaseError("ambiguous", `several tables are called ${name}: ${candidates}`);
      }
      if (similar.length === 1) return describe(database, similar[0]);
    }
  } catch (error) {
    throw sqliteFailure(error);
  }
  throw new DatabaseError("missing", `there is no table or view ${entity}`);
}

/** An expression for a table's rowid; undefined where it has none that can be named. */
export function rowidOf(database: DatabaseSync, { name, kind, columns }: Table): string | undefined {
  if (kind === "view") return undefined;
  if (scalar(database, "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", [name]) !== 0n) {
    return undefined;
  }
  const free = ROWID_NAMES.find((rowid) => !columns.some((column) => column.name.toLowerCase() === rowid));
  const alias = columns.find(({ identity }) => identity);
  return alias === undefined ? free : quote(alias.name);
}

function describe(database: DatabaseSync, [name, type, withoutRowid, strict]: [string, string, bigint, bigint]): Table {
  // Rows of virtual tables are made by their module: like a view they can be read.
  const kind = type === "table" || type === "shadow" ? "table" : "view";
  const listed = new Query(database, 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)')
    .all([name]) as [string, string, bigint, Stored, bigint, bigint][];
  const indexes = kind === "view" ? [] : uniqueIndexes(database, name);
  const primary = listed.filter(([, , , , pk]) => pk > 0n).sort((a, b) => Number(a[4] - b[4])).map(([name]) => name);
  const hasAlias = withoutRowid === 0n && primary.length === 1 && !indexes.some(({ origin }) => origin === "pk") &&
    kind === "table";
  // 1: a hidden column of a virtual table; 2 and 3: generated.
  const columns = listed.filter((column) => column[5] !== 1n).map(([name, type, notNull, defaultValue, pk, hidden]) => {
    const isAlias = hasAlias && pk > 0n;
    const collation = indexes.flatMap(({ columns }) => columns).find((column) => column.name === name)?.collation;
    return {
      name,
      type,
      ...declaredType(type, { strict: strict === 1n && kind === "table", rowid: isAlias }),
      // SQLite lets NULL into a primary key; the reader reports it where it is met.
      nullable: notNull === 0n && pk === 0n,
      generated: hidden === 2n || hidden === 3n,
      identity: isAlias,
      hasDefault: defaultValue !== null || isAlias,
      ...(collation === undefined || collation === "BINARY"
        ? {}
        : { collation: { name: collation, deterministic: false } }),
    } satisfies Column;
  });
  const unique = indexes.filter(({ origin }) => origin !== "pk").map(({ columns }) => columns.map(({ name }) => name));
  const isNotNull = (name: string) => columns.some((column) => column.name === name && !column.nullable);
  const key = primary.length > 0 ? primary : unique.find((names) => names.every(isNotNull)) ?? [];
  const table: Table = {
    name,
    id: name,
    kind,
    columns,
    key,
    unique: unique.filter((names) => names !== key),
    foreignKeys: kind === "view" ? [] : foreignKeys(database, name),
    estimatedRows: 0,
    triggers: scalar(database, "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", [name]) === 1n,
  };
  return { ...table, estimatedRows: kind === "view" ? 0 : estimate(database, table) };
}

interface UniqueIndex {
  /** `pk`, `u` (a constraint) or `c` (an index). */
  origin: string;
  columns: { name: string; collation: string }[];
}

/** Those over whole columns and all rows. */
function uniqueIndexes(database: DatabaseSync, table: string): UniqueIndex[] {
  const indexes = new Query(database, 'SELECT name, origin FROM pragma_index_list(?) WHERE "unique" AND NOT partial')
    .all([table]) as [string, string][];
  const details = new Query(database, "SELECT name, coll FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno");
  return indexes.map(([index, origin]) => {
    const columns = details.all([index]) as [string | null, string][];
    return { origin, columns: columns.map(([name, collation]) => ({ name, collation })) };
  }).filter((index): index is UniqueIndex => index.columns.every(({ name }) => name !== null));
}

function foreignKeys(database: DatabaseSync, table: string): ForeignKey[] {
  const rows = new Query(
    database,
    'SELECT id, "table", "from", "to", on_delete FROM pragma_foreign_key_list(?) ORDER BY id, seq',
  ).all([table]) as [bigint, string, string, string | null, string][];
  const keys = new Map<bigint, ForeignKey>();
  for (const [id, parent, from, to, onDelete] of rows) {
    let key = keys.get(id);
    if (key === undefined) {
      const name = scalar(
        database,
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE",
        [parent],
      );
      key = {
        name: `${table} to ${parent}`,
        columns: [],
        table: typeof name === "string" ? name : parent,
        referenced: [],
        // The writer defers them all.
        deferrable: true,
        onDelete: onDelete.toLowerCase() as ForeignKey["onDelete"],
      };
      keys.set(id, key);
    }
    key.columns.push(from);
    if (to !== null) key.referenced.push(to);
  }
  for (const key of keys.values()) {
    if (key.referenced.length === 0) key.referenced = primaryKey(database, key.table);
  }
  return [...keys.values()];
}

function primaryKey(database: DatabaseSync, table: string): string[] {
  const rows = new Query(database, "SELECT name FROM pragma_table_xinfo(?) WHERE pk > 0 ORDER BY pk").all([table]);
  return rows.map(([name]) => name as string);
}

/** By the span of rowids where there are any; of one with gaps no more than the file can hold. */
function estimate(database: DatabaseSync, table: Table): number {
  const rowid = rowidOf(database, table);
  if (rowid === undefined) return Number(scalar(database, `SELECT count(*) FROM ${quote(table.name)}`));
  const end = (function_: string) => `(SELECT ${function_}(${rowid}) FROM ${quote(table.name)})`;
  const [least, most] = new Query(database, `SELECT ${end("min")}, ${end("max")}`).first([]) as (bigint | null)[];
  if (least === null || most === null) return 0;
  const bytes = scalar(database, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size") as bigint;
  const [span, bound] = [most - least + 1n, bytes / BigInt(ROW_BYTES)];
  return Number(span < bound ? span : bound);
}

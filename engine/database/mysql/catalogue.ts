/** Finds tables and describes them, from `information_schema`. */
import { DatabaseError } from "../error.ts";
import type { Column, ForeignKey, Row, Table } from "../types.ts";
import { logicalType } from "./column_type.ts";
import { chooseKeys } from "./keys.ts";
import { quoteText } from "./quote.ts";
import type { Session } from "./session.ts";

/** As {@link Connection.find}. */
export async function findTable(session: Session, entity: string): Promise<Table> {
  const [[database]] = await session.rows("SELECT DATABASE()");
  const name = await findName(session, entity) ?? await findName(session, withoutDatabase(entity, database));
  if (name === undefined) throw new DatabaseError("missing", `there is no table ${entity} in the database ${database}`);
  return await describe(session, name);
}

function withoutDatabase(entity: string, database: string | null): string | undefined {
  const prefix = `${database}.`;
  return entity.toLowerCase().startsWith(prefix.toLowerCase()) ? entity.slice(prefix.length) : undefined;
}

async function findName(session: Session, wanted: string | undefined): Promise<string | undefined> {
  if (wanted === undefined) return undefined;
  const query = (condition: string) =>
    session.rows(`SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()
      AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW') AND ${condition}`);
  const names = async (condition: string) => (await query(condition)).map(([name]) => name!);
  const literal = quoteText(wanted);
  const [exact] = (await names(`TABLE_NAME = ${literal}`)).filter((name) => name === wanted);
  if (exact !== undefined) return exact;
  const similar = await names(`LOWER(TABLE_NAME) = LOWER(${literal})`);
  if (similar.length > 1) {
    throw new DatabaseError("ambiguous", `${wanted} may be any of the tables ${similar.join(", ")}`);
  }
  return similar[0];
}

async function describe(session: Session, name: string): Promise<Table> {
  const literal = quoteText(name);
  const here = `TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${literal}`;
  const [[type, estimate, options]] = await session.rows(
    `SELECT TABLE_TYPE, TABLE_ROWS, CREATE_OPTIONS FROM information_schema.TABLES WHERE ${here}`,
  );
  const columns = await describeColumns(session, name, here);
  const indexes = await session.rows(
    `SELECT INDEX_NAME, COLUMN_NAME, SUB_PART, NULLABLE, INDEX_TYPE FROM information_schema.STATISTICS
     WHERE ${here} AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX`,
  );
  const triggers = await session.rows(
    `SELECT 1 FROM information_schema.TRIGGERS
     WHERE EVENT_OBJECT_SCHEMA = DATABASE() AND EVENT_OBJECT_TABLE = ${literal} LIMIT 1`,
  );
  const view = type === "VIEW";
  return {
    name,
    id: name,
    kind: view ? "view" : /\bpartitioned\b/.test(options ?? "") ? "partitioned" : "table",
    columns,
    ...chooseKeys(indexes, columns),
    foreignKeys: view ? [] : await describeForeignKeys(session, here),
    estimatedRows: Number(estimate ?? 0),
    triggers: triggers.length > 0,
  };
}

async function describeColumns(session: Session, name: string, here: string): Promise<Column[]> {
  const rows = await session.rows(
    `SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE,
       DATETIME_PRECISION, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, GENERATION_EXPRESSION, COLLATION_NAME
     FROM information_schema.COLUMNS WHERE ${here} ORDER BY ORDINAL_POSITION`,
  );
  const json = rows.some(([, type]) => type === "longtext") ? await jsonTexts(session, name) : new Set();
  return rows.map((row) => describeColumn(row, json));
}

function describeColumn(row: Row, json: Set<unknown>): Column {
  const [
    name,
    dataType,
    columnType,
    length,
    precision,
    scale,
    timePrecision,
    nullable,
    preset,
    extra,
    expression,
    collation,
  ] = row;
  const logical = logicalType({
    dataType: dataType!,
    columnType: columnType!,
    length,
    precision,
    scale,
    timePrecision,
    jsonText: json.has(name),
  });
  return {
    name: name!,
    type: columnType!,
    logical,
    nullable: nullable === "YES",
    generated: (expression ?? "") !== "" || /\b(?:VIRTUAL|STORED|PERSISTENT) GENERATED\b/.test(extra!),
    identity: /\bauto_increment\b/.test(extra!),
    hasDefault: preset !== null && preset !== "NULL",
    ...(collation === null
      ? {}
      : { collation: { name: collation, deterministic: /(?:_nopad|_0900)_bin$/.test(collation) } }),
  };
}

/** The columns that MariaDB keeps as text with the check that JSON brings; MySQL has a type for it, and no such catalogue. */
async function jsonTexts(session: Session, name: string): Promise<Set<string>> {
  const known = await session.rows(
    `SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'information_schema' AND TABLE_NAME = 'CHECK_CONSTRAINTS' AND COLUMN_NAME = 'LEVEL'`,
  );
  if (known.length === 0) return new Set();
  const checks = await session.rows(
    `SELECT CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()
     AND TABLE_NAME = ${quoteText(name)} AND LEVEL = 'Column' AND CHECK_CLAUSE LIKE 'json_valid(%)'`,
  );
  return new Set(checks.map(([column]) => column!));
}

async function describeForeignKeys(session: Session, here: string): Promise<ForeignKey[]> {
  const rows = await session.rows(
    `SELECT k.CONSTRAINT_NAME, k.COLUMN_NAME, IF(k.REFERENCED_TABLE_SCHEMA = DATABASE(), k.REFERENCED_TABLE_NAME,
       CONCAT(k.REFERENCED_TABLE_SCHEMA, '.', k.REFERENCED_TABLE_NAME)), k.REFERENCED_COLUMN_NAME, r.DELETE_RULE
     FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
       ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
     WHERE ${here.replaceAll("TABLE_", "k.TABLE_")} AND k.REFERENCED_TABLE_NAME IS NOT NULL
     ORDER BY k.CONSTRAINT_NAME, k.ORDINAL_POSITION`,
  );
  const keys = new Map<string, ForeignKey>();
  for (const [name, column, table, referenced, rule] of rows) {
    const onDelete = rule!.toLowerCase() as ForeignKey["onDelete"];
    const key = keys.get(name!) ??
      { name: name!, columns: [], table: table!, referenced: [], deferrable: false, onDelete };
    key.columns.push(column!);
    key.referenced.push(referenced!);
    keys.set(name!, key);
  }
  return [...keys.values()];
}

/** The three database engines as tests see them: each in its own SQL, past the code under test. */
import { DatabaseSync } from "node:sqlite";
import type { ConnectionSpec, Engine } from "../../engine/database/types.ts";
import type { MariaDb } from "./mariadb.ts";
import type { PostgresServer } from "./postgres.ts";

/** What every engine can keep, whatever it calls it. */
export type PortableType = "integer" | "decimal" | "text" | "bytes" | "date" | "timestamp" | "uuid" | "float" | "json";

/** A value in one text for all engines: as JavaScript would write it. */
export type PortableValue = string | null;

/** A database that one test has for itself. */
export interface TestDatabase extends AsyncDisposable {
  readonly engine: Engine;
  readonly spec: ConnectionSpec;
  /** As the API takes it. */
  readonly connectionString: string;
  /** Runs statements one after the other and returns the rows of the last, each value as text. */
  run(...statements: string[]): Promise<PortableValue[][]>;
}

export const TYPES: Record<Engine, Record<PortableType, string>> = {
  postgres: {
    integer: "bigint",
    decimal: "numeric(20,6)",
    text: "text",
    bytes: "bytea",
    date: "date",
    timestamp: "timestamp(6)",
    uuid: "uuid",
    float: "double precision",
    json: "jsonb",
  },
  mysql: {
    integer: "bigint",
    decimal: "decimal(20,6)",
    text: "varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    bytes: "varbinary(200)",
    date: "date",
    timestamp: "datetime(6)",
    uuid: "uuid",
    float: "double",
    json: "json",
  },
  sqlite: {
    integer: "INTEGER",
    decimal: "DECIMAL TEXT(20, 6)",
    text: "TEXT",
    bytes: "BLOB",
    date: "DATE TEXT",
    timestamp: "TIMESTAMP TEXT",
    uuid: "UUID TEXT",
    float: "REAL",
    json: "JSON TEXT",
  },
};

export function quoteName(engine: Engine, name: string): string {
  return engine === "mysql" ? `\`${name.replaceAll("`", "``")}\`` : `"${name.replaceAll('"', '""')}"`;
}

/** A value as a literal. */
export function literal(engine: Engine, type: PortableType, value: PortableValue): string {
  if (value === null) return "NULL";
  switch (type) {
    case "integer":
    case "float":
      return value;
    case "decimal":
      return engine === "sqlite" ? `'${value}'` : value;
    case "bytes":
      return engine === "postgres" ? `'\\x${value}'::bytea` : `x'${value}'`;
    default:
      return quoteText(engine, value);
  }
}

function quoteText(engine: Engine, text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return engine === "mysql" ? quoted.replaceAll("\\", "\\\\") : quoted;
}

/** A column as text that {@link portable} understands. */
function shown(engine: Engine, type: PortableType, column: string): string {
  const unlessNull = (expression: string) => `CASE WHEN ${column} IS NOT NULL THEN ${expression} END`;
  if (type === "bytes") return engine === "postgres" ? `encode(${column}, 'hex')` : unlessNull(`lower(hex(${column}))`);
  if (engine === "mysql") return `CAST(${column} AS CHAR)`;
  if (type === "float" && engine === "sqlite") return unlessNull(`printf('%!.17g', ${column})`);
  return `CAST(${column} AS text)`;
}

/** What an engine shows of a value, in the one text for all engines. */
function portable(type: PortableType, text: PortableValue): PortableValue {
  if (text === null) return null;
  switch (type) {
    case "decimal":
      return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
    case "timestamp":
      return text.replace("T", " ").replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
    case "float":
      return String(Number(text));
    case "json":
      return JSON.stringify(sorted(JSON.parse(text)));
    default:
      return text;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([k, v]) => [k, sorted(v)]));
}

/** Every row of a table, sorted here; the same for tables of the same content on every engine. */
export async function dump(
  database: TestDatabase,
  table: string,
  columns: { name: string; type: PortableType }[],
): Promise<string[]> {
  const { engine } = database;
  const list = columns.map(({ name, type }) => shown(engine, type, quoteName(engine, name)));
  const rows = await database.run(`SELECT ${list.join(", ")} FROM ${quoteName(engine, table)}`);
  return rows.map((row) => JSON.stringify(row.map((value, i) => portable(columns[i].type, value)))).sort();
}

export async function postgresDatabase(server: PostgresServer): Promise<TestDatabase> {
  const name = await server.createDatabase();
  return {
    engine: "postgres",
    spec: server.spec(name),
    connectionString: server.url(name),
    run: (...statements) => server.run(name, statements.join(";\n")),
    // It goes with the server.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

export async function mariaDatabase(server: MariaDb): Promise<TestDatabase> {
  const database = await server.database();
  const { user, password, port } = server;
  return {
    engine: "mysql",
    spec: database.spec,
    connectionString: `mariadb://${user}:${password}@127.0.0.1:${port}/${database.name}`,
    async run(...statements) {
      const rows = await database.run(...statements);
      return rows.map((row) => Object.values(row).map((value) => value === null ? null : String(value)));
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** @param directory where its file is to lie; its own where none is given */
export async function sqliteDatabase(directory?: string): Promise<TestDatabase> {
  const own = directory ?? await Deno.makeTempDir({ prefix: "syncline-sqlite-" });
  const path = `${own}/${crypto.randomUUID()}.db`;
  using file = new DatabaseSync(path);
  file.exec("PRAGMA journal_mode = WAL");
  return {
    engine: "sqlite",
    spec: { engine: "sqlite", database: path, ssl: "disable", connectTimeoutMs: 1000 },
    connectionString: `sqlite:${path}`,
    run(...statements) {
      const database = new DatabaseSync(path, { timeout: 10_000 });
      try {
        database.exec("PRAGMA foreign_keys = ON; PRAGMA synchronous = OFF");
        for (const statement of statements.slice(0, -1)) database.exec(statement);
        const last = statements.at(-1) ?? "SELECT 1";
        if (!/^\s*(select|pragma)/i.test(last)) {
          database.exec(last);
          return Promise.resolve([]);
        }
        const query = database.prepare(last);
        query.setReadBigInts(true);
        query.setReturnArrays(true);
        const rows = query.all() as unknown as unknown[][];
        return Promise.resolve(rows.map((row) => row.map((value) => value === null ? null : String(value))));
      } finally {
        database.close();
      }
    },
    async [Symbol.asyncDispose]() {
      if (directory === undefined) await Deno.remove(own, { recursive: true });
    },
  };
}

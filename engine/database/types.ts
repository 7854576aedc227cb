/** What the parts of the database synchronisation share: servers, tables, values, and how two tables are compared. */

/** `mysql` stands for MySQL and MariaDB. */
export type Engine = "postgres" | "mysql" | "sqlite";

/** Where a database is and how to get in, read from a connection string. The password is in nothing else. */
export interface ConnectionSpec {
  engine: Engine;
  /** Host name, address, or the directory of a Unix socket (PostgreSQL); undefined for SQLite. */
  host?: string;
  port?: number;
  /** The database's name; for SQLite the absolute, resolved path of the file. */
  database: string;
  /** SQLite: a missing file reads as empty and is made with the first write; its directory must be there. */
  createFile?: boolean;
  user?: string;
  password?: string;
  /** As libpq's `sslmode`. */
  ssl: "disable" | "prefer" | "require" | "verify-ca" | "verify-full";
  /** PEM file of a certificate authority. */
  sslRootCertificate?: string;
  /** Milliseconds. */
  connectTimeoutMs: number;
}

/**
 * A value in the canonical text of its {@link Form}, the same for equal values whatever engine it comes from; null is NULL.
 * It is a JavaScript string of whole code points (no lone surrogates).
 */
export type Value = string | null;

/** A row's values, in the order of the {@link TableSide.columns}. */
export type Row = Value[];

/** What a column holds, apart from how its engine spells it. */
export type LogicalType =
  | { kind: "integer"; bits: 8 | 16 | 24 | 32 | 64; unsigned: boolean }
  /** Null precision: any; then the scale is null too. */
  | { kind: "decimal"; precision: number | null; scale: number | null }
  | { kind: "float"; bits: 32 | 64 }
  | { kind: "boolean" }
  /** `length` in characters, null without a limit. `fixed`: trailing spaces mean nothing (CHAR). */
  | { kind: "text"; length: number | null; fixed: boolean }
  /** `length` in bytes. */
  | { kind: "bytes"; length: number | null; fixed: boolean }
  | { kind: "date" }
  /** `precision`: digits of a second's fraction. */
  | { kind: "time"; precision: number; zone: boolean }
  | { kind: "timestamp"; precision: number; zone: boolean }
  | { kind: "interval" }
  | { kind: "uuid" }
  /** `binary`: the engine keeps the value and not the text (jsonb, MySQL's JSON). */
  | { kind: "json"; binary: boolean }
  | { kind: "bits"; length: number | null; varying: boolean }
  | { kind: "enum"; labels: string[] }
  /** Whatever else an engine has; compatible only with the same `name` of the same engine. */
  | { kind: "native"; engine: Engine; name: string }
  /** A SQLite column that says nothing about its values. */
  | { kind: "any" };

/**
 * The form in which the values of two paired columns are compared and carried, with its canonical text:
 * - `integer`: decimal digits with a `-` for less than 0 and no leading zero.
 * - `decimal`: like `integer`, then where there is a fraction a point and digits without trailing zeros (`1`, `-0.25`); `NaN`,
 *   `Infinity`, `-Infinity`.
 * - `float`: the shortest text that reads back as the same double, as ECMAScript's `String(number)` writes it, except that
 *   minus zero is `-0`. A 32-bit float is the double of the same value.
 * - `boolean`: `0`, `1`.
 * - `text`: itself. Of a fixed-length column, without trailing spaces.
 * - `bytes`: lower-case hexadecimal digits.
 * - `date`: `YYYY-MM-DD`; years beyond 9999 with more digits, years before 1 as PostgreSQL writes them (` BC`); `infinity`,
 *   `-infinity`.
 * - `time`: `HH:MM:SS` and, where it is not zero, a point and the fraction without trailing zeros; with an offset `+HH[:MM[:SS]]`
 *   where the type has one.
 * - `timestamp`: the date, a space, the time, and ` BC` at the end. `timestamptz`: the same in UTC, without an offset.
 * - `uuid`: 36 characters in lower case.
 * - `json`: compact, members sorted by key (code points), the last of equal keys; numbers as `decimal`, with an exponent where
 *   that would add more than 400 zeros.
 * - `bits`: `0` and `1`.
 * - `native`: the engine's own text; between two SQLite files the value as a literal of SQL.
 */
export type Form =
  | "integer"
  | "decimal"
  | "float"
  | "boolean"
  | "text"
  | "bytes"
  | "date"
  | "time"
  | "timestamp"
  | "timestamptz"
  | "uuid"
  | "json"
  | "bits"
  | "native";

export interface Column {
  name: string;
  /** The engine's own spelling, for messages and for casts: `numeric(38,10)`, `int unsigned`. */
  type: string;
  logical: LogicalType;
  nullable: boolean;
  /** Computed by the server: neither compared nor written. */
  generated: boolean;
  /** Numbered by the server where no value is given (identity, serial, AUTO_INCREMENT). */
  identity: boolean;
  /** Has a default, so that an insert may leave it out. */
  hasDefault: boolean;
  /** SQLite: what it converts values to that are stored, and whether the column can hold nothing but NULL and its type. */
  storage?: { affinity: "integer" | "real" | "numeric" | "text" | "blob"; exact: boolean };
  /** Of text, where the engine has them: its name, and whether it tells apart what differs in bytes. */
  collation?: { name: string; deterministic: boolean };
}

export interface ForeignKey {
  name: string;
  columns: string[];
  /** `TableName.id` of the table referred to. */
  table: string;
  referenced: string[];
  deferrable: boolean;
  onDelete: "no action" | "restrict" | "cascade" | "set null" | "set default";
}

export interface TableName {
  /** Undefined where the engine has none (MySQL's databases and SQLite's attached files are not schemas here). */
  schema?: string;
  name: string;
  /** `schema.name` or `name`, exactly as the catalogue has it; for messages and as an identity within one database. */
  id: string;
}

export interface Table extends TableName {
  kind: "table" | "partitioned" | "view";
  columns: Column[];
  /** The primary key, else a unique key over columns that are not null; in key order. Empty: none, rows are a multiset. */
  key: string[];
  /** Unique keys beside `key`. */
  unique: string[][];
  foreignKeys: ForeignKey[];
  /** The server's estimate. */
  estimatedRows: number;
  /** Whether triggers of the user's run on writes. */
  triggers: boolean;
}

/** One side of a pair of tables. Both sides have as many columns, paired by position, with the same forms. */
export interface TableSide {
  table: Table;
  /** The columns that are compared and carried. */
  columns: Column[];
  /** The form of each. */
  forms: Form[];
  /** Positions in `columns` of the key's columns, in key order. Empty: the table has no key. */
  key: number[];
  /** A condition in the engine's own SQL, without WHERE. From a caller with the scope `admin` only. */
  filter?: string;
}

/**
 * How rows are hashed, each to 64 bits, over all columns of the side with the key among them; NULL, empty and the borders
 * between values count. Both sides use the same method, so their hashes are comparable.
 * - `record`: PostgreSQL's `hash_record_extended`, between servers of the same major version whose columns have the same types.
 *   What its equality does not tell apart but the canonical text does (minus zero, citext, …) counts as well.
 * - `text64`: PostgreSQL's `hashtextextended` of the canonical texts, between PostgreSQL servers.
 * - `stored`: between two SQLite files with a key: lookup3 over the values as they are stored, storage classes included, computed here.
 * - `md5`: the first 8 bytes of MD5 over {@link rowText} (row_text.ts), computed by the server. Needs {@link Connection.rendersInSql} of every
 *   column on both sides.
 * - `client`: the same hash, computed here from the values, read in full. Always possible.
 */
export type HashMethod = "record" | "text64" | "stored" | "md5" | "client";

/**
 * How the rows of a table are split into segments, the same on both sides; a segment's number is its bucket.
 * - `range`: bucket n holds the rows whose only key column is at least `boundaries[n - 1]` and less than `boundaries[n]`
 *   (half-open; n from 0 to `boundaries.length`). Canonical texts, ascending as both servers order the type. Forms `integer`,
 *   `uuid` (same engine), `date`, `timestamp` only.
 * - `hash`: bucket is the low bits of a hash of the key: for `md5` and `client` the first 4 bytes (big-endian) of MD5 over
 *   {@link rowText} of the key's values, for `record` and `text64` the low bits of `hashtextextended` over it, for `stored` of the
 *   same hash over the key's stored values. `buckets` is a power of two.
 * - `row`: bucket is the low bits of the row's own hash: for tables without a key.
 */
export type Bucketing =
  | { scheme: "range"; boundaries: string[] }
  | { scheme: "hash"; buckets: number }
  | { scheme: "row"; buckets: number };

export interface Checksum {
  bucket: number;
  rows: number;
  /** Sum of the rows' hashes modulo 2^64, 0 to 2^64 − 1. */
  sum: bigint;
}

/** A row's identity and hash. */
export interface HashedRow {
  bucket: number;
  /** The key's canonical values; of a table without a key empty. */
  key: Row;
  /** 0 to 2^64 − 1. */
  hash: bigint;
}

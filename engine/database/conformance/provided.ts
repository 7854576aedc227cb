import assert from "node:assert/strict";
import type { Connection, Dialect, Snapshot, Writer } from "../dialect.ts";
import { DatabaseError, type DatabaseErrorKind, type DatabaseErrorPlace } from "../error.ts";
import { pairForm } from "../forms.ts";
import type { ConnectionSpec, Form, HashMethod, Row, Table, TableSide } from "../types.ts";

/** A fresh, empty database of a test. */
export interface TestDatabase extends AsyncDisposable {
  spec: ConnectionSpec;
  /** Runs one statement by other means than the dialect. */
  run(sql: string): Promise<unknown>;
}

/** A column type with values in SQL and in canonical text. */
export interface TypeExample {
  /** As in CREATE TABLE. */
  type: string;
  form: Form;
  /** `[literal in SQL, canonical text]`. */
  values: [string, string][];
  /** Canonical texts that a column of the type must refuse with the kind `value`, never change. */
  refused?: string[];
  /** Whether it can be the key. Its values then differ as keys. */
  key?: boolean;
}

/** What the suite needs to know of a dialect. */
export interface ConformanceOptions {
  dialect: Dialect;
  database(): Promise<TestDatabase>;
  quote(identifier: string): string;
  types: TypeExample[];
  /** Methods beside `client`. */
  methods: HashMethod[];
  /** Definition of a column numbered by the server that is the primary key, without its name: `serial primary key`. */
  identity: string;
  /** Definition of a column computed from `n`, without its name: `integer generated always as (n + 1) stored`. */
  generated: string;
  /** Whether a second writer can wait for a row that the first has locked. */
  locksRows: boolean;
  /** Whether foreign keys are checked at once or at the commit, where the schema says so. */
  deferredForeignKey: string;
  /** Whether the server knows users. */
  authenticates: boolean;
  /** Columns take values beyond the length or width of their type. */
  unboundedTypes?: boolean;
  /** Identifiers that the engine cannot have. */
  impossibleNames?: RegExp;
}

/** What a test works with. */
export interface Provided {
  options: ConformanceOptions;
  database: TestDatabase;
  connection: Connection;
  q(identifier: string): string;
}

export type Test = (title: string, body: (provided: Provided) => Promise<void>) => void;

/** The table as one side, all columns but generated ones in their order. */
export function sideOf(table: Table, names?: string[]): TableSide {
  const columns = table.columns.filter((column) => !column.generated && (names?.includes(column.name) ?? true));
  return {
    table,
    columns,
    // As with another engine's table: between two SQLite files values travel as they are stored.
    forms: columns.map((column) => pairForm(column, { ...column, storage: undefined }) as Form),
    key: table.key.map((name) => columns.findIndex((column) => column.name === name)),
  };
}

export async function side(connection: Connection, entity: string, names?: string[]): Promise<TableSide> {
  return sideOf(await connection.find(entity), names);
}

/** Every row of a new snapshot, sorted. */
export async function contents(connection: Connection, of: TableSide): Promise<Row[]> {
  await using snapshot = await connection.snapshot(1);
  return await allRows(snapshot, of);
}

export async function allRows(snapshot: Snapshot, of: TableSide): Promise<Row[]> {
  return sorted((await Array.fromAsync(snapshot.all(of, 1000))).flat());
}

export function sorted(rows: Row[]): Row[] {
  const keyed = rows.map((row) => ({ row, key: JSON.stringify(row) }));
  return keyed.sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0).map(({ row }) => row);
}

/** Runs `body` in a transaction and commits it. */
export async function transaction<T>(connection: Connection, body: (writer: Writer) => Promise<T>): Promise<T> {
  await using writer = await connection.writer();
  await writer.begin();
  const result = await body(writer);
  await writer.commit();
  return result;
}

export async function refuses(
  kind: DatabaseErrorKind,
  action: Promise<unknown>,
  place: DatabaseErrorPlace = {},
): Promise<void> {
  await assert.rejects(action, (error) => {
    assert(error instanceof DatabaseError, String(error));
    assert.equal(error.kind, kind, error.message);
    for (const [name, value] of Object.entries(place)) {
      assert.equal(error.place[name as keyof DatabaseErrorPlace], value, `${name} of ${error.message}`);
    }
    return true;
  });
}

/** The plain table of most tests; SQL that every engine understands. */
export async function makePeople({ database, q }: Provided, name = "people"): Promise<void> {
  await database.run(
    `create table ${
      q(name)
    } (id bigint not null primary key, name varchar(100) not null, note varchar(200), n integer)`,
  );
}

/** Rows of {@link makePeople}; every seventh note is NULL, every eleventh empty. */
export function people(from: number, to: number): Row[] {
  return Array.from({ length: to - from }, (_, at) => {
    const id = from + at;
    const note = id % 7 === 0 ? null : id % 11 === 0 ? "" : `note ${id * 31} ` + "é😀".repeat(id % 3);
    return [String(id), `name ${id}`, note, id % 5 === 0 ? null : String(id * 7919 % 1000 - 500)];
  });
}

/** A table with people in it. */
export async function peopled(provided: Provided, count: number, name = "people"): Promise<TableSide> {
  await makePeople(provided, name);
  const people_ = await side(provided.connection, name);
  await transaction(provided.connection, (writer) => writer.insert(people_, people(0, count)));
  return people_;
}

import assert from "node:assert/strict";
import { DatabaseError } from "../error.ts";
import type { LogicalType } from "../types.ts";
import { TestFile } from "./testing.ts";

Deno.test("sqlite: declared types say what columns hold", async () => {
  const cases: [string, string, Partial<LogicalType>][] = [
    ["", "blob", { kind: "any" }],
    ["INTEGER", "integer", { kind: "integer", bits: 64 }],
    ["UNSIGNED BIG INT", "integer", { kind: "integer", bits: 64 }],
    ["SMALLINT", "integer", { kind: "integer", bits: 64 }],
    ["VARCHAR(20)", "text", { kind: "text", length: 20 }],
    ["NVARCHAR ( 30 )", "text", { kind: "text", length: 30 }],
    ["CLOB", "text", { kind: "text", length: null }],
    ["DECIMAL(10,2)", "numeric", { kind: "decimal", precision: 10, scale: 2 }],
    ["NUMERIC", "numeric", { kind: "decimal", precision: null, scale: null }],
    ["NUMERIC(5)", "numeric", { kind: "decimal", precision: 5, scale: 0 }],
    ["DECIMAL TEXT(38, 10)", "text", { kind: "decimal", precision: 38, scale: 10 }],
    ["DOUBLE PRECISION", "real", { kind: "float", bits: 64 }],
    ["boolean", "numeric", { kind: "boolean" }],
    ["DATETIME", "numeric", { kind: "timestamp", zone: false }],
    ["timestamp with time zone", "numeric", { kind: "timestamp", zone: true }],
    ["DATE", "numeric", { kind: "date" }],
    ["TIME", "numeric", { kind: "time", zone: false }],
    ["UUID", "numeric", { kind: "uuid" }],
    ["JSON", "numeric", { kind: "json", binary: false }],
    ["TINYBLOB", "blob", { kind: "bytes" }],
    ["BINARY(16)", "numeric", { kind: "bytes" }],
    ["BITS TEXT(8)", "text", { kind: "bits", length: 8 }],
    ["POINT", "integer", { kind: "any" }],
    ["STRING", "numeric", { kind: "any" }],
    ["anything you like(1, 2)", "numeric", { kind: "any" }],
  ];
  const columns = cases.map(([type], i) => `c${i} ${type}`).join(", ");
  await using file = await TestFile.open(`CREATE TABLE t (${columns})`);
  const table = await file.connection.find("t");
  for (const [i, [type, affinity, logical]] of cases.entries()) {
    assert.deepEqual(table.columns[i].storage, { affinity, exact: false }, type);
    assert.deepEqual({ ...table.columns[i].logical, ...logical }, table.columns[i].logical, type);
    // What SQLite itself makes of a number in text shows the affinity.
    file.other.exec(`DELETE FROM t; INSERT INTO t (c${i}) VALUES ('5')`);
    const stored = file.other.prepare(`SELECT typeof(c${i}) AS type FROM t`).get()?.type;
    const expected = { integer: "integer", numeric: "integer", real: "real", text: "text", blob: "text" }[affinity];
    assert.equal(stored, expected, type);
  }
});

Deno.test("sqlite: keys, rowids and kinds of tables", async () => {
  await using file = await TestFile.open(`
    CREATE TABLE alias (id INTEGER PRIMARY KEY, v TEXT);
    CREATE TABLE int_key (id INT PRIMARY KEY, v TEXT);
    CREATE TABLE descending (id INTEGER PRIMARY KEY DESC, v TEXT);
    CREATE TABLE text_key (id TEXT COLLATE NOCASE PRIMARY KEY, v TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE without (b TEXT, a INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;
    CREATE TABLE indexed (a INTEGER NOT NULL, b TEXT);
    CREATE UNIQUE INDEX partly ON indexed (b) WHERE b > 'x';
    CREATE UNIQUE INDEX with_x ON indexed (b || 'x');
    CREATE UNIQUE INDEX whole ON indexed (a);
    CREATE TABLE computed (a INTEGER PRIMARY KEY AUTOINCREMENT, b AS (a + 1), c TEXT DEFAULT 'x');
    CREATE TABLE child (id INTEGER PRIMARY KEY, up INTEGER REFERENCES ALIAS ON DELETE SET NULL);
    CREATE TRIGGER fired AFTER INSERT ON child BEGIN SELECT 1; END;
    CREATE VIEW seen AS SELECT id, v, id + 1 AS more FROM alias;
    CREATE VIRTUAL TABLE words USING fts5(body);
  `);
  const find = (name: string) => file.connection.find(name);
  const alias = await find("alias");
  assert.deepEqual([alias.key, alias.columns[0].identity, alias.columns[0].storage?.exact], [["id"], true, true]);
  for (const name of ["int_key", "descending"]) {
    const table = await find(name);
    assert.deepEqual([table.key, table.columns[0].identity, table.columns[0].nullable], [["id"], false, false], name);
  }
  const text = await find("text_key");
  assert.deepEqual(text.columns[0].collation, { name: "NOCASE", deterministic: false });
  assert.deepEqual([text.key, text.unique, text.columns[1].storage?.exact], [["id"], [["v"]], true]);
  assert.deepEqual((await find("without")).key, ["a", "b"]);
  const indexed = await find("indexed");
  assert.deepEqual([indexed.key, indexed.unique], [["a"], []]);
  const computed = await find("computed");
  assert.deepEqual(computed.columns.map(({ generated, hasDefault }) => [generated, hasDefault]), [
    [false, true],
    [true, false],
    [false, true],
  ]);
  const child = await find("child");
  assert.deepEqual(
    child.foreignKeys.map(({ table, columns, referenced, onDelete }) => [table, columns, referenced, onDelete]),
    [
      ["alias", ["up"], ["id"], "set null"],
    ],
  );
  assert.deepEqual([child.triggers, alias.triggers], [true, false]);
  const seen = await find("main.seen");
  assert.deepEqual([seen.kind, seen.key, seen.columns[2].logical.kind], ["view", [], "any"]);
  assert.deepEqual((await find("words")).kind, "view");
  await assert.rejects(find("sqlite_schema"), (error) => error instanceof DatabaseError && error.kind === "missing");
});

Deno.test("sqlite: what differs beyond ASCII in case only is ambiguous", async () => {
  await using file = await TestFile.open("CREATE TABLE É (a); CREATE TABLE é (a)");
  assert.equal((await file.connection.find("É")).name, "É");
  await using other = await TestFile.open("CREATE TABLE aÉ (a); CREATE TABLE aé (a)");
  await assert.rejects(other.connection.find("AÉ"), (error) => {
    return error instanceof DatabaseError && error.kind === "ambiguous" && error.message.endsWith(": aÉ, aé");
  });
});

Deno.test("sqlite: the estimate is no wild guess where ids have gaps", async () => {
  await using file = await TestFile.open("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
  assert.equal((await file.connection.find("t")).estimatedRows, 0);
  file.other.exec("INSERT INTO t VALUES (-9223372036854775808, 'a'), (9223372036854775807, 'b')");
  assert.ok((await file.connection.find("t")).estimatedRows < 10_000);
  file.other.exec("WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000) INSERT INTO t SELECT i, i FROM n");
  assert.ok((await file.connection.find("t")).estimatedRows >= 5000);
});

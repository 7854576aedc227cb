import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { DatabaseError, type DatabaseErrorKind } from "../error.ts";
import type { Table } from "../types.ts";
import { sqlite } from "./dialect.ts";
import { sideOf, spec, TestFile } from "./testing.ts";

const { signal } = new AbortController();

function isError(kind: DatabaseErrorKind, words: RegExp) {
  return (error: unknown) => error instanceof DatabaseError && error.kind === kind && words.test(error.message);
}

Deno.test("sqlite: files that cannot be used are told apart, and none is made by looking", async () => {
  await using file = await TestFile.open();
  const { directory } = file;
  await assert.rejects(
    sqlite.connect(spec(`${directory}/none.db`), signal),
    isError("missing", /no database file .*none\.db/),
  );
  await assert.rejects(sqlite.connect(spec(directory), signal), isError("connection", /is not a file/));
  await assert.rejects(
    sqlite.connect(spec(`${directory}/none/x.db`, { createFile: true }), signal),
    isError("missing", /no database file/),
  );
  await Deno.writeTextFile(`${directory}/text.db`, "this is no database\n".repeat(100));
  await assert.rejects(sqlite.connect(spec(`${directory}/text.db`), signal), isError("other", /not a database/));
  const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
  assert.ok(!names.includes("none.db") && !names.includes("none"), names.join());
});

Deno.test("sqlite: a file with a name that is special in URIs opens", async () => {
  await using file = await TestFile.open("CREATE TABLE t (a)");
  const path = `${file.directory}/a b%41?c#d&e;ü.db`;
  file.other.exec(`VACUUM INTO '${path}'`);
  await using connection = await sqlite.connect(spec(path), signal);
  assert.equal((await connection.find("t")).name, "t");
});

Deno.test("sqlite: a file that may be made reads as empty and is made by the first writer", async () => {
  await using file = await TestFile.open("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
  const path = `${file.directory}/new.db`;
  await using connection = await sqlite.connect(spec(path, { createFile: true }), signal);
  await assert.rejects(connection.find("t"), isError("missing", /no table or view t/));
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  const { statements } = connection.creation(await file.connection.find("t"));
  {
    await using writer = await connection.writer();
    await writer.begin();
    await writer.create(statements);
  }
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound, "what was rolled back leaves nothing");
  await using writer = await connection.writer();
  await writer.begin();
  await writer.create(statements);
  const side = sideOf(await writer.find("t"));
  await writer.insert(side, [["1", "'x'"]]);
  await writer.commit();
  using made = new DatabaseSync(path);
  assert.deepEqual({ ...made.prepare("SELECT * FROM t").get() }, { id: 1, v: "x" });
});

Deno.test("sqlite: a lock of another program is waited for while the thread is free", async () => {
  for (const journal of ["WAL", "DELETE"]) {
    await using file = await TestFile.open("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", journal);
    const side = await file.side("t");
    file.other.exec("BEGIN EXCLUSIVE; INSERT INTO t VALUES (1, 'other')");
    let ticks = 0;
    const timer = setInterval(() => {
      if (++ticks === 10) file.other.exec("COMMIT");
    }, 5);
    try {
      await file.insert(side, [["2", "'mine'"]]);
      assert.ok(ticks >= 10);
      assert.deepEqual(await file.read(side), [["1", "'other'"], ["2", "'mine'"]]);
    } finally {
      clearInterval(timer);
    }
  }
});

Deno.test("sqlite: waiting for a lock ends with the signal", async () => {
  await using file = await TestFile.open("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  file.other.exec("BEGIN EXCLUSIVE");
  const controller = new AbortController();
  await using connection = await sqlite.connect(spec(file.path), controller.signal);
  await using writer = await connection.writer();
  const begun = writer.begin();
  const reason = new Error("no more");
  controller.abort(reason);
  await assert.rejects(begun, (error) => error === reason || (error as Error).cause === reason);
  file.other.exec("ROLLBACK");
});

Deno.test("sqlite: a transaction that a killed program left is undone by reading", async () => {
  await using file = await TestFile.open(
    "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'old')",
    "DELETE",
  );
  file.other.exec("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN; UPDATE t SET v = 'new'");
  file.other.exec(
    "WITH n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n LIMIT 5000) INSERT INTO t SELECT i, 'much ' || i FROM n",
  );
  const copy = `${file.directory}/copy.db`;
  await Deno.copyFile(file.path, copy);
  await Deno.copyFile(`${file.path}-journal`, `${copy}-journal`);
  file.other.exec("ROLLBACK");
  await using connection = await sqlite.connect(spec(copy), signal);
  await using snapshot = await connection.snapshot(1);
  const side = sideOf(await connection.find("t"));
  assert.deepEqual(await Array.fromAsync(snapshot.all(side, 10)), [[["1", "'old'"]]]);
});

Deno.test("sqlite: a commit that breaks a reference names the table", async () => {
  await using file = await TestFile.open(
    "CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE child (id INTEGER PRIMARY KEY, up REFERENCES parent); " +
      "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)",
  );
  const parent = await file.side("parent");
  await using writer = await file.connection.writer();
  await writer.begin();
  await writer.delete(parent, [["1"]]);
  await assert.rejects(
    writer.commit(),
    isError("foreign-key", /^child: a row refers to a row of parent that is not there/),
  );
  await writer.insert(parent, [["1"]]);
  await writer.commit();
});

Deno.test("sqlite: keys are found exactly, whatever the collation and the spelling", async () => {
  await using file = await TestFile.open(`
    CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY, v TEXT);
    INSERT INTO t VALUES ('Abc', '1');
    CREATE TABLE r (k TEXT COLLATE RTRIM PRIMARY KEY, v TEXT);
    INSERT INTO r VALUES ('a ', '1');
    CREATE TABLE u (k UUID PRIMARY KEY, v TEXT);
    INSERT INTO u VALUES ('550E8400-E29B-41D4-A716-446655440000', '1'), ('650e8400-e29b-41d4-a716-446655440000', '2');
    CREATE TABLE d (k DATETIME, w DECIMAL TEXT, PRIMARY KEY (k, w)) WITHOUT ROWID;
    INSERT INTO d VALUES ('2024-01-15T10:30:00Z', '1.50');
  `);
  const find = async (name: string, keys: string[][]) => {
    const side = await file.side(name, true);
    await using snapshot = await file.connection.snapshot(1);
    const rows = await snapshot.rows(side, keys);
    await using writer = await file.connection.writer();
    await writer.begin();
    const locked = await writer.lock(side, "client", keys);
    assert.deepEqual(locked.map((found) => found?.row), rows);
    const there = keys.filter((_, i) => rows[i] !== undefined);
    await writer.delete(side, there);
    assert.equal((await writer.lock(side, "client", keys)).filter(Boolean).length, 0);
    return rows.map((row) => row?.at(-1));
  };
  assert.deepEqual(await find("t", [["abc"], ["Abc"]]), [undefined, "1"]);
  assert.deepEqual(await find("r", [["a"], ["a "]]), [undefined, "1"]);
  assert.deepEqual(
    await find("u", [["550e8400-e29b-41d4-a716-446655440000"], ["650e8400-e29b-41d4-a716-446655440000"]]),
    ["1", "2"],
  );
  assert.deepEqual(await find("d", [["2024-01-15 10:30:00", "1.5"], ["2024-01-15 10:30:00", "1.6"]]), [
    "1.5",
    undefined,
  ]);
});

Deno.test("sqlite: a table of another engine is made so that values stay exact", async () => {
  await using file = await TestFile.open();
  const column = (name: string, logical: Table["columns"][number]["logical"], value: string) => {
    const column = {
      name,
      type: logical.kind,
      logical,
      nullable: true,
      generated: false,
      identity: false,
      hasDefault: false,
    };
    return { column, value };
  };
  const parts = [
    column("id", { kind: "integer", bits: 64, unsigned: false }, "9223372036854775807"),
    column("big", { kind: "integer", bits: 64, unsigned: true }, "18446744073709551615"),
    column("d", { kind: "decimal", precision: 38, scale: 10 }, "1234567890123456789012345678.0123456789"),
    column("n", { kind: "decimal", precision: null, scale: null }, "NaN"),
    column("f", { kind: "float", bits: 64 }, "5e-324"),
    column("b", { kind: "boolean" }, "1"),
    column("t", { kind: "text", length: 20, fixed: false }, "007"),
    column("x", { kind: "bytes", length: null, fixed: false }, "00ff"),
    column("day", { kind: "date" }, "0044-03-15 BC"),
    column("at", { kind: "time", precision: 6, zone: true }, "10:30:00.5+05:30"),
    column("ts", { kind: "timestamp", precision: 6, zone: false }, "infinity"),
    column("tz", { kind: "timestamp", precision: 6, zone: true }, "2024-01-15 10:30:00.123456"),
    column("iv", { kind: "interval" }, "1 year 2 mons"),
    column("u", { kind: "uuid" }, "550e8400-e29b-41d4-a716-446655440000"),
    column("j", { kind: "json", binary: true }, "12345678901234567890.5"),
    column("bits", { kind: "bits", length: 8, varying: false }, "00000101"),
    column("e", { kind: "enum", labels: ["007"] }, "007"),
    column("a", { kind: "native", engine: "postgres", name: "integer[]" }, "{1,2}"),
  ];
  const table: Table = {
    schema: "public",
    name: 'odd "name',
    id: 'public.odd "name',
    kind: "table",
    columns: parts.map(({ column }) => column),
    key: ["id"],
    unique: [["u"]],
    foreignKeys: [],
    estimatedRows: 0,
    triggers: false,
  };
  const { statements, notes } = file.connection.creation(table);
  await using writer = await file.connection.writer();
  await writer.begin();
  await writer.create(statements);
  const made = await writer.find('odd "name');
  const { pairForm } = await import("../forms.ts");
  const forms = made.columns.map((column, i) => {
    const form = pairForm(parts[i].column, column);
    assert.ok(form !== undefined, column.name);
    return form;
  });
  const side = { ...sideOf(made), forms };
  const row = parts.map(({ value }) => value);
  await writer.insert(side, [row]);
  await writer.commit();
  assert.deepEqual(await file.read(side), [row]);
  assert.deepEqual([made.key, made.unique], [["id"], [["u"]]]);
  for (const name of ["big", "d", "n", "iv", "e", "a"]) {
    assert.ok(notes.some((note) => note.startsWith(`${name}: `)), name);
  }
});

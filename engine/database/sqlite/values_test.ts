import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { createRandom, type Random, testSeed } from "../../../tests/harness/random.ts";
import { DatabaseError, type DatabaseErrorKind } from "../error.ts";
import type { Row } from "../types.ts";
import { sideOf, TestFile } from "./testing.ts";

function isError(kind: DatabaseErrorKind, words: RegExp) {
  return (error: unknown) => error instanceof DatabaseError && error.kind === kind && words.test(error.message);
}

Deno.test("sqlite: a value that is not of the form names table, key and column", async () => {
  const cases: [type: string, literal: string, words: RegExp][] = [
    ["INTEGER", "'abc'", /^t\.v \(id 7\): the value is not a whole number/],
    ["INTEGER", "1.5", /^t\.v \(id 7\): the value is stored as a floating-point number, not as a whole number/],
    ["DECIMAL(5,2)", "'abc'", /not a decimal/],
    ["DATETIME", "1705314600", /^t\.v \(id 7\): the value is stored as a whole number, not as a date and time as text/],
    ["DATE", "'soon'", /not a date/],
    ["BOOLEAN", "2", /not true or false/],
    ["TEXT", "x'00'", /stored as a blob, not as text/],
    ["BLOB", "1", /stored as a whole number, not as bytes/],
    ["UUID", "x'00112233445566778899aabbccddeeff'", /stored as a blob, not as a UUID/],
    ["TEXT", "CAST(x'61FF' AS TEXT)", /^t\.v \(id 7\): the text is not valid UTF-8/],
    ["TEXT", "CAST(x'EDA080' AS TEXT)", /not valid UTF-8/],
    ["INTEGER", "CAST(x'61FF' AS TEXT)", /not valid UTF-8/],
  ];
  for (const [type, literal, words] of cases) {
    for (const table of ["t (id INTEGER PRIMARY KEY, v TYPE)", "t (id INTEGER PRIMARY KEY, v TYPE) WITHOUT ROWID"]) {
      await using file = await TestFile.open(`CREATE TABLE ${table.replace("TYPE", type)}`);
      file.other.exec(`INSERT INTO t VALUES (6, NULL), (7, ${literal})`);
      await assert.rejects(file.read(await file.side("t", true)), isError("value", words), `${type} ${literal}`);
    }
  }
});

Deno.test("sqlite: text with U+0000 and U+FFFD is read whole, by every way", async () => {
  const texts = ["a\0b", "\0", "a\0", "x\ufffdy", "plain", "größe\0\u{1f600}"];
  const tables = [
    "CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER, d DATETIME)",
    "CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER, d DATETIME) WITHOUT ROWID",
    "CREATE TABLE base (k TEXT PRIMARY KEY, n INTEGER, d DATETIME); CREATE VIEW t AS SELECT * FROM base",
  ];
  for (const sql of tables) {
    await using file = await TestFile.open(sql);
    const table = sql.includes("VIEW") ? "base" : "t";
    const insert = file.other.prepare(`INSERT INTO ${table} VALUES (?, ?, ?)`);
    for (const text of texts) insert.run(text, `n ${text}`, `d ${text}`);
    const side = await file.side("t");
    const rows: Row[] = texts.map((text) => [`'${text}'`, `'n ${text}'`, `'d ${text}'`]);
    const byKey = (a: Row, b: Row) => `${a[0]}` < `${b[0]}` ? -1 : 1;
    assert.deepEqual((await file.read(side)).sort(byKey), rows.toSorted(byKey));
    if (side.key.length === 0) continue;
    await using snapshot = await file.connection.snapshot(1);
    assert.deepEqual(await snapshot.rows(side, rows.map(([key]) => [key])), rows);
    await using writer = await file.connection.writer();
    await writer.begin();
    assert.deepEqual(await writer.insert(side, rows), rows.map((_, i) => i));
    await writer.delete(side, rows.map(([key]) => [key]));
    await writer.commit();
    assert.deepEqual(await file.read(side), []);
  }
});

function randomLiteral(random: Random): string {
  const text = () =>
    Array.from({ length: random.below(6) }, () => random.pick([..."aB1.-' \\\"ß", "\u{1f600}"])).join("");
  switch (random.below(9)) {
    case 0:
      return "NULL";
    case 1:
      return String(random.below(2 ** 31) - 2 ** 30);
    case 2:
      return random.pick(["-9223372036854775808", "9223372036854775807", "9007199254740993", "0", "-1"]);
    case 3:
      return String((random.below(2 ** 31) - 2 ** 30) / 1024 + 0.5);
    case 4:
      return random.pick(["1e300", "-1e-300", "9e999", "-9e999", "0.1", "3.0", "1e15", "123456789012345680000.0"]);
    case 5:
      return `x'${Array.from(random.bytes(random.below(9)), (byte) => byte.toString(16).padStart(2, "0")).join("")}'`;
    case 6:
      return `'${random.below(100)}${random.pick(["", ".5", ".0", "e2", " ", "x"])}'`;
    case 7:
      return `'${text().replaceAll("'", "''")}' || char(${random.pick([0, 1, 0xfffd, 0x1f600])}) || 'z'`;
    default:
      return `'${text().replaceAll("'", "''")}'`;
  }
}

Deno.test("sqlite: random tables are the same after a copy, an update and a deletion, storage classes included", async () => {
  const seed = testSeed("sqlite copies");
  for (let round = 0; round < 40; round++) {
    const random = createRandom(seed + round);
    const types = [
      "",
      "INTEGER",
      "TEXT",
      "REAL",
      "BLOB",
      "NUMERIC",
      "DECIMAL(10,2)",
      "DATETIME",
      "VARCHAR(5)",
      "BOOLEAN",
      "JSON",
      "UUID",
    ];
    const columns = Array.from({ length: 1 + random.below(6) }, (_, i) => `c${i} ${random.pick(types)}`);
    const key = random.pick(["", "INTEGER PRIMARY KEY", "INT PRIMARY KEY", "TEXT PRIMARY KEY"]);
    const without = key !== "" && random.oneIn(3) ? " WITHOUT ROWID" : "";
    const sql = `CREATE TABLE t (k ${key}, ${columns.join(", ")})${without}`;
    await using source = await TestFile.open(sql);
    await using target = await TestFile.open(sql);
    const names = ["k", ...columns.map((_, i) => `c${i}`)];
    for (let row = 0; row < 60; row++) {
      const values = columns.map(() => randomLiteral(random));
      source.other.exec(`INSERT INTO t VALUES (${row}, ${values.join(", ")})`);
    }
    const [from, to] = [await source.side("t"), await target.side("t")];
    const rows = await source.read(from);
    await target.insert(to, rows);
    assert.deepEqual(target.dump("t", names), source.dump("t", names), sql);
    if (from.key.length === 0) continue;

    const changed = rows.filter(() => random.oneIn(2));
    const updates = changed.map((row, i) => {
      const next = row.map((value, at) => at === 0 ? value : changed[(i + 1) % changed.length][at]);
      return { key: [row[0]], row: next, changed: row.map((_, at) => at).slice(1) };
    });
    await using writer = await target.connection.writer();
    await writer.begin();
    await writer.lock(to, "client", changed.map(([key]) => [key]));
    await writer.update(to, updates);
    await writer.delete(to, [[rows[0][0]]]);
    await writer.commit();
    const expected = new Map(rows.map((row) => [row[0], row]));
    for (const { key, row } of updates) expected.set(key[0], row);
    expected.delete(rows[0][0]);
    const sort = (rows: Row[]) => rows.map((row) => JSON.stringify(row)).sort();
    assert.deepEqual(sort(await target.read(to)), sort([...expected.values()]));
  }
});

Deno.test("sqlite: a column that prefers numbers takes no text that it would change", async () => {
  await using file = await TestFile.open("CREATE TABLE t (id INTEGER PRIMARY KEY, v STRING)");
  const table = await file.connection.find("t");
  const side = { ...sideOf(table), forms: ["integer", "text"] as ("integer" | "text")[] };
  await file.insert(side, [["1", "abc"], ["2", "12"], ["3", "-7"], ["4", "1 2"]]);
  assert.deepEqual(await file.read(side), [["1", "abc"], ["2", "12"], ["3", "-7"], ["4", "1 2"]]);
  for (const text of ["007", "1.50", "1e3", " 5", "5 ", "+5", "12345678901234567890", "-0"]) {
    await assert.rejects(
      file.insert(side, [["9", text]]),
      isError("value", /^t\.v \(id 9\): .*STRING would turn the text/),
      text,
    );
  }
});

Deno.test("sqlite: a value is refused where the column would store another kind of it, and nowhere else", async () => {
  const literals = ["5", "-9223372036854775808", "1.0", "-0.0", "1.5", "1e300", "9.2233720368547758e18", "x'35'", "''"];
  const texts = ["x", "5", "-5.0", " 7 ", "1e3", "0x10", "1 2"].map((text) => `'${text}'`);
  for (const type of ["INTEGER", "REAL", "NUMERIC", "TEXT", "BLOB", ""]) {
    await using file = await TestFile.open("CREATE TABLE free (id INTEGER PRIMARY KEY, v)");
    file.other.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, v ${type})`);
    for (const literal of [...literals, ...texts]) {
      file.other.exec(`DELETE FROM free; DELETE FROM t; INSERT INTO free VALUES (1, ${literal})`);
      file.other.exec("INSERT INTO t SELECT * FROM free");
      const [wanted, kept] = ["free", "t"].map((table) => file.dump(table, ["v"]));
      const rows = await file.read(await file.side("free"));
      file.other.exec("DELETE FROM t");
      const inserted = file.insert({ ...await file.side("t"), forms: ["integer", "native"] }, rows);
      const words = `${literal} into ${type}`;
      if (isDeepStrictEqual(kept, wanted)) await inserted;
      else await assert.rejects(inserted, isError("value", /^t\.v \(id 1\): .* another kind of value/), words);
      assert.deepEqual(file.dump("t", ["v"]), isDeepStrictEqual(kept, wanted) ? wanted : [], words);
    }
  }
});

Deno.test("sqlite: rows at the ends of the rowids, and columns with the rowid's names", async () => {
  await using file = await TestFile.open(
    "CREATE TABLE t (id INTEGER PRIMARY KEY, v); CREATE TABLE named (rowid TEXT, _rowid_ TEXT); " +
      "CREATE TABLE all_named (rowid TEXT, _rowid_ TEXT, oid TEXT)",
  );
  const ids = ["-9223372036854775808", "-1", "0", "9223372036854775807"];
  const side = await file.side("t");
  await file.insert(side, ids.map((id) => [id, "'x'"]));
  assert.deepEqual((await file.read(side)).map(([id]) => id), ids);
  for (const name of ["named", "all_named"]) {
    const odd = await file.side(name);
    const row = odd.columns.map(({ name }) => `'${name}'`);
    await file.insert(odd, [row, row]);
    assert.deepEqual(await file.read(odd), [row, row]);
  }
});

Deno.test("sqlite: blobs of any size come in pages that stay small", async () => {
  await using file = await TestFile.open("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)");
  const insert = file.other.prepare("INSERT INTO t VALUES (?, zeroblob(?))");
  for (let id = 0; id < 300; id++) insert.run(id, id % 100 === 99 ? 3_000_000 : id);
  const side = await file.side("t");
  await using snapshot = await file.connection.snapshot(1);
  let rows = 0;
  for await (const batch of snapshot.all(side, 1000)) {
    rows += batch.length;
    assert.ok(batch.reduce((sum, [, value]) => sum + (value?.length ?? 0), 0) < 16_000_000);
  }
  assert.equal(rows, 300);
});

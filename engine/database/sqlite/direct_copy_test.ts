import assert from "node:assert/strict";
import type { Connection, Snapshot, Writer } from "../dialect.ts";
import { DatabaseError } from "../error.ts";
import type { TableSide } from "../types.ts";
import { sqlite } from "./dialect.ts";
import { sideOf, spec, TestFile } from "./testing.ts";

const TABLE = "CREATE TABLE t (k INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT, w)";
const FILL =
  "INSERT INTO t WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000) SELECT i, 'v' || i, i / 2.0 FROM n";

async function copy(snapshot: Snapshot, from: TableSide, writer: Writer, to: TableSide): Promise<number | undefined> {
  return await sqlite.direct?.copy({ snapshot, side: from }, { writer, side: to }, () => {});
}

async function copyAll(source: Connection, target: Connection): Promise<number | undefined> {
  await using snapshot = await source.snapshot(1);
  await using writer = await target.writer();
  await writer.begin();
  const [from, to] = [sideOf(await source.find("t")), sideOf(await target.find("t"))];
  const rows = await copy(snapshot, from, writer, to);
  await writer.commit();
  return rows;
}

Deno.test("sqlite: a table goes straight into another file, in any journal mode, byte by byte", async () => {
  for (const journal of ["WAL", "DELETE"]) {
    await using source = await TestFile.open(TABLE, journal);
    await using target = await TestFile.open(TABLE, journal);
    source.other.exec(FILL);
    source.other.exec(`
      INSERT INTO t VALUES (-9223372036854775808, 'a' || char(0) || 'b', 1), (20000, CAST(x'61FF' AS TEXT), 1.0),
        (9223372036854775807, CAST(x'EDA080' AS TEXT), -0.0), (30000, x'00', '1'), (30001, NULL, NULL), (30002, '', x'')`);
    assert.equal(await copyAll(source.connection, target.connection), 10_006);
    assert.deepEqual(target.dump("t", ["k", "v", "w"]), source.dump("t", ["k", "v", "w"]));
    const sequence = "SELECT CAST(seq AS TEXT) FROM sqlite_sequence";
    assert.deepEqual(target.other.prepare(sequence).all(), source.other.prepare(sequence).all());
  }
});

Deno.test("sqlite: a file whose name is special in addresses is copied from", async () => {
  await using source = await TestFile.open(TABLE);
  await using target = await TestFile.open(TABLE);
  source.other.exec(FILL);
  const path = `${source.directory}/a b%41?mode=rw&c#d'";ü\\.db`;
  source.other.exec(`VACUUM INTO '${path.replaceAll("'", "''")}'`);
  await using odd = await sqlite.connect(spec(path), new AbortController().signal);
  assert.equal(await copyAll(odd, target.connection), 10_000);
});

Deno.test("sqlite: what others commit after the snapshot is not copied", async () => {
  await using source = await TestFile.open(TABLE);
  await using target = await TestFile.open(TABLE);
  source.other.exec(FILL);
  const [from, to] = [await source.side("t"), await target.side("t")];
  await using snapshot = await source.connection.snapshot(1);
  await using writer = await target.connection.writer();
  await writer.begin();
  source.other.exec("UPDATE t SET v = 'later' WHERE k = 5");
  assert.equal(await copy(snapshot, from, writer, to), undefined, "that would be another state");
  await writer.commit();
  assert.deepEqual(await target.read(to), []);

  await using next = await source.connection.snapshot(1);
  await writer.begin();
  assert.equal(await copy(next, from, writer, to), 10_000);
  source.other.exec("DELETE FROM t WHERE k > 5");
  await writer.commit();
  assert.equal((await target.read(to)).length, 10_000);
});

Deno.test("sqlite: the source stays free for others while the target is written, and after it", async () => {
  await using source = await TestFile.open(TABLE);
  await using target = await TestFile.open(TABLE);
  source.other.exec(FILL);
  const [from, to] = [await source.side("t"), await target.side("t")];
  await using snapshot = await source.connection.snapshot(1);
  await using writer = await target.connection.writer();
  await writer.begin();
  assert.equal(await copy(snapshot, from, writer, to), 10_000);
  source.other.exec("BEGIN IMMEDIATE; UPDATE t SET v = 'now' WHERE k = 1; COMMIT");
  await writer.commit();
  await writer.begin();
  source.other.exec("BEGIN IMMEDIATE; UPDATE t SET v = 'then' WHERE k = 1; COMMIT");
  await writer.rollback();
});

Deno.test("sqlite: a row that the target refuses leaves nothing of a copy, and the transaction goes on", async () => {
  const refusals = [
    ["check", "CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT, w CHECK (w < 4999.5))", "SELECT 1"],
    ["not-null", "CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT NOT NULL, w)", "UPDATE t SET v = NULL WHERE k = 9999"],
    ["unique", "CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT UNIQUE, w)", "UPDATE t SET v = 'v1' WHERE k = 9999"],
    ["value", "CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT, w ANY) STRICT", "UPDATE t SET v = x'00' WHERE k = 9999"],
  ];
  for (const [kind, sql, change] of refusals) {
    await using source = await TestFile.open(TABLE);
    await using target = await TestFile.open(sql);
    source.other.exec(`${FILL}; ${change}`);
    const [from, to] = [await source.side("t"), await target.side("t")];
    await using snapshot = await source.connection.snapshot(1);
    await using writer = await target.connection.writer();
    await writer.begin();
    const isRefused = (error: unknown) => error instanceof DatabaseError && error.kind === kind;
    await assert.rejects(copy(snapshot, from, writer, to), isRefused, kind);
    await writer.insert(to, [["1", "'v'", "1"]]);
    await writer.commit();
    assert.deepEqual((await target.read(to)).map(([key]) => key), ["1"]);
  }
});

Deno.test("sqlite: values that the target's column would make others of do not go straight", async () => {
  for (const [from, to] of [["NUMERIC", "TEXT"], ["TEXT", "INTEGER"], ["", "TEXT"], ["REAL", ""]]) {
    await using source = await TestFile.open(`CREATE TABLE t (k INTEGER PRIMARY KEY, v ${from})`);
    await using target = await TestFile.open(`CREATE TABLE t (k INTEGER PRIMARY KEY, v ${to})`);
    source.other.exec("INSERT INTO t VALUES (1, '1')");
    assert.equal(await copyAll(source.connection, target.connection), undefined, `${from} to ${to}`);
  }
});

Deno.test("sqlite: a copy that is cancelled ends soon and leaves nothing", async () => {
  await using source = await TestFile.open(TABLE);
  await using target = await TestFile.open(TABLE);
  source.other.exec(FILL);
  const controller = new AbortController();
  await using connection = await sqlite.connect(spec(target.path), controller.signal);
  await using snapshot = await source.connection.snapshot(1);
  const from = { snapshot, side: await source.side("t") };
  const reason = new Error("no more");
  let seen = 0;
  {
    await using writer = await connection.writer();
    await writer.begin();
    const to = { writer, side: await target.side("t") };
    const copied = sqlite.direct?.copy(from, to, (rows) => {
      seen += rows;
      controller.abort(reason);
    });
    await assert.rejects(copied as Promise<unknown>, (error) => error === reason);
    await writer.rollback();
  }
  assert.ok(seen > 0 && seen < 10_000);
  assert.deepEqual(await target.read(await target.side("t")), []);
});

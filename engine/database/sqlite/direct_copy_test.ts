import assert from "node:assert/strict";
import type { Connection, Snapshot, Writer } from "../dialect.ts";
import { DatabaseError } from "../error.ts";
import { runDatabase } from "../run/run.ts";
import { requestOf, taskContext } from "../testing/task.ts";
import type { TableSide } from "../types.ts";
import { sqlite } from "./dialect.ts";
import { sideOf, spec, TestFile } from "./testing.ts";

const TABLE = "CREATE TABLE t (k INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT, w)";
const WITHOUT_ROWID = "CREATE TABLE t (k INT PRIMARY KEY, v TEXT, w) WITHOUT ROWID";
const INVALID = "UPDATE t SET v = CAST(x'61FF' AS TEXT) WHERE k = 9999";
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

Deno.test("sqlite: a table goes straight into another file, in any kind of table, as it is stored", async () => {
  const odd = `
    INSERT INTO t VALUES (-9223372036854775808, 'a' || char(0) || 'b', 1), (20000, 'größe', 1.0), (20001, 'x', x''),
      (9223372036854775807, '\u{1f600}', -0.0), (30000, x'00', '1'), (30001, NULL, NULL), (30002, '', 9223372036854775807)`;
  for (const [from, to] of [[TABLE, TABLE], [WITHOUT_ROWID, TABLE], [TABLE, WITHOUT_ROWID]]) {
    await using source = await TestFile.open(from);
    await using target = await TestFile.open(to);
    source.other.exec(`${FILL}; ${odd}`);
    assert.equal(await copyAll(source.connection, target.connection), 10_007);
    assert.deepEqual(target.dump("t", ["k", "v", "w"]), source.dump("t", ["k", "v", "w"]));
    if (from === WITHOUT_ROWID || to === WITHOUT_ROWID) continue;
    const sequence = "SELECT CAST(seq AS TEXT) FROM sqlite_sequence";
    assert.deepEqual(target.other.prepare(sequence).all(), source.other.prepare(sequence).all());
  }
});

Deno.test("sqlite: what others commit after the snapshot is not copied", async () => {
  await using source = await TestFile.open(TABLE);
  await using target = await TestFile.open(TABLE);
  source.other.exec(FILL);
  const before = source.dump("t", ["k", "v", "w"]);
  const [from, to] = [await source.side("t"), await target.side("t")];
  await using snapshot = await source.connection.snapshot(1);
  source.other.exec("UPDATE t SET v = 'later' WHERE k = 5; DELETE FROM t WHERE k > 9000");
  await using writer = await target.connection.writer();
  await writer.begin();
  assert.equal(await copy(snapshot, from, writer, to), 10_000);
  await writer.commit();
  assert.deepEqual(target.dump("t", ["k", "v", "w"]), before);
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
  const ignore = "CREATE TRIGGER r BEFORE INSERT ON t WHEN new.k = 9999 BEGIN SELECT RAISE(IGNORE); END";
  refusals.push(["other", `${TABLE}; ${ignore}`, "SELECT 1"], ["value", TABLE, INVALID]);
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

Deno.test("sqlite: a copy is remembered as it is made, also where it had to be made row by row", async () => {
  const cases: [refusal: string, useTransactions: boolean][] = [["", true], ["", false], [
    " CHECK (v <> 'v77')",
    false,
  ]];
  for (const [refusal, useTransactions] of cases) {
    await using source = await TestFile.open(TABLE);
    await using target = await TestFile.open(TABLE.replace("TEXT", `TEXT${refusal}`));
    source.other.exec(FILL);
    const directory = `${source.directory}/runs`;
    await Deno.mkdir(`${directory}/baselines`, { recursive: true });
    let runs = 0;
    const run = async () => {
      const workspace = `${directory}/${runs++}`;
      await Deno.mkdir(workspace);
      const ends = { source: spec(source.path), target: spec(target.path), entityNames: ["t"] };
      const request = requestOf(ends, { useTransactions, batchSize: 1000 });
      const input = { request, baselines: `${directory}/baselines`, workspace };
      return (await runDatabase(input, taskContext(new AbortController().signal))).result;
    };
    const missing = refusal === "" ? 0 : 1;
    const first = await run();
    assert.deepEqual([first.changesApplied, first.errors.length, first.entities[0].notes], [
      10_000 - missing,
      missing,
      [],
    ]);
    if (missing > 0) {
      // Nobody knows then what the two had in common; the next run finds out.
      source.other.exec("DELETE FROM t WHERE v = 'v77'");
      assert.equal((await run()).changesApplied, 0);
    }
    target.other.exec("UPDATE t SET v = 'theirs' WHERE k = 500");
    const second = await run();
    assert.deepEqual([second.changesApplied, second.conflictsEncountered], [1, 1]);
    assert.equal((await run()).changesApplied, 0);
    assert.deepEqual(target.dump("t", ["k", "v", "w"]), source.dump("t", ["k", "v", "w"]));
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

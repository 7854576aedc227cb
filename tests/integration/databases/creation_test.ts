/** Missing tables that are made: in the right schema, with what has no counterpart noted, and filled. */
import assert from "node:assert/strict";
import { mariaDatabase, postgresDatabase, sqliteDatabase } from "../../harness/database_engines.ts";
import { PairedDatabases } from "../../harness/database_run.ts";
import { onMariaDb, sharedMariaDb } from "../../harness/mariadb.ts";
import { sharedPostgres } from "../../harness/postgres.ts";

const postgres = sharedPostgres();
const mariaDb = sharedMariaDb();
const MADE = { createMissingTables: true };

Deno.test("a table of another schema is made there, whatever has its name on the search path", async () => {
  await using pair = await PairedDatabases.open(await postgresDatabase(postgres()), await postgresDatabase(postgres()));
  const { source, target } = pair;
  await source.run(
    'create schema app; create table app."it.ems" (id int primary key, n int); insert into app."it.ems" values (1, 2)',
  );
  await target.run('create table "it.ems" (id int primary key, n int); insert into "it.ems" values (7, 7), (8, 8)');
  const result = await pair.sync(["app.it.ems"], MADE);
  assert.deepEqual([result.changesApplied, result.entities[0].created], [1, true]);
  assert.deepEqual(await target.run('select * from app."it.ems"'), [["1", "2"]]);
  assert.equal((await target.run('select * from "it.ems"')).length, 2);
  assert.equal((await pair.sync(["app.it.ems"])).changesApplied, 0);
});

Deno.test("what a dry run says of a table that is to be made is what is done, with columns and a filter as well", async () => {
  await using pair = await PairedDatabases.open(await sqliteDatabase(), await postgresDatabase(postgres()));
  const { source, target } = pair;
  await source.run(
    "create table items (id integer primary key, a integer, b text)",
    "insert into items values (1, 1, 'x'), (2, 2, 'y'), (3, 3, 'z')",
  );
  const options = { ...MADE, columns: { items: ["id", "a"] }, filters: { items: "a > 1" } };
  const planned = await pair.sync(["items"], { ...options, dryRun: true });
  const done = await pair.sync(["items"], options);
  assert.deepEqual([planned.changesApplied, done.changesApplied], [2, 2]);
  assert.deepEqual(await target.run("select id, a, b from items order by id"), [["2", "2", null], ["3", "3", null]]);
  const wrong = { ...MADE, dryRun: true, columns: { other: ["nothing"] } };
  await source.run("create table other (id integer primary key)");
  const words = (error: { details?: string }) => /other: columns names "nothing"/.test(error.details ?? "");
  await assert.rejects(pair.sync(["other"], wrong), words);
});

Deno.test({
  ...onMariaDb(
    "types without a counterpart in MariaDB are carried as text, and a table made for a run that fails goes again",
  ),
  async fn() {
    await using pair = await PairedDatabases.open(await postgresDatabase(postgres()), await mariaDatabase(mariaDb()));
    const { source, target } = pair;
    await source.run(
      "create table items (id int primary key, t timetz, v varbit(9), r int4range); " +
        "insert into items values (1, '10:00:00.5+02', b'0101', '[1,5)')",
    );
    const result = await pair.sync(["items"], MADE);
    assert.deepEqual([result.changesApplied, result.entities[0].created], [1, true]);
    for (const type of ["time with time zone", "bit varying", "int4range"]) {
      assert.ok(result.entities[0].notes.length >= 3, type);
    }
    assert.deepEqual(await target.run("select t, v, r from items"), [["10:00:00.5+02", "0101", "[1,5)"]]);
    await target.run("update items set v = '11', t = '11:00:00+00'");
    assert.equal((await pair.sync(["items"])).changesApplied, 1);

    await source.run(
      "create table days (d date primary key); insert into days values ('2026-01-01'); " +
        "create table dates (d date references days); alter table dates disable trigger all; " +
        "insert into dates values ('0044-03-15 BC')",
    );
    const words = (error: { details?: string }) => /dates/.test(error.details!) && !/still there/.test(error.details!);
    const tables = "select table_name from information_schema.tables where table_schema = database() order by 1";
    await assert.rejects(pair.sync(["days", "dates"], MADE), words);
    assert.deepEqual(await target.run(tables), [["items"]]);
    assert.equal((await pair.sync(["days"], { ...MADE, useTransactions: false })).entities[0].created, true);
    assert.deepEqual(await target.run(tables), [["days"], ["items"]]);
    await assert.rejects(pair.sync(["days", "dates"], MADE), words);
    assert.deepEqual(await target.run("select cast(d as char) from days"), [["2026-01-01"]]);
  },
});

Deno.test({
  ...onMariaDb("a key that its new server does not number is noted"),
  async fn() {
    await using pair = await PairedDatabases.open(await mariaDatabase(mariaDb()), await postgresDatabase(postgres()));
    await pair.source.run("create table items (id bigint unsigned auto_increment primary key)");
    const { entities } = await pair.sync(["items"], MADE);
    assert.ok(entities[0].notes.includes("id: is not numbered by the server"), entities[0].notes.join());
  },
});

/** What databases refuse, on each engine over HTTP: a row, a table that is not there, a view, rights, writing at all. */
import assert from "node:assert/strict";
import type { Engine } from "../../engine/database/types.ts";
import { dump, type PortableType, type TestDatabase } from "../harness/database_engines.ts";
import { ENGINES, named, postDatabases, sharedEngines, syncDatabases } from "../harness/database_sync.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError } from "../harness/sync.ts";
import { withoutRootsPowers } from "../integration/ordinary_user.ts";

const server = sharedServer();
const engines = sharedEngines();

const COLUMNS: { name: string; type: PortableType }[] = [{ name: "id", type: "integer" }, {
  name: "n",
  type: "integer",
}];
const TABLE = "create table items (id bigint not null primary key, n bigint)";
const SOME = "insert into items values (1, 10), (2, 20), (3, 30)";
const items = { entityNames: ["items"] };

/** A database with the table, and rows in it. */
async function open(engine: Engine, ...more: string[]): Promise<TestDatabase> {
  const database = await engines.open(engine, server());
  await database.run(TABLE, ...more);
  return database;
}

/** The same database as another user would reach it. */
function as(user: string, password: string, database: TestDatabase): { connectionString: string } {
  return { connectionString: database.connectionString.replace(/\/\/[^@]*@/, `//${user}:${password}@`) };
}

for (const engine of ENGINES) {
  const [other] = ENGINES.filter((each) => each !== engine && each !== "mysql");

  Deno.test({
    ...named(
      `${engine}: a constraint that refuses row 5,000 leaves the target as it was, or costs that row only`,
      engine,
    ),
    async fn() {
      await using source = await open(
        other,
        "insert into items with recursive r(i) as (select 1 union all select i + 1 from r where i < 6000) select i, i from r",
      );
      for (const filled of [false, true]) {
        await using target = await engines.open(engine, server());
        await target.run(
          "create table items (id bigint not null primary key, n bigint, constraint not_this check (n <> 5000))",
        );
        if (filled) await target.run("insert into items values (1, 0), (7000, 0)");
        const before = await dump(target, "items", COLUMNS);
        const refused = await postDatabases(server(), [source, target], { ...items, useTransactions: true });
        const { details } = assertError(refused, 500, "DATABASE_ERROR");
        assert.match(details, /^target: items \(id=5000\): .*not_this|CHECK/);
        assert.deepEqual(await dump(target, "items", COLUMNS), before);

        const partly = await syncDatabases(server(), [source, target], { ...items, useTransactions: false });
        assert.deepEqual([partly.success, partly.errors.length], [false, 1], JSON.stringify(partly.errors));
        assert.match(partly.errors[0], /^items \(id=5000\): /);
        const wanted = (await dump(source, "items", COLUMNS)).filter((row) => row !== '["5000","5000"]');
        assert.deepEqual(await dump(target, "items", COLUMNS), wanted);
      }
    },
  });

  Deno.test({
    ...named(`${engine}: an entity that does not exist, and a view`, engine),
    async fn() {
      await using source = await open(other, SOME, "create view seen as select id, n from items");
      await using target = await open(engine, "create view seen as select id, n from items");
      for (const pair of [[source, target], [target, source]] as [TestDatabase, TestDatabase][]) {
        const missing = await postDatabases(server(), pair, { entityNames: ["items", "Nothing"] });
        assert.match(assertError(missing, 404, "NOT_FOUND").details, /source has no table "Nothing"/);
        const refused = await postDatabases(server(), pair, { entityNames: ["seen"] });
        assert.match(assertError(refused, 400, "INVALID_REQUEST").details, /seen: the target is a view/);
      }
      await source.run("drop view seen", "create table seen (id bigint not null primary key, n bigint)");
      await target.run(SOME);
      const read = await syncDatabases(server(), [target, source], { entityNames: ["seen"] });
      assert.deepEqual([read.success, read.changesApplied], [true, 3], JSON.stringify(read));
      assert.deepEqual(await dump(source, "seen", COLUMNS), await dump(target, "items", COLUMNS));
    },
  });
}

for (const engine of ENGINES) {
  Deno.test({
    ...named(
      `${engine}: two rows with a value that the target has once only: one is named, and nothing goes on for ever`,
      engine,
    ),
    async fn() {
      await using source = await open("sqlite", "insert into items values (1, 10), (2, 20), (3, 20)");
      await using target = await engines.open(engine, server());
      await target.run("create table items (id bigint not null primary key, n bigint unique)");
      for (const filled of [false, true]) {
        if (filled) await target.run("delete from items", "insert into items values (1, 5), (2, 6), (3, 7)");
        const before = await dump(target, "items", COLUMNS);
        const refused = await postDatabases(server(), [source, target], items);
        assert.match(assertError(refused, 500, "DATABASE_ERROR").details, /^target: items/);
        assert.deepEqual(await dump(target, "items", COLUMNS), before);
        const partly = await syncDatabases(server(), [source, target], { ...items, useTransactions: false });
        assert.deepEqual([partly.success, partly.errors.length], [false, 1], JSON.stringify(partly.errors));
        assert.match(partly.errors[0], /^items \(id=[23]\): /);
      }
    },
  });
}

const PARTITIONED = {
  postgres: [
    "create table items (id bigint not null primary key, n bigint) partition by range (id)",
    "create table items_low partition of items for values from (minvalue) to (100)",
    "create table items_high partition of items for values from (100) to (maxvalue)",
  ],
  mysql: [
    "create table items (id bigint not null primary key, n bigint) partition by range (id) " +
    "(partition low values less than (100), partition high values less than maxvalue)",
  ],
};
for (const engine of ["postgres", "mysql"] as const) {
  Deno.test({
    ...named(`${engine}: a partitioned table is read and written as one`, engine),
    async fn() {
      await using plain = await open("sqlite", SOME, "insert into items values (100, 1), (101, 2), (9000, 3)");
      await using partitioned = await engines.open(engine, server());
      await partitioned.run(...PARTITIONED[engine]);
      const there = await syncDatabases(server(), [plain, partitioned], items);
      assert.deepEqual([there.success, there.changesApplied], [true, 6]);
      await partitioned.run("update items set n = 7 where id in (2, 101)", "delete from items where id in (3, 9000)");
      const back = await syncDatabases(server(), [partitioned, plain], items);
      assert.deepEqual([back.success, back.changesApplied], [true, 4]);
      await plain.run("update items set n = null where id in (1, 100)", "insert into items values (50, 0), (500, 0)");
      const again = await syncDatabases(server(), [plain, partitioned], items);
      assert.deepEqual([again.success, again.changesApplied, again.conflicts], [true, 4, []]);
      assert.deepEqual(await dump(partitioned, "items", COLUMNS), await dump(plain, "items", COLUMNS));
    },
  });
}

/** Statements that make a user who may connect and read but not write, one who may write only, and one who may do nothing. */
const USERS = {
  postgres: (password: string, database: string) => [
    ...["reader", "nobody", "frozen"].map((user) => `create role ${user} login password '${password}'`),
    `grant connect on database ${database} to reader, nobody, frozen`,
    "grant select on items to reader",
    "grant all on items to frozen",
    "alter role frozen set default_transaction_read_only = on",
  ],
  mysql: (password: string, database: string) => [
    ...["reader", "nobody"].map((user) => `create or replace user ${user} identified by '${password}'`),
    `grant select on ${database}.items to reader`,
    `grant select on ${database}.other to nobody`,
  ],
};
for (const engine of ["postgres", "mysql"] as const) {
  Deno.test({
    ...named(`${engine}: no permission and a read-only target are told, and change nothing`, engine),
    async fn() {
      const password = `not-to-be-seen-${crypto.randomUUID()}`;
      await using plain = await open("sqlite", SOME);
      await using closed = await open(
        engine,
        "insert into items values (1, 10), (9, 90)",
        "create table other (id int)",
      );
      await closed.run(...USERS[engine](password, closed.spec.database));
      const before = await dump(closed, "items", COLUMNS);
      const writers = engine === "postgres" ? ["reader", "nobody", "frozen"] : ["reader", "nobody"];
      for (const user of writers) {
        for (const useTransactions of [true, false]) {
          const pair: [typeof plain, { connectionString: string }] = [plain, as(user, password, closed)];
          const answer = await postDatabases(server(), pair as never, { ...items, useTransactions });
          // MySQL and MariaDB hide tables from those who have no rights on them.
          const isHidden = engine === "mysql" && user === "nobody";
          const { details } = assertError(answer, isHidden ? 404 : 500, isHidden ? "NOT_FOUND" : "DATABASE_ERROR");
          assert.match(details, isHidden ? /target has no table/ : /^target: .*(permission|read-only|denied)/);
          assert.ok(!answer.text.includes(password));
          assert.deepEqual(await dump(closed, "items", COLUMNS), before, `${user} has written`);
        }
      }
      const unread = await postDatabases(server(), [as("nobody", password, closed), plain], items);
      assert.ok([404, 500].includes(unread.status), unread.text);
      const read = await syncDatabases(server(), [as("reader", password, closed), plain], items);
      assert.deepEqual([read.success, await dump(plain, "items", COLUMNS)], [true, before]);
      const log = await server().stderr();
      assert.ok(!log.includes(password), "the password is in the log");
    },
  });
}

Deno.test("sqlite: a file that may not be written, or not be read, and a directory that takes no journal", async () => {
  await withoutRootsPowers(async (server) => {
    await using source = await engines.open("sqlite", server);
    await using target = await engines.open("sqlite", server);
    await source.run(TABLE, SOME);
    await target.run(TABLE, "insert into items values (9, 90)", "pragma journal_mode = delete");
    const before = await dump(target, "items", COLUMNS);
    const path = target.spec.database;
    const refused = async (pair: [TestDatabase, TestDatabase], words: RegExp) => {
      for (const useTransactions of [true, false]) {
        const answer = await postDatabases(server, pair, { ...items, useTransactions });
        assert.match(assertError(answer, 500, "DATABASE_ERROR").details, words);
      }
    };
    await Deno.chmod(path, 0o444);
    await refused([source, target], /^target: .*cannot be written/);
    await Deno.chmod(path, 0o644);
    await Deno.chmod(server.root, 0o555);
    // A file in the mode WAL wants a directory that can be written, to be read as well.
    await refused([source, target], /^(source|target): .*cannot be written/);
    await Deno.chmod(server.root, 0o755);
    await Deno.chmod(path, 0o000);
    await refused([source, target], /^target: .*(permission|cannot be reached|open)/i);
    await refused([target, source], /^source: .*(permission|cannot be reached|open)/i);
    await Deno.chmod(path, 0o644);
    assert.deepEqual(await dump(target, "items", COLUMNS), before);
    await syncDatabases(server, [source, target], items);
    assert.deepEqual(await dump(target, "items", COLUMNS), await dump(source, "items", COLUMNS));
  });
});

Deno.test("a data directory that cannot be written is told, and changes nothing", async () => {
  await withoutRootsPowers(async (server) => {
    await using source = await engines.open("sqlite", server);
    await using target = await engines.open("sqlite", server);
    await source.run(TABLE, SOME);
    await target.run(TABLE, "insert into items values (1, 90)");
    const before = await dump(target, "items", COLUMNS);
    for (const directory of ["baselines", "tmp"]) {
      await Deno.chmod(`${server.dataDir}/${directory}`, 0o555);
      const answer = await postDatabases(server, [source, target], items);
      assert.match(assertError(answer, 500, "DATABASE_ERROR").details, /data directory/);
      assert.deepEqual(await dump(target, "items", COLUMNS), before);
      await Deno.chmod(`${server.dataDir}/${directory}`, 0o755);
    }
    await syncDatabases(server, [source, target], items);
    assert.deepEqual(await dump(target, "items", COLUMNS), await dump(source, "items", COLUMNS));
  });
});

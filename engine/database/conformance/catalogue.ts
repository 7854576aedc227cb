import assert from "node:assert/strict";
import { contents, people, peopled, refuses, side, type Test, transaction } from "./provided.ts";

/** Finding tables, what is known of them, and making them. */
export function testCatalogue(test: Test): void {
  test("a table is found by its name, exactly first, then ignoring case", async ({ database, connection, q }) => {
    await database.run(`create table ${q("MiXed")} (id integer not null primary key)`);
    assert.equal((await connection.find("MiXed")).name, "MiXed");
    assert.equal((await connection.find("mixed")).name, "MiXed");
    const { id } = await connection.find("MIXED");
    assert.equal((await connection.find(id)).name, "MiXed");
    await refuses("missing", connection.find("mixe"));
    await refuses("missing", connection.find("mi%"));
    await refuses("missing", connection.find("no.such.table"));
    await refuses("missing", connection.find(""));
  });

  test("columns are described with their kind, and the key in its order", async ({ database, connection, q }) => {
    await database.run(
      `create table ${q("t")} (${q("second")} bigint not null, ${q("first")} varchar(20) not null, plain integer, ` +
        `given integer not null default 5, primary key (${q("first")}, ${q("second")}))`,
    );
    const table = await connection.find("t");
    assert.equal(table.kind, "table");
    assert.deepEqual(table.key, ["first", "second"]);
    assert.deepEqual(table.columns.map(({ name, nullable, hasDefault }) => [name, nullable, hasDefault]), [
      ["second", false, false],
      ["first", false, false],
      ["plain", true, false],
      ["given", false, true],
    ]);
    assert.equal(table.columns[0].logical.kind, "integer");
    assert.deepEqual(table.columns[1].logical, { kind: "text", length: 20, fixed: false });
    assert(table.columns.every((column) => !column.generated && !column.identity));
    assert.equal(table.triggers, false);
  });

  test("a unique key over columns that are not null stands in for a primary key", async (provided) => {
    const { database, connection } = provided;
    await database.run("create table a (n integer, code varchar(20) not null unique)");
    assert.deepEqual((await connection.find("a")).key, ["code"]);
    await database.run("create table b (n integer unique, code varchar(20))");
    const b = await connection.find("b");
    assert.deepEqual(b.key, []);
    assert.deepEqual(b.unique, [["n"]]);
    await database.run(
      "create table c (id integer not null primary key, x integer not null, y integer, unique (y, x))",
    );
    const c = await connection.find("c");
    assert.deepEqual([c.key, c.unique], [["id"], [["y", "x"]]]);
  });

  test("identity and generated columns are told", async ({ database, connection, options }) => {
    await database.run(`create table t (id ${options.identity}, n integer, computed ${options.generated})`);
    const [id, n, computed] = (await connection.find("t")).columns;
    assert.deepEqual([id.identity, n.identity, computed.identity], [true, false, false]);
    assert.deepEqual([id.generated, n.generated, computed.generated], [false, false, true]);
  });

  test("foreign keys name both sides' columns", async ({ database, connection }) => {
    await database.run("create table parent (a integer not null, b integer not null, primary key (a, b))");
    await database.run(
      "create table child (id integer not null primary key, pb integer, pa integer, " +
        "constraint to_parent foreign key (pa, pb) references parent (a, b) on delete cascade)",
    );
    const parent = await connection.find("parent");
    const [key, ...others] = (await connection.find("child")).foreignKeys;
    assert.equal(others.length, 0);
    assert.deepEqual([key.columns, key.referenced, key.table, key.onDelete], [
      ["pa", "pb"],
      ["a", "b"],
      parent.id,
      "cascade",
    ]);
  });

  test("a view can be read and not written", async (provided) => {
    const { database, connection } = provided;
    await peopled(provided, 10);
    await database.run("create view young as select id, name from people where id < 5");
    const view = await side(connection, "young");
    assert.equal(view.table.kind, "view");
    assert.equal((await contents(connection, view)).length, 5);
    await refuses("read-only", transaction(connection, (writer) => writer.insert(view, [["7", "seven"]])));
  });

  test("odd identifiers work everywhere", async (provided) => {
    const { database, connection, q, options } = provided;
    const names = [
      'a"; drop table b',
      "back`tick",
      "100%",
      "per%cent %s",
      "q?1",
      "ünï😀",
      "it's",
      "back\\slash",
      " x ",
      "$1",
      "select",
    ]
      .filter((name) => !options.impossibleNames?.test(name));
    await database.run("create table b (id integer not null primary key)");
    for (const name of names) {
      const definitions = names.map((column) => `${q(column)} varchar(40)`).join(", ");
      await database.run(`create table ${q(name)} (${q(`id ${name}`)} integer not null primary key, ${definitions})`);
      const odd = await side(connection, name);
      assert.equal(odd.table.name, name);
      assert.deepEqual(odd.columns.map((column) => column.name), [`id ${name}`, ...names]);
      const row = (id: number, value: string) => [String(id), ...names.map((column) => `${value} ${column}`)];
      await transaction(connection, async (writer) => {
        assert.deepEqual(await writer.insert(odd, [row(1, "a"), row(2, "b"), row(3, "c")]), []);
        assert.deepEqual(await writer.insert(odd, [row(4, "d"), row(2, "other")]), [1]);
        const locked = await writer.lock(odd, "client", [["2"], ["3"], ["9"]]);
        assert.deepEqual(locked.map((each) => each?.row), [row(2, "b"), row(3, "c"), undefined]);
        await writer.update(odd, [{ key: ["2"], row: row(2, "new"), changed: [1, names.length] }]);
        await writer.delete(odd, [["3"]]);
        await writer.advanceIdentity(odd);
      });
      const two = row(2, "b");
      for (const at of [1, names.length]) two[at] = `new ${names[at - 1]}`;
      await using snapshot = await connection.snapshot(2);
      assert.deepEqual(await snapshot.rows(odd, [["1"], ["2"], ["3"], ["4"]]), [
        row(1, "a"),
        two,
        undefined,
        row(4, "d"),
      ]);
      assert.deepEqual((await snapshot.checksums(odd, "client", { scheme: "hash", buckets: 1 }))[0].rows, 3);
    }
    assert.equal((await connection.find("b")).name, "b");
  });

  test("a table can be made like another, and holds its rows", async (provided) => {
    const { connection, database } = provided;
    const source = await peopled(provided, 50);
    const { statements } = connection.creation({ ...source.table, name: "copied", id: "copied" });
    await using writer = await connection.writer();
    await writer.begin();
    await writer.create(statements);
    const made = await writer.find("copied");
    assert.deepEqual(made.key, ["id"]);
    assert.deepEqual(
      made.columns.map((column) => [column.name, column.logical, column.nullable]),
      source.table.columns.map((column) => [column.name, column.logical, column.nullable]),
    );
    const target = { ...source, table: made, columns: made.columns };
    await writer.insert(target, people(0, 50));
    await writer.commit();
    assert.deepEqual(await contents(connection, target), await contents(connection, source));
    await database.run("drop table copied");
  });
}

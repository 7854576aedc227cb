import assert from "node:assert/strict";
import { contents, makePeople, people, peopled, refuses, side, sorted, type Test } from "./provided.ts";

const SECRET = "not the password 5f3a";

/** Refusals: what they say, and what still works afterwards. */
export function testErrors(test: Test): void {
  test("a refused row costs its call only, and says where", async ({ connection, database, options }) => {
    await database.run(
      "create table parent (id integer not null primary key)",
    );
    await database.run(
      "create table t (id integer not null primary key, code varchar(10) unique, n integer not null, parent integer, " +
        "constraint positive check (n > 0), constraint to_parent foreign key (parent) references parent (id))",
    );
    const table = await side(connection, "t");
    const good = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, at) => [String(from + at), `c${from + at}`, "1", null]);
    await using writer = await connection.writer();
    await writer.begin();
    await writer.insert(table, good(0, 10));
    await refuses("unique", writer.insert(table, [...good(10, 20), ["99", "c3", "1", null]]), {
      table: table.table.id,
    });
    await refuses("check", writer.insert(table, [...good(10, 20), ["20", "c20", "-1", null]]), {
      constraint: "positive",
    });
    await refuses("not-null", writer.insert(table, [...good(10, 20), ["20", "c20", null, null]]), { column: "n" });
    const { deferrable } = table.table.foreignKeys[0];
    if (!deferrable) await refuses("foreign-key", writer.insert(table, [...good(10, 20), ["20", "c20", "1", "7"]]));
    if (!options.unboundedTypes) {
      await refuses("value", writer.insert(table, [...good(10, 20), ["20", "too long for it", "1", null]]));
      await refuses("value", writer.insert(table, [...good(10, 20), ["20", "c20", "99999999999", null]]));
    }
    await writer.lock(table, "client", [["1"], ["2"]]);
    const update = (row: (string | null)[], changed: number[]) =>
      writer.update(table, [{ key: [row[0]], row, changed }]);
    await refuses("unique", update(["1", "c5", "1", null], [1]));
    await refuses("check", update(["1", "c1", "-5", null], [2]));
    await refuses("not-null", update(["1", "c1", null, null], [2]));
    if (!options.unboundedTypes) await refuses("value", update(["1", "c1", "99999999999", null], [2]));
    if (!deferrable) await refuses("foreign-key", update(["1", "c1", "1", "9"], [3]));
    await writer.insert(table, good(10, 12));
    await writer.commit();
    assert.deepEqual(await contents(connection, table), sorted(good(0, 12)));
  });

  test("a row that others refer to is not deleted", async ({ connection, database }) => {
    await database.run("create table parent (id integer not null primary key)");
    await database.run(
      "create table child (id integer not null primary key, parent integer, " +
        "constraint to_parent foreign key (parent) references parent (id))",
    );
    await database.run("insert into parent values (1)");
    await database.run("insert into parent values (2)");
    await database.run("insert into child values (1, 1)");
    const parent = await side(connection, "parent");
    await using writer = await connection.writer();
    await writer.begin();
    await writer.lock(parent, "client", [["1"], ["2"]]);
    if ((await connection.find("child")).foreignKeys[0].deferrable) {
      await writer.delete(parent, [["1"], ["2"]]);
      await refuses("foreign-key", writer.commit(), { table: "child" });
      return;
    }
    await refuses("foreign-key", writer.delete(parent, [["1"], ["2"]]));
    await writer.delete(parent, [["2"]]);
    await writer.commit();
    assert.deepEqual(await contents(connection, parent), [["1"]]);
  });

  test("a table that has gone is missing", async (provided) => {
    const table = await peopled(provided, 10);
    await provided.database.run("drop table people");
    await using snapshot = await provided.connection.snapshot(1);
    await refuses("missing", snapshot.count(table));
    await refuses("missing", Array.fromAsync(snapshot.all(table, 10)));
    await makePeople(provided, "other");
    assert.equal(await (await provided.connection.snapshot(1)).count(await side(provided.connection, "other")), 0);
  });

  test("a database that is not there is missing, a server that is not there cannot be reached", async (provided) => {
    const { options, database } = provided;
    const { signal } = new AbortController();
    await refuses("missing", options.dialect.connect({ ...database.spec, database: "/no/such_database" }, signal));
    if (database.spec.port === undefined) return;
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    await refuses("connection", options.dialect.connect({ ...database.spec, host: "127.0.0.1", port }, signal));
  });

  test("a server that says nothing is given up", async ({ options, database }) => {
    if (database.spec.port === undefined) return;
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = listener.accept();
    const spec = { ...database.spec, host: "127.0.0.1", port: listener.addr.port, connectTimeoutMs: 300 };
    await refuses("connection", options.dialect.connect(spec, new AbortController().signal));
    (await accepted).close();
  });

  test("a wrong password is refused and not repeated", async ({ options, database }) => {
    if (!options.authenticates) return;
    for (const change of [{ password: SECRET }, { user: "nobody_known", password: SECRET }, { password: undefined }]) {
      const connecting = options.dialect.connect({ ...database.spec, ...change }, new AbortController().signal);
      await refuses("authentication", connecting);
      const error = await connecting.catch((error) => error);
      assert(!Deno.inspect(error, { showHidden: true, depth: 10 }).includes(SECRET), "the password is in the error");
      assert(!`${error.stack}`.includes(SECRET));
    }
  });

  test("an abort stops what runs, with its reason", async (provided) => {
    const { options, database } = provided;
    const table = await peopled(provided, 20_000);
    const reason = new Error("no more");
    await assert.rejects(
      options.dialect.connect(database.spec, AbortSignal.abort(reason)),
      (error) => error === reason,
    );
    const controller = new AbortController();
    await using connection = await options.dialect.connect(database.spec, controller.signal);
    await using snapshot = await connection.snapshot(2);
    await using writer = await connection.writer();
    await writer.begin();
    await writer.insert(table, people(20_000, 20_010));
    const reading = async () => {
      for await (const _rows of snapshot.all(table, 10)) controller.abort(reason);
    };
    await assert.rejects(reading(), (error) => error === reason);
    await assert.rejects(snapshot.count(table), (error) => error === reason);
    await assert.rejects(writer.insert(table, people(20_010, 20_020)), (error) => error === reason);
    await assert.rejects(writer.commit(), (error) => error === reason);
    await writer[Symbol.asyncDispose]();
    assert.equal((await contents(provided.connection, table)).length, 20_000);
  });
}

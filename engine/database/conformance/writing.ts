import assert from "node:assert/strict";
import type { RowUpdate } from "../dialect.ts";
import type { Row } from "../types.ts";
import { contents, makePeople, people, peopled, refuses, side, sorted, type Test, transaction } from "./provided.ts";

const changedName = (row: Row, name: string): Row => row.map((value, at) => at === 1 ? name : value);

/** Transactions, locks and everything that writes. */
export function testWriting(test: Test): void {
  test("100,000 rows are inserted, updated and deleted", async (provided) => {
    const { connection } = provided;
    const count = 100_000;
    await makePeople(provided);
    const table = await side(connection, "people");
    const rows = people(0, count);
    assert.deepEqual(await transaction(connection, (writer) => writer.insert(table, rows)), []);
    await using before = await connection.snapshot(1);
    assert.equal(await before.count(table), count);

    const updates: RowUpdate[] = rows.map((row, at) => {
      const next: Row = [row[0], at % 2 === 0 ? `new ${at}` : row[1], at % 2 === 0 ? row[2] : null, String(at)];
      return { key: [row[0]], row: next, changed: at % 2 === 0 ? [1, 3] : [2, 3] };
    });
    await transaction(connection, async (writer) => {
      for (let from = 0; from < count; from += 20_000) {
        const part = updates.slice(from, from + 20_000);
        await writer.lock(table, "client", part.map(({ key }) => key));
        await writer.update(table, part);
      }
    });
    assert.deepEqual(await contents(connection, table), sorted(updates.map(({ row }) => row)));

    const gone = rows.filter((_, at) => at % 10 !== 0).map(([id]) => [id]);
    await transaction(connection, async (writer) => {
      for (let from = 0; from < gone.length; from += 20_000) {
        await writer.delete(table, gone.slice(from, from + 20_000));
      }
    });
    await using after = await connection.snapshot(1);
    assert.equal(await after.count(table), count / 10);
  });

  test("what was not committed is not there", async (provided) => {
    const { connection } = provided;
    const table = await peopled(provided, 10);
    {
      await using writer = await connection.writer();
      await writer.begin();
      await writer.insert(table, people(10, 20));
      await writer.delete(table, [["1"]]);
      await writer.rollback();
      await writer.begin();
      await writer.insert(table, people(20, 30));
    }
    assert.deepEqual(await contents(connection, table), sorted(people(0, 10)));
    await using writer = await connection.writer();
    await writer.begin();
    await writer.insert(table, people(10, 11));
    await writer.commit();
    await writer.begin();
    await writer.insert(table, people(11, 12));
    await writer.commit();
    assert.deepEqual(await contents(connection, table), sorted(people(0, 12)));
  });

  test("an insert tells which rows were there, and leaves these as they are", async (provided) => {
    const { connection } = provided;
    const table = await peopled(provided, 1000);
    const rows = people(900, 1100).map((row) => changedName(row, "other"));
    const there = await transaction(connection, (writer) => writer.insert(table, rows));
    assert.deepEqual(there.toSorted((a, b) => a - b), Array.from({ length: 100 }, (_, at) => at));
    const expected = [...people(0, 1000), ...people(1000, 1100).map((row) => changedName(row, "other"))];
    assert.deepEqual(await contents(connection, table), sorted(expected));
    assert.deepEqual(await transaction(connection, (writer) => writer.insert(table, [])), []);
  });

  test("an update writes the changed columns only", async (provided) => {
    const { connection } = provided;
    const table = await peopled(provided, 100);
    const wrong = (row: Row): Row => [row[0], "not to be written", "not to be written", "77"];
    const updates = people(10, 40).map((row, at) => ({
      key: [row[0]],
      row: wrong(row),
      changed: [[3], [1, 2], [2]][at % 3],
    }));
    await transaction(connection, async (writer) => {
      await writer.lock(table, "client", updates.map(({ key }) => key));
      await writer.update(table, updates);
      await writer.update(table, []);
      await writer.delete(table, []);
    });
    const expected = people(0, 100).map((row) => {
      const update = updates.find(({ key }) => key[0] === row[0]);
      return row.map((value, at) => update?.changed.includes(at) ? update.row[at] : value);
    });
    assert.deepEqual(await contents(connection, table), sorted(expected));
  });

  test("unique values can be swapped", async ({ connection, database }) => {
    await database.run("create table t (id integer not null primary key, code varchar(20) unique, other integer)");
    const table = await side(connection, "t");
    await transaction(
      connection,
      (writer) => writer.insert(table, [["1", "a", "1"], ["2", "b", "2"], ["3", "c", "3"]]),
    );
    const next = [["1", "b", "1"], ["2", "c", "5"], ["3", "a", "3"]];
    await transaction(connection, async (writer) => {
      await writer.lock(table, "client", [["1"], ["2"], ["3"]]);
      await writer.update(table, next.map((row) => ({ key: [row[0]], row, changed: row[0] === "2" ? [1, 2] : [1] })));
    });
    assert.deepEqual(await contents(connection, table), next);
  });

  test("locked rows are read as they are, with their hash by the method asked for", async (provided) => {
    const { connection, options } = provided;
    const table = await peopled(provided, 300);
    const keys = [["5"], ["1000"], ["299"], ["0"], ["7"]];
    for (const method of ["client" as const, ...options.methods]) {
      await using snapshot = await connection.snapshot(1);
      const hashed = (await Array.fromAsync(snapshot.hashes(table, method, { scheme: "hash", buckets: 1 }, undefined)))
        .flat();
      const hashes = new Map(hashed.map(({ key, hash }) => [key[0], hash]));
      await transaction(connection, async (writer) => {
        const locked = await writer.lock(table, method, keys);
        assert.deepEqual(
          locked,
          keys.map(([id]) =>
            Number(id) < 300 ? { row: people(Number(id), Number(id) + 1)[0], hash: hashes.get(id) } : undefined
          ),
          method,
        );
        assert.deepEqual(await writer.lock(table, method, []), []);
      });
    }
  });

  test("a row that another has locked is waited for, and then read as it has become", async (provided) => {
    const { connection, options } = provided;
    if (!options.locksRows) return;
    const table = await peopled(provided, 10);
    await using first = await connection.writer();
    await using second = await connection.writer();
    await first.begin();
    await first.lock(table, "client", [["3"]]);
    await second.begin();
    const waiting = second.lock(table, "client", [["3"], ["4"]]);
    const [row] = people(3, 4);
    await first.update(table, [{ key: ["3"], row: changedName(row, "first"), changed: [1] }]);
    await first.commit();
    assert.equal((await waiting)[0]?.row[1], "first");
    await second.rollback();
  });

  test("equal rows of a table without a key are deleted as often as asked", async ({ connection, database }) => {
    await database.run("create table bag (a varchar(20), b integer)");
    const bag = await side(connection, "bag");
    const x: Row = ["x", "1"];
    const n: Row = ["x", null];
    await transaction(connection, (writer) => writer.insert(bag, [x, x, x, n, n, ["y", "1"], ["X", "1"], ["x ", "1"]]));
    const deleted = await transaction(
      connection,
      (writer) =>
        writer.deleteEqual(bag, [{ row: x, count: 2 }, { row: n, count: 5 }, { row: ["none", "1"], count: 1 }]),
    );
    assert.equal(deleted, 4);
    assert.deepEqual(await contents(connection, bag), sorted([x, ["y", "1"], ["X", "1"], ["x ", "1"]]));
  });

  test("the server goes on numbering after the highest value", async ({ connection, database, options }) => {
    await database.run(`create table t (id ${options.identity}, v varchar(20))`);
    const table = await side(connection, "t");
    await transaction(connection, async (writer) => {
      await writer.insert(table, [["5", "a"], ["41", "b"]]);
      await writer.advanceIdentity(table);
    });
    await database.run("insert into t (v) values ('c')");
    assert.deepEqual((await contents(connection, table)).map(([id]) => id).sort(), ["41", "42", "5"]);
    await transaction(connection, async (writer) => {
      await writer.delete(table, [["42"]]);
      await writer.advanceIdentity(table);
    });
    await database.run("insert into t (v) values ('d')");
    assert.deepEqual((await contents(connection, table)).map(([id]) => id).sort(), ["41", "43", "5"]);
  });

  test("generated columns are left alone", async ({ connection, database, options }) => {
    await database.run(`create table t (id integer not null primary key, n integer, computed ${options.generated})`);
    const table = await side(connection, "t");
    assert.deepEqual(table.columns.map((column) => column.name), ["id", "n"]);
    await transaction(connection, async (writer) => {
      await writer.insert(table, [["1", "5"]]);
      await writer.lock(table, "client", [["1"]]);
      await writer.update(table, [{ key: ["1"], row: ["1", "6"], changed: [1] }]);
    });
    assert.deepEqual(await contents(connection, table), [["1", "6"]]);
  });

  test("foreign keys that can wait are checked at the commit", async ({ connection, database, options }) => {
    await database.run("create table parent (id integer not null primary key)");
    await database.run(
      `create table child (id integer not null primary key, parent integer, ` +
        `constraint to_parent foreign key (parent) references parent (id) ${options.deferredForeignKey})`,
    );
    const [parent, child] = [await side(connection, "parent"), await side(connection, "child")];
    if (!child.table.foreignKeys[0].deferrable) return;
    await transaction(connection, async (writer) => {
      await writer.insert(child, [["1", "7"]]);
      await writer.insert(parent, [["7"]]);
    });
    await using writer = await connection.writer();
    await writer.begin();
    await writer.insert(child, [["2", "8"]]);
    await refuses("foreign-key", writer.commit());
    await writer.rollback();
    assert.deepEqual(await contents(connection, child), [["1", "7"]]);
  });

  test("rows go straight from one database to another", async (provided) => {
    const { options, connection } = provided;
    const { direct } = options.dialect;
    if (direct === undefined) return;
    const source = await peopled(provided, 20_000);
    await using snapshot = await connection.snapshot(1);
    const copied = async (rows: number, filter?: string) => {
      await using other = await options.database();
      await using target = await options.dialect.connect(other.spec, new AbortController().signal);
      await makePeople({ ...provided, database: other });
      const copy = await side(target, "people");
      let progress = 0;
      const from = { snapshot, side: { ...source, filter } };
      const onRows = (more: number) => void (progress += more);
      const copied = await transaction(target, (writer) => direct.copy(from, { writer, side: copy }, onRows));
      // An engine may leave filters to the ordinary way.
      const expected = copied === undefined && filter !== undefined ? 0 : rows;
      assert.deepEqual([copied ?? 0, progress], [expected, expected]);
      assert.deepEqual(await contents(target, copy), sorted(people(0, expected)));
    };
    await copied(20_000);
    await copied(15_000, "id < 15000");
  });
}

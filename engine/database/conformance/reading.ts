import assert from "node:assert/strict";
import type { Row } from "../types.ts";
import { allRows, makePeople, people, peopled, side, sorted, type Test, transaction } from "./provided.ts";

/** Snapshots, counts, boundaries and rows. */
export function testReading(test: Test): void {
  test("a snapshot stays as it was while others write", async (provided) => {
    const { connection } = provided;
    const table = await peopled(provided, 100);
    await using before = await connection.snapshot(3);
    await transaction(connection, async (writer) => {
      await writer.insert(table, people(100, 120));
      const [changed] = people(5, 6);
      changed[1] = "changed";
      await writer.lock(table, "client", [["5"], ["6"]]);
      await writer.update(table, [{ key: ["5"], row: changed, changed: [1] }]);
      await writer.delete(table, [["6"]]);
    });
    const [count, rows, all] = await Promise.all([
      before.count(table),
      before.rows(table, [["5"], ["6"], ["110"]]),
      allRows(before, table),
    ]);
    assert.equal(count, 100);
    assert.deepEqual(rows, [...people(5, 7), undefined]);
    assert.deepEqual(all, sorted(people(0, 100)));
    await using after = await connection.snapshot(1);
    assert.equal(await after.count(table), 119);
    assert.deepEqual((await after.rows(table, [["6"], ["5"], ["110"]])).map((row) => row?.[1]), [
      undefined,
      "changed",
      "name 110",
    ]);
  });

  test("more queries at once than a snapshot has connections wait for each other", async (provided) => {
    const table = await peopled(provided, 2000);
    await using snapshot = await provided.connection.snapshot(2);
    const counts = await Promise.all(
      Array.from(
        { length: 20 },
        async (_, at) => at % 2 === 0 ? await snapshot.count(table) : (await allRows(snapshot, table)).length,
      ),
    );
    assert.deepEqual(new Set(counts), new Set([2000]));
  });

  test("a reader that stops early leaves the snapshot usable", async (provided) => {
    const table = await peopled(provided, 30_000);
    await using snapshot = await provided.connection.snapshot(1);
    for (let turn = 0; turn < 3; turn++) {
      for await (const rows of snapshot.all(table, 100)) {
        assert(rows.length > 0);
        break;
      }
      for await (const hashed of snapshot.hashes(table, "client", { scheme: "hash", buckets: 4 }, undefined)) {
        assert(hashed.length > 0);
        break;
      }
      assert.equal(await snapshot.count(table), 30_000);
    }
  });

  test("rows come in the order of their keys, undefined where there is none", async (provided) => {
    const table = await peopled(provided, 3000);
    await using snapshot = await provided.connection.snapshot(1);
    const ids = Array.from({ length: 3000 }, (_, at) => at * 7919 % 4000);
    const rows = await snapshot.rows(table, ids.map((id) => [String(id)]));
    assert.deepEqual(rows, ids.map((id) => id < 3000 ? people(id, id + 1)[0] : undefined));
    assert.deepEqual(await snapshot.rows(table, []), []);
  });

  test("all rows come in batches, some columns where a side has only these", async (provided) => {
    await peopled(provided, 2500);
    const table = await side(provided.connection, "people", ["note", "id"]);
    await using snapshot = await provided.connection.snapshot(1);
    const batches = await Array.fromAsync(snapshot.all(table, 100));
    assert(batches.length >= 10 && batches.every((batch) => batch.length <= 1000), `${batches.length} batches`);
    assert.deepEqual(sorted(batches.flat()), sorted(people(0, 2500).map(([id, , note]) => [id, note])));
  });

  test("an empty table has no rows, checksums or boundaries", async (provided) => {
    await makePeople(provided);
    const table = await side(provided.connection, "people");
    await using snapshot = await provided.connection.snapshot(1);
    assert.equal(await snapshot.count(table), 0);
    assert.deepEqual(await snapshot.boundaries(table, 100), []);
    assert.deepEqual(await snapshot.checksums(table, "client", { scheme: "range", boundaries: [] }), []);
    assert.deepEqual((await Array.fromAsync(snapshot.all(table, 10))).flat(), []);
    assert.deepEqual(await snapshot.rows(table, [["1"]]), [undefined]);
  });

  test("a filter holds for everything", async (provided) => {
    const whole = await peopled(provided, 1000);
    const table = { ...whole, filter: "n > 0 or note is null" };
    const kept = people(0, 1000).filter(([, , note, n]) => note === null || Number(n) > 0);
    await using snapshot = await provided.connection.snapshot(1);
    assert.equal(await snapshot.count(table), kept.length);
    assert.deepEqual(await allRows(snapshot, table), sorted(kept));
    const [checksum] = await snapshot.checksums(table, "client", { scheme: "range", boundaries: [] });
    assert.equal(checksum.rows, kept.length);
    const hashed = (await Array.fromAsync(
      snapshot.hashes(table, "client", { scheme: "range", boundaries: ["500"] }, [1]),
    )).flat();
    assert.deepEqual(
      hashed.map(({ key }) => Number(key[0])).sort((a, b) => a - b),
      kept.map(([id]) => Number(id)).filter((id) => id >= 500),
    );
    const ids = Array.from({ length: 20 }, (_, at) => [String(at)]);
    const rows = await snapshot.rows(table, ids);
    assert.deepEqual(rows, ids.map(([id]) => kept.find((row) => row[0] === id)));
  });

  test("boundaries cut a table into even segments", async (provided) => {
    const table = await peopled(provided, 30_000);
    await using snapshot = await provided.connection.snapshot(1);
    for (const rowsPerSegment of [100, 1000, 40_000]) {
      const numbers = (await snapshot.boundaries(table, rowsPerSegment)).map(BigInt);
      const wanted = 30_000 / rowsPerSegment;
      assert(
        numbers.length >= Math.floor(wanted / 2) && numbers.length <= wanted * 2,
        `${numbers.length} of ${wanted}`,
      );
      assert(numbers.every((number, at) => at === 0 || number > numbers[at - 1]), "ascending");
      const checksums = await snapshot.checksums(table, "client", { scheme: "range", boundaries: numbers.map(String) });
      assert.equal(checksums.reduce((sum, { rows }) => sum + rows, 0), 30_000);
      assert(checksums.every(({ rows }) => rows <= rowsPerSegment * 8), "no segment is huge");
    }
  });

  test("rows of a table without a key are found by their hash", async ({ database, connection, options }) => {
    await database.run("create table bag (a varchar(20), b integer)");
    const bag = await side(connection, "bag");
    const rows: Row[] = [["x", "1"], ["x", "1"], ["y", null], [null, "1"], ["", "2"]];
    await transaction(connection, (writer) => writer.insert(bag, rows));
    await using snapshot = await connection.snapshot(1);
    for (const method of ["client" as const, ...options.methods]) {
      const hashed = (await Array.fromAsync(snapshot.hashes(bag, method, { scheme: "row", buckets: 8 }, undefined)))
        .flat();
      assert.equal(hashed.length, 5);
      assert(hashed.every(({ key }) => key.length === 0));
      const hashes = [...new Set(hashed.map(({ hash }) => hash))];
      assert.equal(hashes.length, 4);
      const found = await snapshot.rowsByHash(bag, method, [...hashes, 12345n]);
      assert.equal(found.at(-1), undefined);
      assert.deepEqual(sorted(found.slice(0, -1) as Row[]), sorted(rows.slice(1)));
    }
  });
}

import assert from "node:assert/strict";
import { rowHash } from "../row_text.ts";
import type { Row } from "../types.ts";
import { allRows, refuses, side, sorted, type Test, transaction } from "./provided.ts";

/** Types and their values. */
export function testValues(test: Test): void {
  test("values are read in canonical text, and come back as they were written", async ({ connection, database, options }) => {
    for (const [at, { type, form, values }] of options.types.entries()) {
      const rows: Row[] = [...values.map(([, text], n) => [String(n), text]), [String(values.length), null]];
      for (const name of [`given${at}`, `written${at}`]) {
        await database.run(`create table ${name} (id integer not null primary key, v ${type} null)`);
      }
      for (const [n, [literal]] of values.entries()) {
        await database.run(`insert into given${at} values (${n}, ${literal})`);
      }
      await database.run(`insert into given${at} values (${values.length}, null)`);
      const given = await side(connection, `given${at}`);
      const written = await side(connection, `written${at}`);
      assert.equal(given.forms[1], form, `form of ${type}`);
      await transaction(connection, async (writer) => {
        assert.deepEqual(await writer.insert(written, rows), []);
        // By the other way in, over rows that are there.
        const again = rows.map(([id, text]) => [String(Number(id) + 1000), text]);
        await writer.insert(written, again);
        assert.deepEqual((await writer.insert(written, [...rows, ...again])).length, 2 * rows.length);
        const updated = rows.map(([id], n) => [id, rows[(n + 1) % rows.length][1]]);
        const keys = rows.map(([id]) => [id]);
        assert.deepEqual((await writer.lock(written, "client", keys)).map((each) => each?.row), rows, type);
        await writer.update(written, updated.map((row) => ({ key: [row[0]], row, changed: [1] })));
        assert.deepEqual((await writer.lock(written, "client", keys)).map((each) => each?.row), updated, type);
        await writer.update(written, rows.map((row) => ({ key: [row[0]], row, changed: [1] })));
        await writer.delete(written, again.map(([id]) => [id]));
      });

      await using snapshot = await connection.snapshot(1);
      assert.deepEqual(await allRows(snapshot, given), sorted(rows), type);
      assert.deepEqual(await allRows(snapshot, written), sorted(rows), type);
      assert.deepEqual(await snapshot.rows(given, rows.map(([id]) => [id])), rows, type);
      const renders = given.columns.every((column, n) => connection.rendersInSql(column, given.forms[n]));
      // What is stored may be spelled in other ways than what is written.
      const comparable = options.methods.filter((method) => method !== "stored" && (method !== "md5" || renders));
      const methods = ["client" as const, ...comparable];
      for (const method of methods) {
        const hashed: Map<string | null, bigint>[] = [];
        for (const table of [given, written]) {
          const batches = await Array.fromAsync(
            snapshot.hashes(table, method, { scheme: "hash", buckets: 1 }, undefined),
          );
          hashed.push(new Map(batches.flat().map(({ key, hash }) => [key[0], hash])));
        }
        assert.deepEqual(hashed[0], hashed[1], `${method} of ${type}`);
        if (method === "record" || method === "text64") continue;
        for (const row of rows) {
          assert.equal(hashed[0].get(row[0]), rowHash(given, row), `${method} of ${type} ${row[1]}`);
        }
      }
    }
  });

  test("what a column cannot hold is refused, never changed", async ({ connection, database, options }) => {
    for (const [at, { type, refused = [] }] of options.types.entries()) {
      if (refused.length === 0) continue;
      await database.run(`create table t${at} (id integer not null primary key, v ${type} null)`);
      const table = await side(connection, `t${at}`);
      await using writer = await connection.writer();
      await writer.begin();
      await writer.insert(table, [["0", null]]);
      await writer.lock(table, "client", [["0"]]);
      for (const text of refused) {
        await refuses("value", writer.insert(table, [["1", text]]), { column: "v" }).catch((error) => {
          throw new Error(`${type} took ${text}`, { cause: error });
        });
        await refuses("value", writer.update(table, [{ key: ["0"], row: ["0", text], changed: [1] }]));
      }
      await writer.rollback();
    }
  });

  test("rows of a table without a key with all types are found again by their hash and deleted", async (provided) => {
    const { connection, database, options } = provided;
    for (const [at, { type, values }] of options.types.entries()) {
      await database.run(`create table bag${at} (v ${type} null)`);
      const bag = await side(connection, `bag${at}`);
      const rows: Row[] = [...new Set(values.map(([, text]) => text))].map((text) => [text]);
      await transaction(connection, (writer) => writer.insert(bag, [...rows, [null], ...rows]));
      const renders = bag.columns.every((column, n) => connection.rendersInSql(column, bag.forms[n]));
      await using snapshot = await connection.snapshot(1);
      for (const method of ["client" as const, ...options.methods.filter((method) => method !== "md5" || renders)]) {
        const hashed = (await Array.fromAsync(snapshot.hashes(bag, method, { scheme: "row", buckets: 2 }, undefined)))
          .flat();
        const hashes = [...new Set(hashed.map(({ hash }) => hash))];
        assert.equal(hashes.length, rows.length + 1, `${method} of ${type}`);
        assert.deepEqual(
          sorted(await snapshot.rowsByHash(bag, method, hashes) as Row[]),
          sorted([...rows, [null]]),
          `${method} of ${type}`,
        );
      }
      await transaction(connection, async (writer) => {
        assert.equal(await writer.deleteEqual(bag, rows.map((row) => ({ row, count: 1 }))), rows.length, type);
      });
      await using after = await connection.snapshot(1);
      assert.deepEqual(await allRows(after, bag), sorted([...rows, [null]]), type);
    }
  });

  test("rows are found by keys of every type", async ({ connection, database, options }) => {
    for (const [at, { type, values, key = false }] of options.types.entries()) {
      if (!key) continue;
      await database.run(`create table keyed${at} (v integer, k ${type} not null, primary key (k))`);
      const table = await side(connection, `keyed${at}`);
      const rows: Row[] = [...new Set(values.map(([, text]) => text))].map((text, n) => [String(n), text]);
      const keys = rows.map((row) => [row[1]]);
      await transaction(connection, async (writer) => {
        assert.deepEqual(await writer.insert(table, rows), [], type);
        assert.deepEqual((await writer.insert(table, rows)).toSorted((a, b) => a - b), rows.map((_, n) => n), type);
        assert.deepEqual((await writer.lock(table, "client", keys)).map((each) => each?.row), rows, type);
        await writer.update(table, rows.map((row) => ({ key: [row[1]], row: ["-1", row[1]], changed: [0] })));
      });
      await using snapshot = await connection.snapshot(1);
      const expected = rows.map((row) => ["-1", row[1]]);
      assert.deepEqual(await snapshot.rows(table, keys), expected, type);
      for (const method of ["client" as const, ...options.methods]) {
        if (method === "md5" && !table.columns.every((column, n) => connection.rendersInSql(column, table.forms[n]))) {
          continue;
        }
        const bucketing = { scheme: "hash", buckets: 4 } as const;
        const hashed = (await Array.fromAsync(snapshot.hashes(table, method, bucketing, undefined))).flat();
        assert.deepEqual(sorted(hashed.map((each) => each.key)), sorted(keys), `${method} of ${type}`);
      }
      const form = table.forms[1];
      if (form === "integer" || form === "uuid" || form === "date" || form === "timestamp") {
        const boundaries = await snapshot.boundaries(table, 2);
        const bucketing = { scheme: "range", boundaries } as const;
        const hashed = (await Array.fromAsync(snapshot.hashes(table, "client", bucketing, undefined))).flat();
        for (const boundary of boundaries) {
          const bucket = boundaries.indexOf(boundary) + 1;
          assert.equal(
            hashed.find((each) => each.key[0] === boundary)?.bucket ?? bucket,
            bucket,
            `${type} ${boundary}`,
          );
        }
        for (const { bucket } of hashed) {
          const part = (await Array.fromAsync(snapshot.hashes(table, "client", bucketing, [bucket]))).flat();
          assert.deepEqual(
            new Set(part.map((each) => each.key[0])),
            new Set(hashed.filter((each) => each.bucket === bucket).map((each) => each.key[0])),
          );
        }
      }
      await transaction(connection, async (writer) => {
        await writer.lock(table, "client", keys);
        await writer.delete(table, keys);
      });
      await using empty = await connection.snapshot(1);
      assert.equal(await empty.count(table), 0, type);
    }
  });
}

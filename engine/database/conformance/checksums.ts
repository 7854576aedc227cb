import assert from "node:assert/strict";
import { hashBucket, keyBucket, rowHash } from "../row_text.ts";
import type { Bucketing, Checksum, HashedRow, HashMethod, Row, TableSide } from "../types.ts";
import type { Snapshot } from "../dialect.ts";
import { makePeople, people, peopled, type Provided, side, type Test, transaction } from "./provided.ts";

const byBucket = (a: Checksum, b: Checksum): number => a.bucket - b.bucket;

function sums(hashed: HashedRow[]): Checksum[] {
  const buckets = new Map<number, Checksum>();
  for (const { bucket, hash } of hashed) {
    const checksum = buckets.get(bucket) ?? { bucket, rows: 0, sum: 0n };
    buckets.set(bucket, { bucket, rows: checksum.rows + 1, sum: BigInt.asUintN(64, checksum.sum + hash) });
  }
  return [...buckets.values()].sort(byBucket);
}

async function hashesOf(
  snapshot: Snapshot,
  of: TableSide,
  method: HashMethod,
  bucketing: Bucketing,
  buckets?: number[],
): Promise<HashedRow[]> {
  return (await Array.fromAsync(snapshot.hashes(of, method, bucketing, buckets))).flat();
}

/** The sum over a whole table. */
async function total(snapshot: Snapshot, of: TableSide, method: HashMethod): Promise<bigint> {
  const checksums = await snapshot.checksums(
    of,
    method,
    of.key.length > 0 ? { scheme: "hash", buckets: 1 } : { scheme: "row", buckets: 1 },
  );
  return checksums[0].sum;
}

/** Checksums and hashes, by every method and scheme. */
export function testChecksums(test: Test): void {
  test("checksums are the sums of the hashes, by every method and scheme", async (provided) => {
    const { options, connection } = provided;
    const table = await peopled(provided, 3000);
    const boundaries = ["-5", "0", "1", "100", "1000", "1001", "2999", "5000"];
    const schemes: Bucketing[] = [
      { scheme: "range", boundaries },
      { scheme: "range", boundaries: [] },
      { scheme: "hash", buckets: 1 },
      { scheme: "hash", buckets: 64 },
    ];
    await using snapshot = await connection.snapshot(2);
    for (const method of ["client" as const, ...options.methods]) {
      for (const bucketing of schemes) {
        const hashed = await hashesOf(snapshot, table, method, bucketing);
        assert.equal(new Set(hashed.map(({ key }) => key[0])).size, 3000);
        assert(hashed.every(({ hash }) => hash >= 0n && hash < 2n ** 64n));
        const checksums = (await snapshot.checksums(table, method, bucketing)).toSorted(byBucket);
        assert.deepEqual(checksums, sums(hashed), `${method} ${bucketing.scheme}`);
        if (bucketing.scheme === "range") {
          for (const { key, bucket } of hashed) {
            assert.equal(bucket, bucketing.boundaries.filter((boundary) => Number(boundary) <= Number(key[0])).length);
          }
        }
        const some = checksums.filter((_, at) => at % 2 === 0).map(({ bucket }) => bucket);
        const part = await hashesOf(snapshot, table, method, bucketing, [...some, 63]);
        const wanted = new Set([...some, 63]);
        assert.deepEqual(
          sums(part),
          sums(hashed.filter(({ bucket }) => wanted.has(bucket))),
          `${method} ${bucketing.scheme}`,
        );
        assert.deepEqual(await hashesOf(snapshot, table, method, bucketing, []), []);
      }
    }
  });

  test("md5 and client are the same hash, that of the row's text, and so are their buckets", async (provided) => {
    const { options, connection } = provided;
    const table = await peopled(provided, 500);
    const rows = new Map(people(0, 500).map((row) => [row[0], row]));
    await using snapshot = await connection.snapshot(1);
    for (const method of ["client" as const, ...options.methods.filter((method) => method === "md5")]) {
      for (const { key, hash, bucket } of await hashesOf(snapshot, table, method, { scheme: "hash", buckets: 32 })) {
        assert.equal(hash, rowHash(table, rows.get(key[0]) as Row), `${method} of ${key[0]}`);
        assert.equal(bucket, keyBucket(table, key, 32));
      }
    }
  });

  test("a table without a key is a multiset", async (provided) => {
    const { connection, database, options } = provided;
    await database.run("create table bag (a varchar(20), b varchar(20))");
    const bag = await side(connection, "bag");
    const rows: Row[] = [["x", "1"], ["x", "1"], ["y", null], [null, "y"], ["", ""]];
    await transaction(connection, (writer) => writer.insert(bag, rows));
    await using snapshot = await connection.snapshot(1);
    for (const method of ["client" as const, ...options.methods]) {
      const hashed = await hashesOf(snapshot, bag, method, { scheme: "row", buckets: 16 });
      for (const { hash, bucket } of hashed) assert.equal(bucket, hashBucket(hash, 16));
      const checksums = await snapshot.checksums(bag, method, { scheme: "row", buckets: 16 });
      assert.deepEqual(checksums.toSorted(byBucket), sums(hashed));
      const some = [hashed[0].bucket];
      assert.deepEqual(
        sums(await hashesOf(snapshot, bag, method, { scheme: "row", buckets: 16 }, some)),
        sums(hashed.filter(({ bucket }) => bucket === some[0])),
      );
    }
  });

  test("every difference changes the sum", async (provided) => {
    const { connection, options, database, q } = provided;
    /** Pairs of contents that a careless sum takes for equal. */
    const pairs: [Row[], Row[]][] = [
      [[["1", "a", "x", "1"], ["2", "b", "y", "2"]], [["1", "b", "x", "1"], ["2", "a", "y", "2"]]],
      [[["1", "a", "x", "1"], ["2", "a", "y", "2"]], [["1", "a", "y", "2"], ["2", "a", "x", "1"]]],
      [[["1", "a|b", "c", "1"]], [["1", "a", "b|c", "1"]]],
      [[["1", "a", null, "1"]], [["1", "a", "", "1"]]],
      [[["1", "N", null, "1"]], [["1", "NN", null, "1"]]],
      [[["1", "a", "b", "5"]], [["1", "a", "b", "-5"]]],
      [[["1", "a", "b", null]], [["1", "a", "b", "0"]]],
      [[["1", "1", "2", "1"]], [["1", "2", "1", "1"]]],
      [[["1", "a", "b ", "1"]], [["1", "a", "b", "1"]]],
      [[["1", "a", "B", "1"]], [["1", "a", "b", "1"]]],
      [[["1", "a", "\u00e9", "1"]], [["1", "a", "e\u0301", "1"]]],
      [[["1", "a", "b", "1"]], [["4294967296", "a", "b", "1"]]],
      [[["1", "a", "b", "1"], ["2", "a", "b", "1"]], [["1", "a", "b", "1"], ["3", "a", "b", "1"]]],
    ];
    for (const [at, pair] of pairs.entries()) {
      const tables = [];
      for (const [which, rows] of pair.entries()) {
        const name = `t${at}_${which}`;
        await makePeople(provided, name);
        const table = await side(connection, name);
        await transaction(connection, (writer) => writer.insert(table, rows));
        tables.push(table);
      }
      await using snapshot = await connection.snapshot(1);
      for (const method of ["client" as const, ...options.methods]) {
        const [one, other] = [await total(snapshot, tables[0], method), await total(snapshot, tables[1], method)];
        assert.notEqual(one, other, `${method} of ${JSON.stringify(pair)}`);
      }
    }
    await database.run(`drop table ${q("t0_0")}`);
  });

  for (const keyed of ["composite", "text"]) {
    test(`a ${keyed} key is hashed with its row`, async (provided: Provided) => {
      const { connection, database, options } = provided;
      const columns = keyed === "composite"
        ? "a bigint not null, b varchar(50) not null"
        : "b varchar(50) not null, a bigint";
      await database.run(
        `create table t (${columns}, v varchar(50), primary key (${keyed === "composite" ? "b, a" : "b"}))`,
      );
      const table = await side(connection, "t", ["a", "b", "v"]);
      const at = (name: string) => table.columns.findIndex((column) => column.name === name);
      const rows = Array.from({ length: 700 }, (_, index) => {
        const row: Row = [];
        row[at("a")] = String(index % 10);
        row[at("b")] = `key ${keyed === "composite" ? Math.floor(index / 10) : index} ü`;
        row[at("v")] = index % 3 === 0 ? null : `value ${index}`;
        return row;
      });
      await transaction(connection, (writer) => writer.insert(table, rows));
      await using snapshot = await connection.snapshot(1);
      for (const method of ["client" as const, ...options.methods]) {
        const bucketing: Bucketing = { scheme: "hash", buckets: 16 };
        const hashed = await hashesOf(snapshot, table, method, bucketing);
        assert.equal(new Set(hashed.map(({ key }) => JSON.stringify(key))).size, 700);
        assert.equal(new Set(hashed.map(({ hash }) => hash)).size, 700);
        assert.deepEqual((await snapshot.checksums(table, method, bucketing)).toSorted(byBucket), sums(hashed));
        const found = await snapshot.rows(table, hashed.map(({ key }) => key));
        assert.deepEqual(
          found.map((row) => table.key.map((position) => row?.[position])),
          hashed.map(({ key }) => key),
        );
      }
    });
  }
}

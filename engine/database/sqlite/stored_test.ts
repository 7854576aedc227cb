import assert from "node:assert/strict";
import { createRandom, testSeed } from "../../../tests/harness/random.ts";
import type { TableSide } from "../types.ts";
import type { Stored } from "./stored.ts";
import { TestFile } from "./testing.ts";

const TABLES = [
  "CREATE TABLE t (k INTEGER PRIMARY KEY, a, b)",
  "CREATE TABLE t (k INT PRIMARY KEY, a, b) WITHOUT ROWID",
];

/** The hash of every row, by its key. */
async function hashesOf(file: TestFile, side: TableSide): Promise<Map<string, bigint>> {
  await using snapshot = await file.connection.snapshot(1);
  const rows = (await Array.fromAsync(snapshot.hashes(side, "stored", { scheme: "hash", buckets: 4 }, undefined)))
    .flat();
  return new Map(rows.map(({ key, hash }) => [String(key[0]), hash]));
}

Deno.test("sqlite: rows that are not stored alike have other hashes, and the same ones in any kind of table", async () => {
  const long = "x".repeat(70_001);
  const bytes = new Uint8Array(70_001);
  const values: Stored[] = [
    ...[null, 0n, 1n, -1n, 255n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 62n],
    ...[0.5, 1e300, -1e300, 1e15, Infinity, -Infinity, 5e-324],
    ...[
      "",
      "0",
      "1",
      "1.0",
      "a",
      "A",
      "a ",
      "a\0",
      "a\0b",
      "\0",
      "ab",
      "é",
      "e\u0301",
      "\u{1f600}",
      "\ufffd",
      "\ufeffa",
    ],
    ...["ÿ", "Ā", "\u0100\u0100", "ÿĀ", "aĀ", "abĀ", "abcĀ", "abcdĀ", "abcde", "abcdeĀ", "a\0\0\0", "abcd\0"],
    ...[1023, 1024, 1025].flatMap((length) => ["x".repeat(length), `${"x".repeat(length - 1)}Ā`]),
    ...[long, `${long}y`, `${long.slice(1)}y`, `y${long.slice(1)}`, `${long}\0`],
    ...[[], [0], [0, 0], [0x30], [0x61], [0x61, 0], [0xff], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5]]
      .map((list) => Uint8Array.from(list)),
    ...[bytes, bytes.with(70_000, 1), bytes.with(0, 1), bytes.subarray(1)],
  ];
  const found: Map<string, bigint>[] = [];
  for (const sql of TABLES) {
    await using file = await TestFile.open(sql);
    const insert = file.other.prepare("INSERT INTO t VALUES (?, ?, ?)");
    for (const [k, value] of values.entries()) insert.run(k, value, null);
    // Whole numbers that are floating-point ones, which cannot be bound.
    file.other.exec("INSERT INTO t VALUES (1000, 0.0, NULL), (1001, 1.0, NULL), (1002, -0.0, NULL)");
    file.other.exec("INSERT INTO t VALUES (1003, 'a', 'bc'), (1004, 'ab', 'c'), (1005, NULL, ''), (1006, '', 'abc')");
    const side = await file.side("t");
    const [, a, b] = side.columns;
    const hashes = await hashesOf(file, {
      ...side,
      columns: [a, b, side.columns[0]],
      forms: ["native", "native", side.forms[0]],
      key: [2],
    });
    assert.equal(hashes.size, values.length + 7);
    found.push(hashes);
    // The values alone tell them apart.
    file.other.exec(`CREATE TABLE same AS SELECT a, b FROM t`);
    const same = await file.side("same");
    await using snapshot = await file.connection.snapshot(1);
    const bag = (await Array.fromAsync(snapshot.hashes(same, "stored", { scheme: "row", buckets: 1 }, undefined)))
      .flat();
    assert.equal(new Set(bag.map(({ hash }) => hash)).size, values.length + 7);
  }
  assert.deepEqual(found[0], found[1]);
});

Deno.test("sqlite: some segments are the rows of all segments that lie in them", async () => {
  const seed = testSeed("sqlite segments");
  for (let round = 0; round < 12; round++) {
    const random = createRandom(seed + round);
    await using file = await TestFile.open("CREATE TABLE t (k INTEGER PRIMARY KEY, v)");
    const insert = file.other.prepare("INSERT OR REPLACE INTO t VALUES (?, ?)");
    const ends = [-(2n ** 63n), -1n, 0n, 1n, 2n ** 63n - 1n];
    // Some rows are so long that few of them are read at once.
    const width = random.oneIn(3) ? 100_000 : 20;
    const key = () => random.oneIn(8) ? random.pick(ends) : BigInt(random.below(400) - 200);
    for (let row = 0; row < 60; row++) insert.run(key(), "v".repeat(random.below(width)));
    const side = await file.side("t");
    await using snapshot = await file.connection.snapshot(1);
    const boundaries = [...new Set(Array.from({ length: 1 + random.below(30) }, key))].sort((a, b) => a < b ? -1 : 1)
      .map(String);
    const bucketing = { scheme: "range" as const, boundaries };
    const all = (await Array.fromAsync(snapshot.hashes(side, "stored", bucketing, undefined))).flat();
    for (const { key, bucket } of all) {
      assert.equal(bucket, boundaries.filter((boundary) => BigInt(boundary) <= BigInt(key[0] as string)).length);
    }
    const buckets = [...Array(boundaries.length + 1).keys()].filter(() => random.oneIn(2));
    const some = (await Array.fromAsync(snapshot.hashes(side, "stored", bucketing, buckets))).flat();
    assert.deepEqual(some, all.filter(({ bucket }) => buckets.includes(bucket)));
    assert.deepEqual(
      (await snapshot.checksums(side, "stored", bucketing)).reduce((sum, { rows }) => sum + rows, 0),
      all.length,
    );
  }
});

Deno.test("sqlite: texts of a file in UTF-16 are read whole", async () => {
  for (const encoding of ["UTF-16le", "UTF-16be"]) {
    await using file = await TestFile.open(
      `PRAGMA encoding = '${encoding}'; CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT)`,
    );
    assert.deepEqual({ ...file.other.prepare("PRAGMA encoding").get() }, { encoding });
    const texts = ["plain", "größe", "a\0b", "\0", "\u{1f600}\0", "\ufffd"];
    const insert = file.other.prepare("INSERT INTO t VALUES (?, ?)");
    for (const [k, text] of texts.entries()) insert.run(k, text);
    assert.deepEqual((await file.read(await file.side("t"))).map(([, text]) => text), texts.map((text) => `'${text}'`));
  }
});

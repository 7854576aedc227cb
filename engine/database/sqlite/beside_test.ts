import assert from "node:assert/strict";
import { createRandom, testSeed } from "../../../tests/harness/random.ts";
import type { Bucketing, Checksum } from "../types.ts";
import { TestFile } from "./testing.ts";

const byBucket = (a: Checksum, b: Checksum) => a.bucket - b.bucket;

/** The target's checksums by its differences to the source, and by itself. */
async function both(
  source: TestFile,
  target: TestFile,
  boundaries: string[],
  meanwhile = () => {},
): Promise<[beside: Checksum[] | undefined, alone: Checksum[]]> {
  const [from, to] = [await source.side("t"), await target.side("t")];
  const bucketing: Bucketing = { scheme: "range", boundaries };
  await using one = await source.connection.snapshot(1);
  meanwhile();
  await using other = await target.connection.snapshot(1);
  const checksums = await one.checksums(from, "stored", bucketing);
  const beside = await other.checksumsBeside?.(to, "stored", bucketing, { snapshot: one, side: from, checksums });
  return [beside?.sort(byBucket), (await other.checksums(to, "stored", bucketing)).sort(byBucket)];
}

const VALUES = [
  ...["NULL", "0", "1", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740993", "4611686018427387904"],
  ...["0.0", "-0.0", "1.0", "0.5", "9223372036854775807.0", "-9223372036854775808.0", "9007199254740992.0", "9e999"],
  ...[
    "4611686018427387904.0",
    "1e300",
    "''",
    "'0'",
    "'1'",
    "'1.0'",
    "'a'",
    "'A'",
    "'a '",
    "'ab'",
    "'é'",
    "'abc' || char(0)",
  ],
  ...["'abc'", "CAST(x'61FF' AS TEXT)", "CAST(x'61FE' AS TEXT)", "x''", "x'61'", "x'31'", "x'00'", "x'0000'"],
];

Deno.test("sqlite: what is found by differences is what is there, whatever is stored and however it collates", async () => {
  const types = [
    "",
    "BLOB",
    "INTEGER",
    "NUMERIC",
    "REAL",
    "TEXT",
    "TEXT COLLATE NOCASE",
    "TEXT COLLATE RTRIM",
    "BOOLEAN",
    "DATETIME",
  ];
  for (const type of types) {
    await using source = await TestFile.open(`CREATE TABLE t (k INTEGER PRIMARY KEY, v ${type})`);
    await using target = await TestFile.open(`CREATE TABLE t (k INTEGER PRIMARY KEY, v ${type})`);
    for (const half of [0, 1, 2]) {
      const pairs = VALUES.flatMap((a) => VALUES.map((b) => [a, b])).filter((_, i) => i % 3 === half);
      for (const [i, file] of [source, target].entries()) {
        file.other.exec(
          `DELETE FROM t; INSERT INTO t VALUES ${pairs.map((pair, k) => `(${k}, ${pair[i]})`).join(", ")}`,
        );
      }
      // Each row is a segment.
      const [beside, alone] = await both(source, target, pairs.map((_, k) => String(k)).slice(1));
      assert.ok(beside !== undefined, type);
      assert.deepEqual(beside, alone, type);
    }
  }
});

Deno.test("sqlite: rows that are on one side only, and rows that changed, are found in any segment", async () => {
  const seed = testSeed("sqlite beside");
  for (let round = 0; round < 12; round++) {
    const random = createRandom(seed + round);
    const journal = random.pick(["WAL", "DELETE"]);
    const sql = "CREATE TABLE t (k INTEGER PRIMARY KEY, a TEXT, b INTEGER NOT NULL, c)";
    await using source = await TestFile.open(sql, journal);
    await using target = await TestFile.open(sql, journal);
    const ends = [-(2n ** 63n), 2n ** 63n - 1n];
    const key = () => random.oneIn(50) ? random.pick(ends) : BigInt(random.below(5000) - 500);
    const insert = (file: TestFile, k: bigint, text: string) => {
      file.other.prepare("INSERT OR REPLACE INTO t VALUES (?, ?, ?, ?)").run(k, text, k % 7n, text.length);
    };
    source.other.exec("BEGIN");
    for (let row = 0; row < 3000; row++) insert(source, key(), "x".repeat(random.below(20)));
    source.other.exec("COMMIT");
    target.other.exec(`ATTACH '${source.path}' AS s; INSERT INTO t SELECT * FROM s.t; DETACH s`);
    for (let edit = random.below(40); edit > 0; edit--) insert(random.pick([source, target]), key(), "edited");
    for (let edit = random.below(40); edit > 0; edit--) {
      random.pick([source, target]).other.prepare("DELETE FROM t WHERE k = ?").run(key());
    }
    const boundaries = [...new Set(Array.from({ length: random.below(100) }, key))].sort((a, b) => a < b ? -1 : 1);
    const [beside, alone] = await both(source, target, boundaries.map(String));
    assert.ok(beside !== undefined);
    assert.deepEqual(beside, alone);
  }
});

Deno.test("sqlite: two files are not compared so where that could be wrong or would take longer", async () => {
  const fill = "INSERT INTO t WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000) SELECT i, i FROM n";
  const plain = "CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT)";
  const cases: [source: string, target: string, change: string, isBeside: boolean][] = [
    [plain, plain, "SELECT 1", true],
    [plain, plain, "UPDATE t SET v = 'other' WHERE k < 100", true],
    [plain, plain, "UPDATE t SET v = 'other'", false],
    [plain, plain, "DELETE FROM t", false],
    [plain, plain.replace("TEXT", "INTEGER"), "SELECT 1", false],
    [plain, plain.replace("INTEGER", "INT"), "SELECT 1", false],
    [plain, `${plain} WITHOUT ROWID`, "SELECT 1", false],
  ];
  for (const [from, to, change, isBeside] of cases) {
    await using source = await TestFile.open(`${from}; ${fill}`);
    await using target = await TestFile.open(`${to}; ${fill}; ${change}`);
    const [beside, alone] = await both(source, target, ["1000", "2000"]);
    assert.deepEqual(beside, isBeside ? alone : undefined, `${from}, ${to}, ${change}`);
  }
  await using source = await TestFile.open(`${plain}; ${fill}`);
  await using target = await TestFile.open(`${plain}; ${fill}`);
  const later = () => source.other.exec("UPDATE t SET v = 'later' WHERE k = 1");
  assert.equal((await both(source, target, [], later))[0], undefined, "the source's file has gone on");
});

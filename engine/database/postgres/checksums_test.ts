import assert from "node:assert/strict";
import { sharedPostgres } from "../../../tests/harness/postgres.ts";
import { sideOf } from "../conformance/provided.ts";
import type { Checksum, HashedRow } from "../types.ts";
import { postgres } from "./dialect.ts";

const server = sharedPostgres();
const signal = new AbortController().signal;

const LEAST = "-9223372036854775808";
const MOST = "9223372036854775807";

Deno.test("checksums are the same whether rows lie in the order of their keys or not", async () => {
  const name = await server().createDatabase();
  const rows = `select id, 'note ' || id as note from generate_series(1, 20000) id
    union all values ('${LEAST}'::bigint, 'least'), ('${MOST}', 'most')`;
  await server().run(
    name,
    `create table ordered (id bigint primary key, note text); insert into ordered select * from (${rows}) r order by id;
     create table mixed (id bigint primary key, note text); insert into mixed select * from (${rows}) r order by md5(id::text);
     create table unindexed (id bigint not null, note text); insert into unindexed select * from (${rows}) r order by id;
     analyze ordered, mixed, unindexed`,
  );
  await using connection = await postgres.connect(server().spec(name), signal);
  await using snapshot = await connection.snapshot(2);
  const boundaries = [LEAST, "0", "1", "300", "19000", "20001", MOST];
  for (const filter of [undefined, "id % 3 <> 0"]) {
    const found: Checksum[][] = [];
    for (const table of ["ordered", "mixed", "unindexed"]) {
      const side = { ...sideOf(await connection.find(table)), key: [0], filter };
      for (const method of ["record", "text64", "md5"] as const) {
        const bucketing = { scheme: "range", boundaries } as const;
        const checksums = (await snapshot.checksums(side, method, bucketing)).toSorted((a, b) => a.bucket - b.bucket);
        const hashed = (await Array.fromAsync(snapshot.hashes(side, method, bucketing, undefined))).flat();
        assert.deepEqual(checksums, sums(hashed), `${table} ${method}`);
        if (method === "record") found.push(checksums);
      }
    }
    assert.deepEqual(found[1], found[0]);
    assert.deepEqual(found[2], found[0]);
  }
});

Deno.test("hashes come with all rows of a table of many pages, and of some buckets", async () => {
  const name = await server().createDatabase();
  await server().run(
    name,
    `create table wide (id integer primary key, note text);
     insert into wide select n, repeat('x', 1000) || n from generate_series(1, 30000) n;
     delete from wide where id % 7 = 0`,
  );
  await using connection = await postgres.connect(server().spec(name), signal);
  await using snapshot = await connection.snapshot(1);
  const side = sideOf(await connection.find("wide"));
  const bucketing = {
    scheme: "range",
    boundaries: Array.from({ length: 99 }, (_, n) => String((n + 1) * 300)),
  } as const;
  const all = (await Array.fromAsync(snapshot.hashes(side, "record", bucketing, undefined))).flat();
  const ids = Array.from({ length: 30_000 }, (_, n) => n + 1).filter((id) => id % 7 !== 0);
  assert.deepEqual(all.map(({ key }) => Number(key[0])).sort((a, b) => a - b), ids);
  for (const { key, bucket } of all) assert.equal(bucket, Math.min(99, Math.floor(Number(key[0]) / 300)));
  for (const buckets of [[0, 5, 6, 99], all.map(({ bucket }) => bucket).filter((bucket) => bucket % 2 === 0)]) {
    const wanted = [...new Set(buckets)];
    const some = (await Array.fromAsync(snapshot.hashes(side, "record", bucketing, wanted))).flat();
    const expected = all.filter(({ bucket }) => wanted.includes(bucket));
    assert.deepEqual(byKey(some), byKey(expected));
  }
});

function byKey(rows: HashedRow[]): HashedRow[] {
  return rows.toSorted((a, b) => Number(a.key[0]) - Number(b.key[0]));
}

function sums(hashed: HashedRow[]): Checksum[] {
  const buckets = new Map<number, Checksum>();
  for (const { bucket, hash } of hashed) {
    const { rows, sum } = buckets.get(bucket) ?? { rows: 0, sum: 0n };
    buckets.set(bucket, { bucket, rows: rows + 1, sum: BigInt.asUintN(64, sum + hash) });
  }
  return [...buckets.values()].sort((a, b) => a.bucket - b.bucket);
}

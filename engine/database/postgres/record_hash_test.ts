import assert from "node:assert/strict";
import { sharedPostgres } from "../../../tests/harness/postgres.ts";
import { sideOf } from "../conformance/provided.ts";
import { postgres } from "./dialect.ts";
import { TYPES } from "./type_examples_testing.ts";

const server = sharedPostgres();
const signal = new AbortController().signal;

/** Values that the server's own hash of their type takes for the same. */
const ALIKE: Record<string, string[]> = {
  "bigint": ["0", "4294967297", "-4294967296", "8589934594"],
  "numeric(38,10)": ["12.5", "-12.5"],
  "numeric": ["12.5", "-12.5"],
  "double precision": ["12.5", "-12.5"],
  "timestamp": ["2000-01-01 00:00:00", "2000-01-01 01:11:34.967297", "1999-12-31 22:48:25.032704"],
  "timestamptz": ["2000-01-01 00:00:00+00", "2000-01-01 01:11:34.967297+00", "1999-12-31 22:48:25.032704+00"],
};

/** Keys by which the hash of a zero could become that of NULL. */
const KEYS = ["0", "1", "-1", "4294967297", "9223372036854775807"];

for (const method of ["record", "text64"] as const) {
  Deno.test(`${method}: rows with one key and different values of any type have different hashes`, async () => {
    const name = await server().createDatabase();
    await using connection = await postgres.connect(server().spec(name), signal);
    for (const [at, { type, values }] of TYPES.entries()) {
      const literals = [...values.map(([literal]) => literal), ...(ALIKE[type] ?? []).map((text) => `'${text}'`)];
      await server().run(
        name,
        `create table values${at} (v ${type});
         insert into values${at} values ${[...literals, "null"].map((literal) => `(${literal})`).join(", ")};
         create view keyed${at} as select distinct on (k, v::text) k::bigint as id, v
         from values${at}, unnest('{${KEYS}}'::bigint[]) k`,
      );
      const side = { ...sideOf(await connection.find(`keyed${at}`)), key: [0] };
      await using snapshot = await connection.snapshot(1);
      const rows = (await Array.fromAsync(snapshot.all(side, 1000))).flat().map((row) => JSON.stringify(row));
      const batches = await Array.fromAsync(
        snapshot.hashes(side, method, { scheme: "hash", buckets: 1 }, undefined),
      );
      const hashes = new Set(batches.flat().map(({ hash }) => hash));
      assert.equal(hashes.size, new Set(rows).size, `${method} of ${type}`);
    }
  });
}

Deno.test("record: a fraction's zeros at the end do not count, where the type keeps them", async () => {
  const name = await server().createDatabase();
  await server().run(
    name,
    `create table one (id integer primary key, v numeric); insert into one values (1, 1.0), (2, 100), (3, 'NaN');
     create table two (id integer primary key, v numeric); insert into two values (1, 1.000), (2, 1e2), (3, 'NaN')`,
  );
  await using connection = await postgres.connect(server().spec(name), signal);
  await using snapshot = await connection.snapshot(1);
  const [one, two] = await Promise.all(["one", "two"].map(async (table) => {
    return await snapshot.checksums(sideOf(await connection.find(table)), "record", { scheme: "hash", buckets: 1 });
  }));
  assert.deepEqual(one, two);
});

import assert from "node:assert/strict";
import { sharedPostgres } from "../../../tests/harness/postgres.ts";
import { allRows, contents, refuses, side, sideOf, transaction } from "../conformance/provided.ts";
import type { Connection, RowCarrier, Snapshot } from "../dialect.ts";
import type { HashMethod, Row, TableSide } from "../types.ts";
import { carrier } from "./carrier.ts";
import { postgres } from "./dialect.ts";

const server = sharedPostgres();
const signal = new AbortController().signal;

async function connect(sql: string): Promise<Connection> {
  const name = await server().createDatabase();
  await server().run(name, sql);
  return await postgres.connect(server().spec(name), signal);
}

/** The hashes of rows by their keys. */
async function hashes(snapshot: Snapshot, of: TableSide, method: HashMethod): Promise<Map<string, bigint>> {
  const all = await Array.fromAsync(snapshot.hashes(of, method, { scheme: "hash", buckets: 1 }, undefined));
  return new Map(all.flat().map(({ key, hash }) => [JSON.stringify(key), hash]));
}

const TABLE =
  `create table t (name varchar(30), at timestamp(3), part numeric, amount numeric(12, 2), data bytea, list text[],
  real float8, doc jsonb, note text, primary key (name, part))`;
const row = (n: number, note: string) =>
  `('é''\\ ' || ${n}, timestamp '2020-01-01' + ${n} * interval '1.5 s', ${n} / 4.0, -${n}, '\\x00ff', array['a,b', null, ${n}::text],
    ${n} / 3.0, '{"b": [1.50, ${n}]}', ${note})`;

for (const method of ["record", "text64", "md5"] as const) {
  Deno.test(`${method}: rows are carried as they are, and only into the place of those that have not changed`, async () => {
    const rows = (note: string) => Array.from({ length: 400 }, (_, n) => row(n, n % 3 === 0 ? "null" : note)).join();
    await using from = await connect(`${TABLE}; insert into t values ${rows("E'tab\\t line\\n \\\\N'")}`);
    await using into = await connect(`${TABLE}; insert into t values ${rows("'old'")}; delete from t where part >= 50`);
    const [source, target] = [await side(from, "t"), await side(into, "t")];
    await using snapshot = await from.snapshot(2);
    const wanted = await allRows(snapshot, source);
    const key = (row: Row) => source.key.map((at) => row[at]);
    let before: Map<string, bigint>;
    {
      await using state = await into.snapshot(1);
      before = await hashes(state, target, method);
    }
    const carry = carrier({ snapshot, side: source }, target, method) as Required<RowCarrier>;
    const changed = wanted.filter((row) => before.has(JSON.stringify(key(row)))).map(key);
    const fresh = wanted.map(key).filter((key) => !before.has(JSON.stringify(key)));
    assert(changed.length > 100 && fresh.length > 100);
    const replaced = changed.map((key) => before.get(JSON.stringify(key)) as bigint);
    // Somebody has changed one.
    replaced[7] ^= 1n;

    const [inserts, updates] = [await carry.read(fresh), await carry.read(changed, replaced)];
    assert.deepEqual([inserts.rows, updates.rows], [fresh.length, changed.length]);
    await transaction(into, async (writer) => {
      assert.equal(await carry.update(writer, updates), changed.length - 1);
      await refuses("unique", carry.insert(writer, await carry.read([...fresh, changed[0]])));
      assert.equal(await carry.insert(writer, inserts), fresh.length);
    });
    const left = JSON.stringify(changed[7]);
    const others = (rows: Row[]) => rows.filter((row) => JSON.stringify(key(row)) !== left);
    assert.deepEqual(others(await contents(into, target)), others(wanted));
    await using after = await into.snapshot(1);
    const now = await hashes(after, target, method);
    assert.equal(now.get(left), before.get(left));
    assert.equal(now.size, wanted.length);
  });
}

Deno.test("rows that have to be looked at are not carried", async () => {
  const plain = "create table plain (id integer primary key, n numeric(8, 2));";
  await using from = await connect(`${plain} create domain d as numeric(8, 2);
    create table domains (id integer primary key, n d); create view seen as select * from plain;
    create table keyless (n integer)`);
  await using into = await connect(`${plain} create table other (id integer primary key, n numeric(8, 1));
    create domain d as numeric(8, 1); create table domains (id integer primary key, n d);
    create table numbered (id integer primary key, n numeric(8, 2), i bigint generated always as identity);
    create table parted (id integer primary key, n numeric(8, 2)) partition by range (id);
    create table watched (id integer primary key, n numeric(8, 2)); create table keyless (n integer);
    create function nothing() returns trigger language plpgsql as 'begin return new; end';
    create trigger w before update of id on watched for each row execute function nothing();
    create view seen as select * from plain`);
  await using snapshot = await from.snapshot(1);
  const find = async (source: string, target: string, method: HashMethod = "text64", filter?: string) => {
    const found = carrier(
      { snapshot, side: { ...await side(from, source, ["id", "n"]), filter } },
      await side(into, target, ["id", "n"]),
      method,
    );
    return found === undefined ? "none" : found.update === undefined ? "inserts" : "all";
  };
  assert.equal(await find("plain", "plain"), "all");
  assert.equal(await find("plain", "plain", "client"), "inserts");
  assert.equal(await find("plain", "plain", "record", "n > 0"), "none");
  assert.equal(await find("plain", "other"), "none");
  assert.equal(await find("domains", "domains"), "none");
  assert.equal(await find("keyless", "keyless"), "none");
  assert.equal(await find("plain", "watched"), "inserts");
  assert.equal(await find("plain", "parted"), "inserts");
  assert.equal(await find("plain", "seen"), "none");
  // Its number is not among the columns that are written.
  assert.equal(await find("plain", "numbered"), "all");
  const numbered = sideOf(await into.find("numbered"));
  assert.equal(carrier({ snapshot, side: numbered }, numbered, "record")?.update, undefined);
});

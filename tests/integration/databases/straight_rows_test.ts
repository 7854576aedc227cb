/** Between two PostgreSQL servers rows go without a look at them; what is not as expected is looked at all the same. */
import assert from "node:assert/strict";
import { postgresDatabase } from "../../harness/database_engines.ts";
import { PairedDatabases } from "../../harness/database_run.ts";
import { sharedPostgres } from "../../harness/postgres.ts";

const server = sharedPostgres();

const COUNT = 700;
const rows = (last = COUNT) => `select n, n * 2, 'note ' || n from generate_series(1, ${last}) n`;

async function pair(sourceSql: string[], targetSql: string[]): Promise<PairedDatabases> {
  const databases = await PairedDatabases.open(await postgresDatabase(server()), await postgresDatabase(server()));
  await databases.source.run(...sourceSql);
  await databases.target.run(...targetSql);
  return databases;
}

const TABLE = "create table items (id integer primary key, n integer, note text)";

Deno.test("a trigger on a column runs for rows of which that column changes", async () => {
  await using databases = await pair([TABLE, `insert into items ${rows()}`], [
    TABLE,
    `insert into items ${rows()}`,
    "create table log (id integer)",
    `create function log() returns trigger language plpgsql as 'begin insert into log values (new.id); return new; end'`,
    "create trigger l before update of note on items for each row execute function log()",
  ]);
  const { source, target } = databases;
  await source.run(
    "update items set n = -1 where id <= 500",
    "update items set note = 'new' where id between 490 and 510",
  );
  const result = await databases.sync(["items"]);
  assert.equal(result.changesApplied, 510);
  const logged = await target.run("select min(id), max(id), count(*) from log");
  assert.deepEqual(logged, [["490", "510", "21"]]);
});

Deno.test("a user who may write some columns writes those", async () => {
  await using databases = await pair([TABLE, `insert into items ${rows()}`], [TABLE, `insert into items ${rows()}`]);
  const { source, target } = databases;
  const role = `writer_${crypto.randomUUID().replaceAll("-", "")}`;
  await target.run(
    `create role ${role} login password 'secret'`,
    `grant usage on schema public to ${role}`,
    `grant select, update (n) on items to ${role}`,
  );
  try {
    Object.assign(target.spec, { user: role, password: "secret" });
    await source.run("update items set n = -1 where id % 2 = 0");
    assert.equal((await databases.sync(["items"])).changesApplied, COUNT / 2);
    await source.run("update items set note = 'no' where id = 5");
    const words = (error: { details?: string }) => /permission denied/.test(error.details ?? "");
    await assert.rejects(databases.sync(["items"]), words);
  } finally {
    await target.run(`drop owned by ${role}`, `drop role ${role}`);
  }
});

for (const useTransactions of [true, false]) {
  const how = useTransactions ? "with transactions" : "in batches";

  Deno.test(`rows that the target refuses are named, ${how}`, async () => {
    const checked = `${TABLE.slice(0, -1)}, check (n >= 0 and note <> 'bad'))`;
    await using databases = await pair([TABLE], [checked, `insert into items ${rows(300)}`]);
    const { source, target } = databases;
    await source.run(
      "insert into items select n, case when n = 650 then -1 else n * 3 end, 'note' from generate_series(1, 700) n",
      "update items set note = 'bad' where id = 120",
    );
    const options = { useTransactions, batchSize: 100 };
    if (useTransactions) {
      const words = (error: { details?: string }) => /id.*120|id.*650/.test(error.details ?? "");
      await assert.rejects(databases.sync(["items"], options), words);
      assert.deepEqual(await target.run("select count(*), sum(n) from items"), [["300", "90300"]]);
      return;
    }
    const result = await databases.sync(["items"], options);
    assert.equal(result.changesApplied, COUNT - 2);
    assert.equal(result.errors.length, 2);
    for (const id of ["120", "650"]) assert(result.errors.some((error) => error.includes(id)), result.errors.join());
    const left = await target.run("select id, n from items where id in (120, 650)");
    assert.deepEqual(left, [["120", "240"]]);
    const query = "select md5(string_agg(t::text, ',' order by id)) from items t where id not in (120, 650)";
    assert.deepEqual(await target.run(query), await source.run(query));
  });

  Deno.test(`unique values that rows swap, and one that a deleted row has, ${how}`, async () => {
    const unique = "create table items (id integer primary key, n integer not null unique)";
    const swapped = "case when n % 2 = 0 then n - 1 else n + 1 end";
    await using databases = await pair(
      [
        unique,
        `insert into items select n, ${swapped} from generate_series(1, 699) n`,
        "insert into items values (701, 0)",
      ],
      [unique, "insert into items select n, n from generate_series(1, 700) n"],
    );
    const { source, target } = databases;
    const result = await databases.sync(["items"], { useTransactions, batchSize: 100 });
    assert.deepEqual(result.errors, []);
    const query = "select md5(string_agg(t::text, ',' order by id)) from items t";
    assert.deepEqual(await target.run(query), await source.run(query));
  });
}

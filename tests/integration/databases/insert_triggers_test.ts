/** Tables of PostgreSQL whose triggers take rows elsewhere, or not at all. */
import assert from "node:assert/strict";
import { postgresDatabase } from "../../harness/database_engines.ts";
import { PairedDatabases } from "../../harness/database_run.ts";
import { sharedPostgres } from "../../harness/postgres.ts";

const postgres = sharedPostgres();

const REFUSING = `create function refuse() returns trigger language plpgsql as
  $$ begin if new.id % 2 = 0 then return null; end if; return new; end $$;
  create trigger refuse before insert on items for each row execute function refuse()`;

const REDIRECTING = `create table items_child (primary key (id)) inherits (items);
  create function redirect() returns trigger language plpgsql as
  $$ begin insert into items_child values (new.*); return null; end $$;
  create trigger redirect before insert on items for each row execute function redirect()`;

/** @param type of the target's column; the source's is int, so that rows go straight where it is, too */
async function open(trigger: string, type: string, before: string[] = []): Promise<PairedDatabases> {
  const pair = await PairedDatabases.open(await postgresDatabase(postgres()), await postgresDatabase(postgres()));
  await pair.source.run(
    "create table items (id int primary key, n int); insert into items select n, n from generate_series(1, 10) n",
  );
  await pair.target.run(`create table items (id int primary key, n ${type})`, ...before, trigger);
  return pair;
}

for (const type of ["int", "bigint"]) {
  for (
    const [words, before] of [["an empty table", []], ["a table with rows", [
      "insert into items values (1, 1)",
    ]]] as const
  ) {
    for (const useTransactions of [true, false]) {
      const title = `${words}, ${type}, ${useTransactions ? "in one transaction" : "in batches"}`;

      Deno.test(`rows that a trigger does not take are no success: ${title}`, async () => {
        await using pair = await open(REFUSING, type, [...before]);
        const refused = /not taken: a trigger or a rule/;
        if (useTransactions) {
          const words = (error: { details?: string }) => refused.test(error.details ?? "");
          await assert.rejects(pair.sync(["items"], { useTransactions }), words);
          assert.equal((await pair.target.run("select * from items")).length, before.length);
          return;
        }
        const { success, errors, changesApplied } = await pair.sync(["items"], { useTransactions });
        assert.deepEqual([success, errors.length, changesApplied], [false, 5, 5 - before.length]);
        for (const error of errors) assert.match(error, refused);
        const rows = await pair.target.run("select id from items order by id");
        assert.deepEqual(rows, [["1"], ["3"], ["5"], ["7"], ["9"]]);
      });

      Deno.test(`rows that a trigger puts into another table of the hierarchy are there: ${title}`, async () => {
        await using pair = await open(REDIRECTING, type, [...before]);
        const { changesApplied } = await pair.sync(["items"], { useTransactions });
        assert.equal(changesApplied, 10 - before.length);
        assert.equal((await pair.target.run("select * from items")).length, 10);
        assert.equal((await pair.sync(["items"], { useTransactions })).changesApplied, 0);
      });
    }
  }
}

/**
 * SIGKILL of the server while it writes, on each engine: with transactions the target is as it was, without them each batch is there
 * as a whole or not at all, and a rerun ends equal and takes nothing that the killed run wrote for somebody's change.
 */
import assert from "node:assert/strict";
import type { Engine } from "../../engine/database/types.ts";
import { dump, type PortableType, type TestDatabase } from "../harness/database_engines.ts";
import { ENGINES, named, sharedEngines, startDatabases, syncDatabases } from "../harness/database_sync.ts";
import { poll } from "../harness/poll.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { type Server, startServer } from "../harness/server.ts";
import { sessionStatus } from "../harness/sessions.ts";

const engines = sharedEngines();

const ROWS = 1_000;
const BATCH = 50;
const COLUMNS: { name: string; type: PortableType }[] = [
  { name: "id", type: "integer" },
  { name: "n", type: "integer" },
  { name: "note", type: "text" },
];
const TABLE: Record<Engine, string> = {
  postgres: "create table items (id bigint primary key, n bigint not null, note text)",
  mysql: "create table items (id bigint primary key, n bigint not null, note varchar(200))",
  sqlite: "create table items (id integer primary key, n integer not null, note text)",
};
/** Makes each update take a few milliseconds. */
const SLOW: Record<Engine, string[]> = {
  postgres: [
    "create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.002); return new; end'",
    "create trigger slow before update on items for each row execute function slow()",
  ],
  mysql: ["create trigger slow before update on items for each row do sleep(0.002)"],
  sqlite: [
    "create trigger slow before update on items begin select count(*) from (with recursive r(i) as " +
    "(select 1 union all select i + 1 from r where i < 20000) select i from r); end",
  ],
};
const NOT_SLOW: Record<Engine, string[]> = {
  postgres: ["drop trigger slow on items"],
  mysql: ["drop trigger slow"],
  sqlite: ["drop trigger slow"],
};
/** The source before and after its changes: all rows are updated, some are new and some are gone. */
const NUMBERS = `with recursive r(i) as (select 1 union all select i + 1 from r where i < ${ROWS})`;
const FILL = `insert into items ${NUMBERS} select i, 0, 'row ' || i from r`;
const CHANGE = [
  "update items set n = 1",
  `insert into items ${NUMBERS} select i + ${ROWS}, 1, 'new' from r where i <= ${BATCH}`,
  "delete from items where id <= 50",
];

/** Kills the server when it has written some batches and is about others. */
async function killWhileWriting(server: Server, sessionId: string): Promise<void> {
  await poll("some written rows", async () => {
    const { status, progress } = await sessionStatus(server, sessionId);
    assert.equal(status, "in-progress");
    return progress.rowsWritten >= 4 * BATCH;
  });
  await server.kill();
}

/** Waits until the database's server has noticed that the killed one is gone. */
async function abandoned(target: TestDatabase): Promise<void> {
  if (target.engine === "sqlite") return;
  const others = target.engine === "postgres"
    ? "select 1 from pg_stat_activity where application_name = 'syncline'"
    : `select 1 from information_schema.processlist where db = '${target.spec.database}' and id <> connection_id()`;
  await poll("the end of the run's connections", async () => (await target.run(others)).length === 0);
}

for (const engine of ENGINES) {
  for (const useTransactions of [true, false]) {
    const how = useTransactions ? "with transactions" : "in batches";
    Deno.test({
      ...named(`SIGKILL while a run writes to ${engine} ${how}`, engine),
      async fn() {
        await using sandbox = await makeSandbox();
        let server = await startServer({ sandbox });
        try {
          await using source = await engines.open("sqlite", sandbox);
          await using target = await engines.open(engine, sandbox);
          await source.run(TABLE.sqlite, FILL);
          await target.run(TABLE[engine]);
          const fields = { entityNames: ["items"], useTransactions, batchSize: BATCH, conflictStrategy: "Manual" };
          await syncDatabases(server, [source, target], fields);
          const before = await dump(target, "items", COLUMNS);
          assert.equal(before.length, ROWS);
          await source.run(...CHANGE);
          await target.run(...SLOW[engine]);

          const sessionId = await startDatabases(server, [source, target], fields);
          await killWhileWriting(server, sessionId);
          await abandoned(target);
          const left = await dump(target, "items", COLUMNS);
          if (useTransactions) assert.deepEqual(left, before);
          else assertWholeBatches(left);

          await target.run(...NOT_SLOW[engine]);
          await server[Symbol.asyncDispose]();
          server = await startServer({ sandbox });
          assert.equal((await sessionStatus(server, sessionId)).status, "interrupted");
          const rerun = await syncDatabases(server, [source, target], fields);
          assert.deepEqual([rerun.success, rerun.conflicts, rerun.errors], [true, [], []]);
          assert.deepEqual(await dump(target, "items", COLUMNS), await dump(source, "items", COLUMNS));
          assert.equal((await syncDatabases(server, [source, target], fields)).changesApplied, 0);
        } finally {
          await server[Symbol.asyncDispose]();
        }
      },
    });
  }
}

function assertWholeBatches(rows: string[]): void {
  const values = rows.map((row) => JSON.parse(row) as [string, string, string]);
  const isNew = ([id]: [string, string, string]) => Number(id) > ROWS;
  const updated = values.filter((value) => !isNew(value) && value[1] === "1").length;
  assert.equal(values.filter(isNew).length, BATCH, "the new rows, which come first, are one batch");
  assert.equal(values.filter((value) => !isNew(value)).length, ROWS, "nothing is deleted yet");
  assert.ok(updated >= 2 * BATCH && updated < ROWS - 50, `${updated} rows are updated`);
  assert.equal(updated % BATCH, 0, `${updated} rows are no whole batches`);
}

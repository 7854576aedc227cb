/**
 * Others at work on the tables of a run, on real servers: a second run, a cancellation, deadlocks, lock timeouts, ended connections
 * and rows that change under the run's hands.
 */
import assert from "node:assert/strict";
// @ts-types="@types/pg"
import pg from "pg";
import type { Engine } from "../../engine/database/types.ts";
import { dump, type PortableType, type TestDatabase } from "../harness/database_engines.ts";
import { named, postDatabases, sharedEngines, startDatabases, syncDatabases } from "../harness/database_sync.ts";
import { poll } from "../harness/poll.ts";
import type { Json } from "../harness/server.ts";
import { sessionEnd } from "../harness/sessions.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError } from "../harness/sync.ts";

const server = sharedServer();
const engines = sharedEngines();

const ROWS = 400;
const COLUMNS: { name: string; type: PortableType }[] = [{ name: "id", type: "integer" }, {
  name: "n",
  type: "integer",
}];
const FILL =
  "with recursive r(i) as (select 1 union all select i + 1 from r where i <= 400) select i, 0 from r limit 400";
const FIELDS = { entityNames: ["items"], batchSize: 100 };

/** A connection of somebody else, which can hold locks. */
interface Holder extends AsyncDisposable {
  run(sql: string): Promise<unknown>;
}

async function holder({ engine, spec, connectionString }: TestDatabase): Promise<Holder> {
  if (engine === "mysql") {
    const client = await engines.mariaDb().client(spec.database);
    return { run: (sql) => client.query(sql), [Symbol.asyncDispose]: () => client.end() };
  }
  const client = new pg.Client({ connectionString, ssl: false });
  await client.connect();
  return { run: (sql) => client.query(sql), [Symbol.asyncDispose]: () => client.end() };
}

/** Numbers of the connections of runs that wait for a lock. */
async function waiting(target: TestDatabase): Promise<string[]> {
  if (target.engine === "mysql") {
    // Its tables of transactions and locks are refreshed only when nobody has looked for a moment. Before the first transaction of
    // the list is the last deadlock.
    const [[, , status]] = await target.run("show engine innodb status");
    const waits = (status as string).split("---TRANSACTION").slice(1).filter((text) => text.includes("\nLOCK WAIT "));
    return waits.map((text) => /thread id (\d+)/.exec(text)![1]);
  }
  const rows = await target.run(
    "select pid from pg_stat_activity where application_name = 'syncline' and wait_event_type = 'Lock' " +
      "and datname = current_database()",
  );
  return rows.map(([id]) => id as string);
}

/** A source and a target that agree, then the source's rows are changed; somebody holds the target's last row. */
class Blocked implements AsyncDisposable {
  private constructor(
    readonly source: TestDatabase,
    readonly target: TestDatabase,
    readonly other: Holder,
    readonly before: string[],
  ) {}

  static async make(from: Engine, engine: "postgres" | "mysql"): Promise<Blocked> {
    const source = await engines.open(from, server());
    const target = await engines.open(engine, server());
    await source.run("create table items (id integer not null primary key, n integer)", `insert into items ${FILL}`);
    await target.run("create table items (id integer not null primary key, n integer)");
    await syncDatabases(server(), [source, target], FIELDS);
    await source.run("update items set n = 1");
    const other = await holder(target);
    await other.run("begin");
    await other.run(`update items set n = 5 where id = ${ROWS}`);
    return new Blocked(source, target, other, await dump(target, "items", COLUMNS));
  }

  /** Starts a run and waits until it waits for the lock. */
  async start(fields: Json = {}): Promise<string> {
    const sessionId = await startDatabases(server(), [this.source, this.target], { ...FIELDS, ...fields });
    await poll("a run that waits for the lock", async () => (await waiting(this.target)).length === 1);
    return sessionId;
  }

  /** The run's result; the target must have the source's rows but for some that were somebody else's. */
  async assertDone(sessionId: string, others: Record<string, string> = {}): Promise<void> {
    const { status, result } = await sessionEnd(server(), sessionId);
    const found = Object.entries(others);
    assert.equal(status, "completed", JSON.stringify(result));
    const conflicts = result.conflicts.map((conflict: Json) => [conflict.key.id, conflict.kind, conflict.resolution]);
    assert.deepEqual(conflicts.sort(), found.map(([id]) => [id, "guard", "unresolved"]).sort());
    assert.equal(result.changesApplied, ROWS - found.length);
    const wanted = await dump(this.source, "items", COLUMNS);
    const expected = wanted.map((row) => {
      const [id, n] = JSON.parse(row);
      return JSON.stringify([id, others[id] ?? n]);
    });
    assert.deepEqual(await dump(this.target, "items", COLUMNS), expected.sort());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.other[Symbol.asyncDispose]();
    await this.source[Symbol.asyncDispose]();
    await this.target[Symbol.asyncDispose]();
  }
}

for (const [from, engine] of [["sqlite", "postgres"], ["postgres", "postgres"], ["sqlite", "mysql"]] as const) {
  const test = (title: string, fn: () => Promise<void>) => {
    Deno.test({ ...named(`${from} to ${engine}: ${title}`, engine), fn });
  };

  test("a second run on the pair is a CONFLICT, and cancelling the first one rolls it back", async () => {
    await using blocked = await Blocked.make(from, engine);
    const { source, target, other, before } = blocked;
    const sessionId = await blocked.start();
    const second = assertError(await postDatabases(server(), [source, target], FIELDS), 409, "CONFLICT");
    assert.match(second.details, new RegExp(sessionId));
    const renamed = { connectionString: target.connectionString.replace("127.0.0.1", "LOCALHOST") };
    assertError(await postDatabases(server(), [source, renamed], FIELDS), 409, "CONFLICT");
    assert.equal((await server().request("DELETE", `/sync/session/${sessionId}`)).status, 200);
    assert.equal((await sessionEnd(server(), sessionId)).status, "cancelled");
    assert.deepEqual(await waiting(target), []);
    await other.run("rollback");
    assert.deepEqual(await dump(target, "items", COLUMNS), before);
    assert.equal((await syncDatabases(server(), [source, target], FIELDS)).changesApplied, ROWS);
  });

  for (const useTransactions of [true, false]) {
    const how = useTransactions ? "with transactions" : "in batches";

    test(`a row that changes while the run waits for it is a conflict, ${how}`, async () => {
      await using blocked = await Blocked.make(from, engine);
      const sessionId = await blocked.start({ useTransactions });
      await blocked.other.run("commit");
      await blocked.assertDone(sessionId, { [ROWS]: "5" });
    });

    test(`a connection that is ended while it waits is opened again, ${how}`, async () => {
      await using blocked = await Blocked.make(from, engine);
      const sessionId = await blocked.start({ useTransactions });
      const [id] = await waiting(blocked.target);
      await blocked.other.run(engine === "postgres" ? `select pg_terminate_backend(${id})` : `kill connection ${id}`);
      await poll("another connection that waits", async () => {
        const now = await waiting(blocked.target);
        return now.length === 1 && now[0] !== id;
      });
      await blocked.other.run("rollback");
      await blocked.assertDone(sessionId);
    });
  }

  test("a deadlock that costs the run its transaction is tried again", async () => {
    await using blocked = await Blocked.make(from, engine);
    // MariaDB ends the transaction that has written less.
    await blocked.target.run("create table large (id integer not null primary key, n integer)");
    await blocked.other.run(`insert into large ${FILL}`);
    await blocked.other.run("update large set n = n + 1");
    const sessionId = await blocked.start();
    await blocked.other.run("update items set n = 6 where id = 1");
    await blocked.other.run("commit");
    await blocked.assertDone(sessionId, { [ROWS]: "5", 1: "6" });
  });

  test("a lock timeout is tried again", async () => {
    await using blocked = await Blocked.make(from, engine);
    const { target, other } = blocked;
    const set = engine === "postgres"
      ? [`alter database ${target.spec.database} set lock_timeout = '500ms'`]
      : ["set global innodb_lock_wait_timeout = 1"];
    await target.run(...set);
    try {
      const sessionId = await blocked.start();
      await poll("the timeout", async () => (await waiting(target)).length === 0);
      await other.run("rollback");
      await blocked.assertDone(sessionId);
    } finally {
      if (engine === "mysql") await target.run("set global innodb_lock_wait_timeout = default");
    }
  });
}

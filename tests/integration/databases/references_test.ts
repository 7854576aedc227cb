/** Rows that refer to each other in circles, within one table and between two: made, moved and deleted on every engine. */
import assert from "node:assert/strict";
import type { Engine } from "../../../engine/database/types.ts";
import {
  dump,
  mariaDatabase,
  type PortableType,
  postgresDatabase,
  sqliteDatabase,
} from "../../harness/database_engines.ts";
import { PairedDatabases } from "../../harness/database_run.ts";
import { onMariaDb, sharedMariaDb } from "../../harness/mariadb.ts";
import { sharedPostgres } from "../../harness/postgres.ts";

const postgres = sharedPostgres();
const mariaDb = sharedMariaDb();
const OPEN = {
  postgres: () => postgresDatabase(postgres()),
  mysql: () => mariaDatabase(mariaDb()),
  sqlite: () => sqliteDatabase(),
};
const INTEGER: PortableType = "integer";
const COLUMNS = { people: ["id", "boss", "code"], one: ["id", "other"], two: ["id", "other"] };

function tables(engine: Engine): string[] {
  const people = "create table people (id integer not null primary key, boss integer, code integer unique, " +
    "foreign key (boss) references people (id))";
  // SQLite adds no constraint to a table that is there, and lets one refer to a table that is not.
  const [one, ...later] = engine === "sqlite"
    ? ["create table one (id integer not null primary key, other integer references two (id))"]
    : [
      "create table one (id integer not null primary key, other integer)",
      "alter table one add foreign key (other) references two (id)",
    ];
  return [
    people,
    one,
    "create table two (id integer not null primary key, other integer, foreign key (other) references one (id))",
    ...later,
  ];
}

const numbers = (from: number, to: number, tuple: (n: number) => string) =>
  Array.from({ length: to - from + 1 }, (_, i) => `(${tuple(from + i)})`).join(", ");

/** What happens to the source, one step after the other; the target follows each. */
const STEPS: string[][] = [
  [
    `insert into people values ${numbers(1, 60, (n) => `${n}, null, ${n}`)}`,
    "update people set boss = 61 - id where id % 7 > 0",
    `insert into one values ${numbers(1, 30, (n) => `${n}, null`)}`,
    `insert into two values ${numbers(1, 30, (n) => `${n}, ${n}`)}`,
    "update one set other = id",
  ],
  [
    "update people set boss = case when id = 60 then 1 else id + 1 end",
    "update people set code = -1 where id = 5",
    "update people set code = 5 where id = 6",
    "update people set code = 6 where id = 7",
    "update people set code = 7 where id = 5",
    "update one set other = 31 - id",
  ],
  [
    `insert into people values ${numbers(101, 140, (n) => `${n}, null, ${n}`)}`,
    "update people set boss = case when id = 140 then 101 else id + 1 end where id > 100",
    "update people set boss = null where id <= 60",
    "delete from people where id <= 40",
    "update one set other = null",
    "update two set other = null",
    "delete from one where id <= 20",
    "delete from two where id <= 20",
    `insert into one values ${numbers(51, 55, (n) => `${n}, null`)}`,
    `insert into two values ${numbers(51, 55, (n) => `${n}, ${n}`)}`,
    "update one set other = id where id > 50",
  ],
  ["update people set boss = null", "delete from people where id > 60"],
];

for (const engine of ["postgres", "mysql", "sqlite"] as const) {
  for (const useTransactions of [true, false]) {
    const title = `${engine}: references in circles, ${useTransactions ? "with transactions" : "in batches"}`;
    const how = engine === "mysql" ? onMariaDb(title) : { name: title };
    Deno.test({ ...how, fn: () => follow(engine, useTransactions) });
  }
}

async function follow(engine: "postgres" | "mysql" | "sqlite", useTransactions: boolean): Promise<void> {
  await using pair = await PairedDatabases.open(await sqliteDatabase(), await OPEN[engine]());
  const { source, target } = pair;
  await source.run(...tables("sqlite"));
  await target.run(...tables(engine));
  for (const [step, statements] of STEPS.entries()) {
    await source.run(...statements);
    const result = await pair.sync(["two", "one", "people"], { useTransactions, batchSize: 10, maxDelete: 1_000 });
    assert.deepEqual([result.errors, result.conflicts], [[], []], `step ${step}`);
    for (const [table, names] of Object.entries(COLUMNS)) {
      const columns = names.map((name) => ({ name, type: INTEGER }));
      assert.deepEqual(
        await dump(target, table, columns),
        await dump(source, table, columns),
        `${table}, step ${step}`,
      );
    }
  }
}

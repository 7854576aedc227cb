/** Every pairing of engines: random tables, rows and edits; afterwards both sides are equal by what each engine itself says. */
import assert from "node:assert/strict";
import {
  dump,
  mariaDatabase,
  postgresDatabase,
  sqliteDatabase,
  type TestDatabase,
} from "../../harness/database_engines.ts";
import { PairedDatabases } from "../../harness/database_run.ts";
import { onMariaDb, sharedMariaDb } from "../../harness/mariadb.ts";
import { sharedPostgres } from "../../harness/postgres.ts";
import { createRandom, testSeed } from "../../harness/random.ts";
import { createTable, editRows, insertRows, randomRow, randomTable } from "./random_table.ts";

const postgres = sharedPostgres();
const mariaDb = sharedMariaDb();
const ENGINES: Record<string, () => Promise<TestDatabase>> = {
  PostgreSQL: () => postgresDatabase(postgres()),
  MariaDB: () => mariaDatabase(mariaDb()),
  SQLite: () => sqliteDatabase(),
};
const ROUNDS = Number(Deno.env.get("SYNCLINE_TEST_ROUNDS") ?? 3);

for (const [from, source] of Object.entries(ENGINES)) {
  for (const [to, target] of Object.entries(ENGINES)) {
    const title = `${from} to ${to}: random tables end equal, one way and two-way`;
    const named = [from, to].includes("MariaDB") ? onMariaDb(title) : { name: title };
    Deno.test({ ...named, fn: () => run(`${from} to ${to}`, source, target) });
  }
}

async function run(
  name: string,
  open: () => Promise<TestDatabase>,
  openOther: () => Promise<TestDatabase>,
): Promise<void> {
  const random = createRandom(testSeed(name));
  await using pair = await PairedDatabases.open(await open(), await openOther());
  const { source, target } = pair;
  for (let round = 0; round < ROUNDS; round++) {
    const tables = ["First table", "second"].map((table) => randomTable(random, `${table} ${round}`));
    const names = tables.map((table) => table.name);
    const isMade = random.oneIn(3);
    for (const table of tables) {
      await createTable(source, table, random);
      if (!isMade) await createTable(target, table, random);
      await insertRows(source, table, Array.from({ length: random.below(1500) }, () => randomRow(random, table)));
      if (!isMade && random.oneIn(2)) {
        await insertRows(target, table, Array.from({ length: random.below(1500) }, () => randomRow(random, table)));
      }
    }
    for (let step = 0; step < 3; step++) {
      const isTwoWay = !isMade && random.oneIn(3) && tables.every(({ key, unique }) => key > 0 && unique === undefined);
      const options = {
        useTransactions: random.oneIn(2),
        batchSize: random.pick([100, 10_000]),
        maxDelete: 100_000,
        createMissingTables: true,
        direction: isTwoWay ? "two-way" as const : "one-way" as const,
      };
      const note = `${name}, round ${round}, step ${step}: ${JSON.stringify([options, tables])}`;
      const result = await pair.sync(names, options).catch((error) => {
        throw new Error(`${note}: ${error.details}`, { cause: error });
      });
      assert.deepEqual(result.errors, [], note);
      for (const table of tables) {
        const [a, b] = [await dump(source, table.name, table.columns), await dump(target, table.name, table.columns)];
        const wrong = [
          b.filter((row) => !a.includes(row)).slice(0, 5),
          a.filter((row) => !b.includes(row)).slice(0, 5),
        ];
        assert.deepEqual(wrong, [[], []], `${note} ${JSON.stringify(result.entities)}`);
        assert.equal(a.length, b.length, note);
      }
      const again = await pair.sync(names, { ...options, dryRun: true });
      assert.equal(again.changesApplied, 0, `${note}: ${JSON.stringify(again.entities)}`);
      for (const table of tables) {
        await editRows(source, table, random);
        if (random.oneIn(2)) await editRows(target, table, random);
      }
    }
  }
}

/**
 * Connections to a database that are cut at random bytes: a run ends well, having tried again, or with an error in words; the target
 * is what it was or what it shall be, and a run without cuts brings it to its end. Nothing waits for ever.
 */
import assert from "node:assert/strict";
import type { Engine } from "../../engine/database/types.ts";
import { dump, type PortableType, type TestDatabase } from "../harness/database_engines.ts";
import { named, postDatabases, sharedEngines, syncDatabases } from "../harness/database_sync.ts";
import { type ConnectionFault, startFaultProxy } from "../harness/fault_proxy.ts";
import { createRandom, type Random, testSeed } from "../harness/random.ts";
import type { Answer } from "../harness/server.ts";
import { sharedServer } from "../harness/suite.ts";

const server = sharedServer();
const engines = sharedEngines();

const CUTS = 6;
const ROWS = 600;
const PATIENCE_MS = 60_000;
const COLUMNS: { name: string; type: PortableType }[] = [
  { name: "id", type: "integer" },
  { name: "n", type: "integer" },
  { name: "note", type: "text" },
];
const TABLE: Record<Engine, string> = {
  postgres: "create table items (id bigint primary key, n bigint, note text)",
  mysql: "create table items (id bigint primary key, n bigint, note varchar(200))",
  sqlite: "create table items (id integer primary key, n integer, note text)",
};

async function fill(database: TestDatabase, random: Random): Promise<void> {
  const rows = Array.from({ length: ROWS }, (_, i) => {
    return `(${i + random.below(3) * ROWS}, ${random.below(1000)}, '${random.bytes(60).toHex()}')`;
  });
  await database.run("delete from items", `insert into items values ${rows.join(", ")}`);
}

/** Cuts one of the next connections, in either direction, early or late. */
function cutOne(random: Random): () => ConnectionFault {
  let left = random.below(6);
  const direction = random.pick(["up", "down"] as const);
  const after = random.below(2 ** (4 + random.below(14)));
  return () => left-- === 0 ? { type: "reset", direction, after } : { type: "none" };
}

for (const engine of ["postgres", "mysql"] as const) {
  for (const role of ["source", "target"] as const) {
    const title = `${CUTS} cuts each, with transactions and without, of connections to ${engine} as the ${role}`;
    Deno.test({ ...named(title, engine), fn: () => cutAll(engine, role) });
  }
}

async function cutAll(engine: "postgres" | "mysql", role: "source" | "target"): Promise<void> {
  const random = createRandom(testSeed(`${engine} as the ${role}`));
  const { port, password } = engine === "postgres" ? engines.postgres() : engines.mariaDb();
  await using proxy = startFaultProxy(port);
  await using cut = await engines.open(engine, server());
  await using whole = await engines.open("sqlite", server());
  await cut.run(TABLE[engine]);
  await whole.run(TABLE.sqlite);
  const [source, target] = role === "source" ? [cut, whole] : [whole, cut];
  const through = { connectionString: cut.connectionString.replace(`:${port}/`, `:${new URL(proxy.url).port}/`) };
  const pair: [typeof through, typeof through] = role === "source" ? [through, target] : [source, through];
  let failed = 0;
  for (const useTransactions of [true, false]) {
    for (let n = 0; n < CUTS; n++) {
      await fill(source, random);
      await fill(target, random);
      const [before, wanted] = [await dump(target, "items", COLUMNS), await dump(source, "items", COLUMNS)];
      const fields = { entityNames: ["items"], useTransactions, batchSize: 50 };
      proxy.next = cutOne(random);
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const answer = await postDatabases(server(), pair, fields, { signal });
      proxy.next = () => ({ type: "none" });
      assert.ok(!answer.text.includes(password), "the password is in the answer");
      const left = await dump(target, "items", COLUMNS);
      if (answer.status === 200) assert.deepEqual([answer.body.success, left], [true, wanted], answer.text);
      else {
        failed++;
        assertFailure(answer, role);
        const known = new Set([...before, ...wanted]);
        if (!useTransactions) assert.deepEqual(left.filter((row) => !known.has(row)), [], answer.text);
        else if (!/nobody knows/.test(answer.body.details)) assert.deepEqual(left, before, answer.text);
        else assert.deepEqual(left, left.join() === before.join() ? before : wanted, answer.text);
      }
      await syncDatabases(server(), pair, fields);
      assert.deepEqual(await dump(target, "items", COLUMNS), wanted);
    }
  }
  // deno-lint-ignore no-console -- says whether the cuts were felt
  console.log(`${failed} of ${2 * CUTS} runs failed, the others were not hit or tried again`);
}

function assertFailure({ status, body, text }: Answer, role: string): void {
  assert.deepEqual([status, body.errorCode], [500, "DATABASE_ERROR"], text);
  assert.ok(body.details.startsWith(`${role}: `), text);
}

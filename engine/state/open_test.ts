import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { EngineError } from "../errors.ts";
import { MIGRATIONS } from "./migrations.ts";
import { openState } from "./open.ts";
import { openTestState, tamper, temporaryDirectory } from "./testing.ts";

async function assertRefused(dataDir: string, words: RegExp): Promise<void> {
  await assert.rejects(openState({ dataDir }), (error) => {
    assert.ok(error instanceof EngineError, String(error));
    assert.match(error.message, words);
    assert.ok(!error.message.includes("\n") && error.message.length < 400, error.message);
    assert.ok(error.details.length > 0);
    return true;
  });
}

Deno.test("openState makes the directory and keeps its files from other users", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/a/b/data`;
  const state = await openState({ dataDir });
  await state.keys.create({ name: "first", scopes: ["admin"] });
  const modes: Record<string, number> = {};
  for await (const { name } of Deno.readDir(dataDir)) {
    modes[name] = (await Deno.stat(`${dataDir}/${name}`)).mode! & 0o777;
  }
  await state.close();
  assert.equal((await Deno.stat(dataDir)).mode! & 0o777, 0o700);
  assert.deepEqual(modes, { lock: 0o600, "state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600 });
});

Deno.test("close leaves one database file, which another program can read", async () => {
  await using test = await openTestState();
  await test.state.keys.create({ name: "first", scopes: ["admin"] });
  await test.state.close();
  await test.state.close();
  const names = await Array.fromAsync(Deno.readDir(test.dataDir), ({ name }) => name);
  assert.deepEqual(names.sort(), ["lock", "state.db"]);
  tamper(test.dataDir, (database) => {
    const row = database.prepare("SELECT count(*) AS count FROM api_keys").get();
    assert.equal(row?.count, 1);
  });
});

Deno.test("a directory has one owner at a time", async () => {
  await using test = await openTestState();
  await assertRefused(test.dataDir, /in use by another running server/);
  await test.reopen();
  await assertRefused(test.dataDir, /in use by another running server/);
});

Deno.test("a directory that cannot be used is named with the reason", async (t) => {
  await using directory = await temporaryDirectory();
  await Deno.writeTextFile(`${directory.path}/file`, "");
  await t.step("a file in its place", () => assertRefused(`${directory.path}/file`, /\/file: /));
  await t.step("a file on the way", () => assertRefused(`${directory.path}/file/data`, /\/file\/data: /));
  await t.step("a file system without files to create", () => assertRefused("/proc/sys", /Cannot use .*\/proc\/sys: /));
  await t.step("a database that is a directory", async () => {
    await Deno.mkdir(`${directory.path}/odd/state.db`, { recursive: true });
    await assertRefused(`${directory.path}/odd`, /state\.db/);
  });
});

Deno.test("a damaged database is refused and left as it is", async (t) => {
  async function refuse(name: string, damage: (path: string) => Promise<void>, words: RegExp): Promise<void> {
    await t.step(name, async () => {
      await using test = await openTestState();
      for (let count = 0; count < 200; count++) {
        await test.state.keys.create({ name: `key ${count} ${"x".repeat(100)}`, scopes: ["admin"] });
      }
      await test.state.close();
      const path = `${test.dataDir}/state.db`;
      await damage(path);
      const before = await Deno.readFile(path);
      await assertRefused(test.dataDir, words);
      assert.deepEqual(await Deno.readFile(path), before);
    });
  }
  await refuse("other content", (path) => Deno.writeTextFile(path, "no database ".repeat(1_000)), /damaged/);
  await refuse("cut off", async (path) => await Deno.truncate(path, 8 * 4096), /damaged/);
  await refuse("a page overwritten", async (path) => {
    using file = await Deno.open(path, { write: true });
    await file.seek(3 * 4096, Deno.SeekMode.Start);
    for (let page = 3; page < 12; page++) await file.write(new Uint8Array(4096).fill(0xa5));
  }, /damaged/);
});

Deno.test("a newer version's database is refused and left as it is", async () => {
  await using test = await openTestState();
  await test.state.close();
  tamper(test.dataDir, (database) => database.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`));
  await assertRefused(test.dataDir, /a newer version of the server wrote it/);
  tamper(test.dataDir, (database) => {
    assert.equal(database.prepare("PRAGMA user_version").get()?.user_version, MIGRATIONS.length + 1);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
  await test.reopen();
});

Deno.test("another program's database is refused and left as it is", async () => {
  await using directory = await temporaryDirectory();
  const database = new DatabaseSync(`${directory.path}/state.db`);
  database.exec("CREATE TABLE recipes (name TEXT)");
  database.close();
  const before = await Deno.readFile(`${directory.path}/state.db`);
  await assertRefused(directory.path, /belongs to another program/);
  assert.deepEqual(await Deno.readFile(`${directory.path}/state.db`), before);
});

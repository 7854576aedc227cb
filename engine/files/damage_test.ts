/** A damaged baseline costs the knowledge of conflicts, and nothing else. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { BaselineEncoder, type BaselineEntry, decodeBaseline } from "./baseline.ts";
import { DamagedFile } from "../sqlite_damage.ts";
import { World } from "./world.ts";
import { createRandom, testSeed } from "../../tests/harness/random.ts";

function baselineOf(world: World): string {
  const [name] = fs.readdirSync(`${world.path}/data/baselines`).filter((name) => name.endsWith(".db"));
  return `${world.path}/data/baselines/${name}`;
}

/** Opens a pair's baseline with everything in its main file. */
function alone(world: World, use: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(baselineOf(world));
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  use(database);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
}

/** Overwrites the page at which a table begins. */
function breakTable(world: World, table: string): void {
  let page = 0;
  alone(world, (database) => {
    const row = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(table);
    page = Number(row?.rootpage);
  });
  const file = fs.openSync(baselineOf(world), "r+");
  fs.writeSync(file, new Uint8Array(4096).fill(0xa5), 0, 4096, (page - 1) * 4096);
  fs.closeSync(file);
}

const DAMAGES: Record<string, (world: World) => void> = {
  "the table of directories": (world) => breakTable(world, "directory"),
  "the table of what is set aside": (world) => breakTable(world, "aside"),
  "the table of facts": (world) => breakTable(world, "meta"),
  "the contents of rows": (world) =>
    alone(world, (database) => database.exec("UPDATE directory SET entries = x'ff00ff00ff00ff'")),
  "the length of rows": (world) =>
    alone(world, (database) => database.exec("UPDATE directory SET entries = substr(entries, 1, 9)")),
  "the file's length": (world) => {
    alone(world, () => {});
    fs.truncateSync(baselineOf(world), fs.statSync(baselineOf(world)).size - 4096);
  },
  "the whole file": (world) => {
    alone(world, () => {});
    fs.writeFileSync(baselineOf(world), "no database ".repeat(1000));
  },
};

async function makeWorld(): Promise<World> {
  const world = new World();
  for (let i = 0; i < 120; i++) world.write(`source/directory-${i}/file`, `text ${i}`);
  await world.sync();
  for (let i = 0; i < 120; i += 10) world.write(`source/directory-${i}/file`, `changed ${i}`);
  // Its baseline is not foreseen.
  fs.linkSync(`${world.source}/directory-0/file`, `${world.source}/directory-0/link`);
  world.write("target/directory-1/file", "by someone else");
  return world;
}

for (const [what, damage] of Object.entries(DAMAGES)) {
  Deno.test(`a baseline whose damage is in ${what}, found at any task`, async () => {
    for (const task of ["files.prepare", "files.scan", "files.begin", "files.rebase", "files.absorb", "files.end"]) {
      using world = await makeWorld();
      let done = false;
      const result = await world.sync({}, (name) => {
        if (name !== task || done) return;
        done = true;
        damage(world);
      });
      assert.ok(done || task === "files.absorb");
      assert.deepEqual(result.errors, [], task);
      world.assertEqual();
      const again = await world.sync();
      assert.deepEqual([again.changesApplied, again.errors, again.conflicts], [0, [], []], task);
      // From here on there is a whole baseline again.
      world.write("target/directory-2/file", "by someone else");
      assert.deepEqual((await world.sync()).conflicts.map(({ path }) => path), ["directory-2/file"], task);
      world.assertEqual();
    }
  });
}

Deno.test("a baseline whose damage is found while files are copied in both directions", async () => {
  for (const task of ["files.apply", "files.rebase", "files.end"]) {
    using world = new World();
    const part = { direction: "two-way", trashDirectory: `${world.path}/trash` } as const;
    world.write("source/left", "1");
    await world.sync(part);
    world.write("source/left", "edited");
    world.write("target/right", "2");
    let done = false;
    const { errors } = await world.sync(part, (name) => {
      if (name !== task || done) return;
      done = true;
      breakTable(world, "placed");
      breakTable(world, "placed_path");
    });
    assert.ok(done);
    assert.deepEqual(errors, [], task);
    assert.deepEqual(world.list(world.target), { left: "edited", right: "2" });
    world.assertEqual();
    const again = await world.sync(part);
    assert.deepEqual([again.changesApplied, again.errors, again.conflicts], [0, [], []], task);
  }
});

Deno.test("a row of the baseline that is no row is damage, whatever its bytes", () => {
  const random = createRandom(testSeed("damaged rows"));
  const encoder = new BaselineEncoder();
  const entry: BaselineEntry = {
    type: "file",
    size: 5,
    mtime: 1,
    mtimeNs: 2,
    targetMtime: 1,
    targetMtimeNs: 0,
    link: "to",
  };
  for (const type of ["file", "directory", "symlink"] as const) encoder.add(`name of a ${type}`, { ...entry, type });
  const times = { ctime: 1, ctimeNs: 2, targetCtime: 3, targetCtimeNs: 4 };
  for (const hash of [undefined, new Uint8Array(32)]) {
    encoder.add(`known ${hash?.length}`, { ...entry, fingerprint: { ...times, hash } });
  }
  const whole = encoder.row;
  for (let round = 0; round < 2000; round++) {
    const bytes = whole.slice(0, 1 + random.below(whole.length));
    for (let i = random.below(4); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256);
    try {
      decodeBaseline(bytes);
    } catch (error) {
      assert.ok(error instanceof DamagedFile, String(error));
    }
  }
});

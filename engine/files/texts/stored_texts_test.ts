/** How the texts of common versions are stored. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { createRandom } from "../../../tests/harness/random.ts";
import { World } from "../world.ts";
import { BASE, BOTH, edited, LEFT, list, MERGE, ONE_WAY, RIGHT, write } from "./testing.ts";

Deno.test("a store of before there were hashes and several versions is taken over", async () => {
  using world = await edited(MERGE);
  const before = stored(world);
  {
    using database = new DatabaseSync(`${world.path}/data/texts.db`);
    database.exec(`
      CREATE TABLE text (
        directory INTEGER NOT NULL REFERENCES directory ON DELETE CASCADE,
        name BLOB NOT NULL,
        size INTEGER NOT NULL,
        mtime INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        chunks TEXT,
        PRIMARY KEY (directory, name)
      ) WITHOUT ROWID;
      CREATE TRIGGER text_removed AFTER DELETE ON text BEGIN
        UPDATE chunk SET uses = uses - 1 WHERE id IN (SELECT value FROM json_each(OLD.chunks));
        DELETE FROM chunk WHERE uses = 0 AND id IN (SELECT value FROM json_each(OLD.chunks));
      END;
      INSERT INTO text SELECT directory, name, size, mtime, mtime_ns, chunks FROM version;
      DROP TABLE version;
    `);
  }
  assert.equal((await world.sync(MERGE)).conflicts[0].resolution, "merged");
  assert.deepEqual(list(world, "source"), { file: BOTH });
  const { chunks, versions } = stored(world);
  assert.deepEqual([chunks, versions], [before.chunks, before.versions]);
});

function stored(world: World): { chunks: number; bytes: number; versions: number } {
  using database = new DatabaseSync(`${world.path}/data/texts.db`, { readOnly: true });
  return {
    ...database.prepare("SELECT count(*) AS chunks, coalesce(sum(length(bytes)), 0) AS bytes FROM chunk").get(),
    ...database.prepare("SELECT count(*) AS versions FROM version").get(),
  } as ReturnType<typeof stored>;
}

Deno.test("texts are kept once, for nobody else to read, and go with their files and pairs", async () => {
  using world = new World();
  const random = createRandom(1);
  const text = Array.from({ length: 20_000 }, () => `${random.below(1e9)}\n`).join("");
  for (const name of ["a", "b", "deep/c"]) write(world, `source/${name}`, text);
  await world.sync(MERGE);
  await world.sync({ ...ONE_WAY, targetDirectory: `${world.path}/other` });
  const first = stored(world);
  assert.equal(first.versions, 6);
  assert.ok(first.bytes < text.length, `${first.bytes} bytes for three files of ${text.length} in two pairs`);
  for (const name of fs.readdirSync(`${world.path}/data`).filter((name) => name.startsWith("texts.db"))) {
    assert.equal(fs.statSync(`${world.path}/data/${name}`).mode & 0o777, 0o600, name);
  }
  // An edit in the midst of one costs its chunk, not all.
  write(world, "source/a", `${text.slice(0, 100_000)}an edit\n${text.slice(100_000)}`);
  await world.sync(MERGE);
  const second = stored(world);
  assert.ok(second.chunks > first.chunks && second.chunks <= first.chunks + 3, `${first.chunks} ${second.chunks}`);
  fs.rmSync(`${world.source}/a`);
  fs.rmSync(`${world.source}/deep`, { recursive: true });
  await world.sync(MERGE);
  assert.deepEqual([stored(world).versions, stored(world).chunks], [4, first.chunks]);
  // Both pairs' baselines go, and a third pair begins.
  fs.rmSync(`${world.path}/data/baselines`, { recursive: true });
  fs.mkdirSync(`${world.path}/empty`);
  await world.sync({ ...ONE_WAY, sourceDirectory: `${world.path}/empty`, targetDirectory: `${world.path}/third` });
  assert.deepEqual(stored(world), { chunks: 0, bytes: 0, versions: 0 });
});

Deno.test("a run that keeps no texts drops those that the sides have in common no longer", async () => {
  for (const part of [MERGE, ONE_WAY]) {
    using world = new World();
    for (const name of ["same", "edited", "deleted", "deep/deleted"]) {
      write(world, `source/${name}`, `${name}\n${BASE}`);
    }
    await world.sync(part);
    assert.equal(stored(world).versions, 4);
    write(world, "source/edited", LEFT);
    fs.rmSync(`${world.source}/deleted`);
    fs.rmSync(`${world.source}/deep`, { recursive: true });
    await world.sync({ ...part, conflictStrategy: "SourceWins", deleteMissingInTarget: true, maxDelete: 10 });
    assert.deepEqual([stored(world).versions, stored(world).chunks], [1, 1]);
    // The one that is left still serves.
    write(world, "source/same", `same\n${LEFT}`);
    write(world, "target/same", `same\n${RIGHT}`);
    assert.deepEqual((await world.sync(part)).conflicts.map(({ resolution }) => resolution), ["merged"]);
  }
});

Deno.test("a damaged store of texts costs merges, not data", async () => {
  using world = await edited(MERGE);
  fs.rmSync(`${world.path}/data/texts.db-wal`, { force: true });
  fs.writeFileSync(`${world.path}/data/texts.db`, "x".repeat(8192));
  const { conflicts, errors } = await world.sync(MERGE);
  assert.deepEqual([conflicts[0].reason, errors], ["no-common-version", []]);
  assert.deepEqual(Object.values(list(world, "source")).sort(), [LEFT, RIGHT].sort());
  write(world, "source/file", LEFT.replace("two", "TWO"));
  write(world, "target/file", LEFT.replace("four", "FOUR"));
  assert.equal((await world.sync(MERGE)).conflicts[0].resolution, "merged");
});

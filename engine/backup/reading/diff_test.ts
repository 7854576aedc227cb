import assert from "node:assert/strict";
import * as fs from "node:fs";
import { PairWalk } from "../trees/pair_walk.ts";
import { loadIndex } from "../packs/index_segment.ts";
import { BackupWorld } from "../testing/backup_world.ts";
import { VersionData } from "../versions/version_data.ts";
import { createRandom, testSeed } from "../../../tests/harness/random.ts";

const never = new AbortController().signal;

Deno.test("the differences of two versions, each way", async () => {
  using world = await BackupWorld.make();
  for (const name of ["same/deep/file", "a/gone", "a/kept", "a/longer", "mode", "type", "dir/x/y"]) {
    world.write(`source/${name}`, name);
  }
  fs.symlinkSync("one", `${world.source}/link`);
  const before = await world.backup();
  fs.rmSync(`${world.source}/a/gone`);
  world.write("source/a/longer", "longer than before");
  world.write("source/new/inside", "new");
  fs.chmodSync(`${world.source}/mode`, 0o600);
  fs.chmodSync(`${world.source}/same`, 0o700);
  fs.rmSync(`${world.source}/type`);
  fs.mkdirSync(`${world.source}/type`);
  fs.rmSync(`${world.source}/dir`, { recursive: true });
  world.write("source/dir", "a file");
  fs.rmSync(`${world.source}/link`);
  fs.symlinkSync("two", `${world.source}/link`);
  const after = await world.backup();
  const from = { repository: world.location, versionId: before.versionId };
  const entries = await Array.fromAsync(world.operations.diff(from, after.versionId, never));
  assert.deepEqual(
    entries.map(({ change, path, type, sizeBefore, sizeAfter }) => [change, path, type, sizeBefore, sizeAfter]),
    [
      ["removed", "a/gone", "file", 6, null],
      ["modified", "a/longer", "file", 8, 18],
      ["type", "dir", "file", null, 6],
      ["removed", "dir/x", "directory", null, null],
      ["removed", "dir/x/y", "file", 7, null],
      ["modified", "link", "symlink", null, null],
      ["metadata", "mode", "file", 4, 4],
      ["added", "new", "directory", null, null],
      ["added", "new/inside", "file", null, 3],
      ["metadata", "same", "directory", null, null],
      ["type", "type", "directory", 4, null],
    ],
  );
  assert.deepEqual(await Array.fromAsync(world.operations.diff(from, before.versionId, never)), []);
  await assert.rejects(Array.fromAsync(world.operations.diff(from, crypto.randomUUID(), never)), { kind: "not-found" });
});

Deno.test("directories that two versions share are not read", async () => {
  using world = await BackupWorld.make();
  for (const name of ["same/lost", "other/file"]) world.write(`source/${name}`, name);
  const before = await world.backup({ lose: ["same"] });
  world.write("source/other/file", "changed");
  const after = await world.backup({ lose: ["same"] });
  const from = { repository: world.location, versionId: before.versionId };
  const entries = await Array.fromAsync(world.operations.diff(from, after.versionId, never));
  assert.deepEqual(entries.map(({ path }) => path), ["other/file"]);
});

Deno.test("a walk goes on wherever it was left, also in directories of many pages", async () => {
  const random = createRandom(testSeed("walk"));
  using world = await BackupWorld.make();
  const names = () => `${random.pick(["a", "b/c", "b", "d/e/f"])}/${random.below(100_000)}`;
  for (let i = 0; i < 6000; i++) world.write(`source/many/${i * 7919 % 100_003}`, "");
  for (let i = 0; i < 200; i++) world.write(`source/${names()}`, "x");
  const before = await world.backup();
  for (let i = 0; i < 100; i++) world.write(`source/${names()}`, "y");
  for (let i = 0; i < 100; i++) fs.rmSync(`${world.source}/many/${i * 7919 % 100_003}`);
  fs.rmSync(`${world.source}/b`, { recursive: true });
  const after = await world.backup();
  const { index } = await loadIndex(world.access, world.store);
  const data = new VersionData({ access: world.access, index: index.data }, { cacheBytes: 1 << 20 });
  const paths = async (step: number) => {
    const found: string[] = [];
    for (let resume: string | null = null;;) {
      const walk: PairWalk = new PairWalk(data.tree, before.root, after.root, resume);
      for (let i = 0; i < step; i++) {
        const pair = await walk.next();
        if (pair === undefined) return found;
        found.push(pair.path);
        resume = pair.path;
      }
    }
  };
  const all = await paths(Infinity);
  assert.ok(all.length > 200);
  assert.equal(new Set(all).size, all.length);
  for (const step of [5, 1 + random.below(50)]) assert.deepEqual(await paths(step), all);
});

Deno.test("the changes of a version: its list, or all of the first", async () => {
  using world = await BackupWorld.make();
  for (const name of ["a/b", "c"]) world.write(`source/${name}`, name);
  fs.symlinkSync("c", `${world.source}/link`);
  const first = await world.backup();
  const place = { repository: world.location, versionId: first.versionId };
  const changes = await Array.fromAsync(world.operations.changes(place, never));
  assert.deepEqual(changes, ["a/b", "c", "link"].map((path) => ({ change: "added", path })));
  const lines = Array.from({ length: 90_000 }, (_, i): [string, string] => ["modified", `path/number ${i} \udc80`]);
  const second = await world.backup({ changes: lines, chunk: 5000 });
  const listed = await Array.fromAsync(world.operations.changes({ ...place, versionId: second.versionId }, never));
  assert.deepEqual(listed.map(({ change, path }) => [change, path]), lines);
  const third = await world.backup({ changes: [] });
  assert.deepEqual(
    await Array.fromAsync(world.operations.changes({ ...place, versionId: third.versionId }, never)),
    [],
  );
});

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { BackupWorld } from "../testing/backup_world.ts";
import { inlinePool } from "../../files/inline_pool.ts";
import { assertSameTree } from "../../../tests/harness/compare.ts";
import { createRandom } from "../../../tests/harness/random.ts";

const CHUNK = 4096;

/** Twenty chunks of noise. */
function noise(): Uint8Array<ArrayBuffer> {
  return createRandom(1).bytes(20 * CHUNK);
}

/** Changes a file's bytes and keeps its times, or sets others. */
function alter(path: string, at: number, { keepTime }: { keepTime: boolean }): void {
  const { atime, mtime } = fs.statSync(path);
  const byte = new Uint8Array(1);
  const file = fs.openSync(path, "r+");
  fs.readSync(file, byte, 0, 1, at);
  byte[0] ^= 1;
  fs.writeSync(file, byte, 0, 1, at);
  fs.closeSync(file);
  if (keepTime) fs.utimesSync(path, atime, mtime);
}

/** So that `utimes` can set them back. */
function wholeSeconds(path: string): void {
  fs.utimesSync(path, 1_700_000_000, 1_700_000_000);
}

Deno.test("of a file of the same size only the chunks that differ come from the repository", async () => {
  using world = await BackupWorld.make();
  world.write("source/file", noise());
  const version = await world.backup();
  await world.restore(version);
  alter(`${world.target}/file`, 5 * CHUNK, { keepTime: false });
  const inode = fs.statSync(`${world.target}/file`).ino;
  const result = await world.restore(version);
  assert.deepEqual([result.filesRestored, result.bytesRestored], [1, CHUNK]);
  assert.notEqual(fs.statSync(`${world.target}/file`).ino, inode, "readers of the old file keep it");
  await assertSameTree(world.source, world.target);
});

Deno.test("a file that grew or shrank takes from the old one what is at its place", async () => {
  using world = await BackupWorld.make();
  world.write("source/file", noise());
  const version = await world.backup();
  for (const length of [CHUNK * 10, CHUNK * 25]) {
    const bytes = new Uint8Array(length);
    bytes.set(noise().subarray(0, length));
    world.write("target/file", bytes);
    const result = await world.restore(version);
    assert.equal(result.bytesRestored, Math.max(0, 20 * CHUNK - length));
    await assertSameTree(world.source, world.target);
  }
});

Deno.test("where only time or permissions differ, the file stays and gets them", async () => {
  using world = await BackupWorld.make();
  for (const name of ["time", "mode", "right"]) world.write(`source/${name}`, noise());
  const version = await world.backup();
  await world.restore(version);
  fs.utimesSync(`${world.target}/time`, 1, 1);
  fs.chmodSync(`${world.target}/mode`, 0o600);
  const inodes = () => ["time", "mode", "right"].map((name) => fs.statSync(`${world.target}/${name}`).ino);
  const before = inodes();
  const result = await world.restore(version);
  assert.deepEqual([result.filesRestored, result.bytesRestored, result.unchanged], [2, 0, 1]);
  assert.deepEqual(inodes(), before);
  await assertSameTree(world.source, world.target);
});

Deno.test("verify finds what time and size hide", async () => {
  using world = await BackupWorld.make();
  for (const name of ["file", "other"]) {
    world.write(`source/${name}`, noise());
    wholeSeconds(`${world.source}/${name}`);
  }
  const version = await world.backup();
  await world.restore(version);
  alter(`${world.target}/file`, 3, { keepTime: true });
  const blind = await world.restore(version);
  assert.deepEqual([blind.filesRestored, blind.unchanged], [0, 2]);
  const result = await world.restore(version, { verify: true });
  assert.deepEqual([result.filesRestored, result.bytesRestored, result.unchanged], [1, CHUNK, 1]);
  await assertSameTree(world.source, world.target);
});

Deno.test("without overwrite what is there stays, and is counted", async () => {
  using world = await BackupWorld.make();
  for (const name of ["kept", "new", "type", "directory/inside"]) world.write(`source/${name}`, name);
  fs.symlinkSync("here", `${world.source}/link`);
  const version = await world.backup();
  world.write("target/kept", "mine");
  world.write("target/type/inside", "mine");
  world.write("target/directory", "mine");
  fs.symlinkSync("there", `${world.target}/link`);
  const result = await world.restore(version, { overwrite: false });
  assert.deepEqual([result.success, result.filesRestored, result.skippedExisting], [true, 1, 4]);
  assert.deepEqual(world.list(), {
    kept: "mine",
    new: "new",
    type: "/",
    "type/inside": "mine",
    directory: "mine",
    link: "there",
  });
});

Deno.test("what has another type is replaced; a directory that is not empty only with deleteExtra", async () => {
  using world = await BackupWorld.make();
  for (const name of ["file", "link", "directory/inside", "empty", "full"]) world.write(`source/${name}`, name);
  const version = await world.backup();
  world.write("target/directory", "a file");
  fs.symlinkSync("directory", `${world.target}/link`);
  fs.mkdirSync(`${world.target}/empty`);
  world.write("target/full/deep/inside", "mine");
  fs.symlinkSync("../..", `${world.target}/full/out`);
  const careful = await world.restore(version);
  assert.deepEqual(careful.errors, ["full: a directory that is not empty is in its place"]);
  assert.equal(world.list()["full/deep/inside"], "mine");
  const result = await world.restore(version, { deleteExtra: true });
  assert.deepEqual([result.success, result.filesRestored, result.deleted], [true, 1, 4]);
  await assertSameTree(world.source, world.target);
});

Deno.test("deleteExtra removes what the version does not have, and nothing else", async () => {
  using world = await BackupWorld.make();
  world.write("source/a/file", "file");
  const version = await world.backup();
  await world.restore(version);
  for (const name of ["extra", "a/extra", "more/deep/extra"]) world.write(`target/${name}`, "extra");
  world.write("outside/kept", "kept");
  fs.symlinkSync(`${world.path}/outside`, `${world.target}/more/link`);
  const plan = await world.restore(version, { deleteExtra: true, dryRun: true });
  assert.equal(plan.deleted, 6);
  assert.equal((await world.restore(version)).deleted, 0);
  const result = await world.restore(version, { deleteExtra: true });
  assert.equal(result.deleted, 6);
  assert.equal(fs.readFileSync(`${world.path}/outside/kept`, "utf8"), "kept");
  await assertSameTree(world.source, world.target);
});

Deno.test("the repository and the server's own directory are left alone", async () => {
  using world = await BackupWorld.make({ onDisk: true });
  world.write("source/file", "file");
  const version = await world.backup();
  const result = await world.restore(version, { restorePath: world.path, deleteExtra: true });
  assert.deepEqual([result.success, result.errors], [true, []]);
  assert.deepEqual(fs.readdirSync(world.path).sort(), ["data", "file", "repository"]);
  assert.ok((await world.restore(version, { restorePath: `${world.path}/again` })).success);
  for (const inside of ["data/x", "repository", "repository/packs"]) {
    const restorePath = `${world.path}/${inside}`;
    await assert.rejects(world.restore(version, { restorePath }), { kind: "forbidden" });
  }
});

Deno.test("what would be restored over the repository is an error of that path", async () => {
  using world = await BackupWorld.make({ onDisk: true });
  world.write("source/repository/config", "not a repository");
  world.write("source/file", "file");
  const version = await world.backup();
  const result = await world.restore(version, { restorePath: world.path });
  assert.match(result.errors.join(), /^repository: is the server's own directory/);
  assert.equal(fs.readFileSync(`${world.path}/file`, "utf8"), "file");
  assert.ok((await world.restore(version, { restorePath: world.target })).success);
});

Deno.test("hard links are made, kept and taken apart", async () => {
  using world = await BackupWorld.make();
  for (const name of ["a", "x"]) world.write(`source/${name}`, name);
  for (const name of ["b", "d/c"]) {
    fs.mkdirSync(`${world.source}/d`, { recursive: true });
    fs.linkSync(`${world.source}/a`, `${world.source}/${name}`);
  }
  world.write("source/y", "x");
  for (const name of ["x", "y", "a"]) wholeSeconds(`${world.source}/${name}`);
  const version = await world.backup();
  const first = await world.restore(version);
  assert.deepEqual([first.filesRestored, first.errors], [5, []]);
  await assertSameTree(world.source, world.target);
  // Two files become one inode, one of three names another file.
  fs.rmSync(`${world.target}/y`);
  fs.linkSync(`${world.target}/x`, `${world.target}/y`);
  fs.rmSync(`${world.target}/b`);
  world.write("target/b", "b");
  const result = await world.restore(version);
  assert.deepEqual([result.filesRestored, result.unchanged, result.errors], [2, 3, []]);
  await assertSameTree(world.source, world.target);
  alter(`${world.target}/a`, 0, { keepTime: true });
  const verified = await world.restore(version, { verify: true });
  assert.deepEqual([verified.filesRestored, verified.unchanged, verified.errors], [3, 2, []]);
  await assertSameTree(world.source, world.target);
});

Deno.test("a dry run tells the figures and changes nothing", async () => {
  using world = await BackupWorld.make();
  world.write("source/a/file", "text");
  world.write("source/same", "same");
  wholeSeconds(`${world.source}/same`);
  const version = await world.backup();
  const result = await world.restore(version, { dryRun: true });
  assert.deepEqual([result.dryRun, result.filesRestored, result.bytesRestored], [true, 2, 8]);
  assert.ok(!fs.existsSync(world.target));
  assert.deepEqual(fs.readdirSync(`${world.path}/data/tmp`), []);
});

Deno.test("a file larger than a task's share is made by several, its holes kept, and only in part where it is in place", async () => {
  const SIZE = 140 * 2 ** 20;
  using world = await BackupWorld.make();
  const bytes = noise();
  world.write("source/large", "");
  const file = fs.openSync(`${world.source}/large`, "r+");
  fs.ftruncateSync(file, SIZE);
  for (const at of [0, 64 * 2 ** 20 - 8192, 100 * 2 ** 20, SIZE - 12_345]) {
    fs.writeSync(file, bytes, 0, Math.min(bytes.length, SIZE - at), at);
  }
  fs.closeSync(file);
  const version = await world.backup({ chunk: 3000 });
  const tasks: string[] = [];
  const services = {
    pool: inlinePool((task, input) => void tasks.push(`${task} ${(input as { action?: string }).action}`)),
  };
  const result = await world.restore(version, { verify: true }, services);
  assert.deepEqual([result.errors, result.filesRestored], [[], 1]);
  assert.equal(tasks.filter((task) => task === "backup.restore.large write").length, 3);
  await assertSameTree(world.source, world.target);
  assert.ok(fs.statSync(`${world.target}/large`).blocks * 512 < 2 ** 20, "it has its holes");
  fs.utimesSync(`${world.target}/large`, 5, 5);
  const touched = await world.restore(version);
  assert.deepEqual([touched.errors, touched.bytesRestored], [[], 0]);
  await assertSameTree(world.source, world.target);
  alter(`${world.target}/large`, 100 * 2 ** 20 + 7, { keepTime: false });
  const altered = await world.restore(version);
  assert.deepEqual([altered.errors, altered.bytesRestored], [[], 3000]);
  await assertSameTree(world.source, world.target);
  assert.deepEqual(fs.readdirSync(world.target).sort(), ["large"]);
});

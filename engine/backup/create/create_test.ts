import assert from "node:assert/strict";
import * as fs from "node:fs";
import { BackupWorld } from "../testing/backup_world.ts";
import { SMALL_CHUNKS } from "../testing/chunks.ts";
import { changesOf } from "../testing/changes.ts";
import { inlinePool } from "../../files/inline_pool.ts";
import { EngineError } from "../../errors.ts";
import * as posix from "../../posix/mod.ts";
import { assertSameTree } from "../../../tests/harness/compare.ts";
import { command } from "../../../tests/harness/command.ts";
import { createRandom, testSeed } from "../../../tests/harness/random.ts";
import { RandomTree } from "../../../tests/harness/random_tree.ts";

const READING = /^backup\.create\.(store|region)$/;

/** A pool that notes the tasks which read files. */
function watchedPool() {
  const reading: string[] = [];
  const pool = inlinePool((task) => void (READING.test(task) && reading.push(task)));
  return { pool, reading };
}

function isError(kind: string, words: string) {
  return (error: unknown) => error instanceof EngineError && error.kind === kind && error.details.includes(words);
}

Deno.test("a tree of everything comes back as it was", async () => {
  for (const password of [undefined, "secret"]) {
    using world = await BackupWorld.make({ password, chunking: SMALL_CHUNKS });
    world.write("source/a/b/file", "text");
    world.write("source/line\nbreak/😀", "emoji");
    world.write("source/empty", "");
    world.write("source/large", createRandom(1).bytes(300_000));
    fs.mkdirSync(`${world.source}/nothing`, 0o750);
    fs.symlinkSync("../nowhere", `${world.source}/a/link`);
    fs.linkSync(`${world.source}/a/b/file`, `${world.source}/same`);
    fs.chmodSync(`${world.source}/a/b/file`, 0o4711);
    fs.chmodSync(`${world.source}/a`, 0o555);
    fs.writeFileSync(`${world.source}/sparse`, "x");
    fs.truncateSync(`${world.source}/sparse`, 1 << 22);
    fs.writeFileSync(`${world.source}/sparse`, "y", { flag: "a" });
    setXattr(world.source, "line\nbreak", "user.place", "here");
    setXattr(world.source, "empty", "user.\udcff", "\0");
    const version = await world.create({ description: "all of it" });
    assert.deepEqual([version.success, version.errors, version.description], [true, [], "all of it"]);
    assert.deepEqual([version.fileCount, version.directoryCount, version.linkCount], [6, 4, 1]);
    assert.equal(version.totalSize, 4 + 4 + 5 + 300_000 + (1 << 22) + 1);
    assert.deepEqual([version.isFullBackup, version.parentVersionId, version.changedFileCount], [true, null, 7]);
    assert.ok(version.newBytes < 500_000);
    const result = await world.restore(version);
    assert.deepEqual([result.success, result.errors], [true, []]);
    await assertSameTree(world.source, world.target);
    assert.deepEqual(getXattrs(world.target, "line\nbreak"), [["user.place", "here"]]);
    assert.deepEqual(getXattrs(world.target, "empty"), [["user.\udcff", "\0"]]);
    assert.ok(fs.statSync(`${world.target}/sparse`).blocks <= 16);
  }
});

function open(root: string, name: string, use: (file: posix.Descriptor) => void): void {
  using tree = new posix.Tree(root);
  const file = posix.openAt(tree.root, name, posix.O_RDONLY);
  use(file);
  posix.close(file);
}

function setXattr(root: string, name: string, attribute: string, value: string): void {
  open(root, name, (file) => posix.setXattr(file, attribute, new TextEncoder().encode(value)));
}

function getXattrs(root: string, name: string): [string, string][] {
  let found: [string, string][] = [];
  open(root, name, (file) => {
    found = posix.readXattrs(file).map(([name, value]) => [name, new TextDecoder().decode(value)]);
  });
  return found;
}

Deno.test("random trees, changed again and again, come back at every version", async () => {
  const seed = testSeed("random backups");
  for (let number = 0; number < 3; number++) {
    using world = await BackupWorld.make({ chunking: SMALL_CHUNKS, password: number === 1 ? "secret" : undefined });
    const tree = new RandomTree(world.source, createRandom(seed + number), { invalidUtf8: true, largestFile: 50_000 });
    tree.grow(80);
    const copies: { versionId: string; copy: string }[] = [];
    for (let round = 0; round < 4; round++) {
      const version = await world.create({ isFullBackup: round === 2 });
      assert.deepEqual([version.success, version.errors], [true, []]);
      const copy = `${world.path}/copy${round}`;
      await command("cp", ["-a", world.source, copy]);
      copies.push({ versionId: version.versionId, copy });
      tree.mutate(40);
    }
    for (const { versionId, copy } of copies) {
      const restorePath = `${copy}-restored`;
      assert.deepEqual((await world.restore({ versionId }, { restorePath })).errors, []);
      await assertSameTree(copy, restorePath);
    }
  }
});

Deno.test("what did not change is not read, and its pages are the parent's", async () => {
  using world = await BackupWorld.make();
  for (let i = 0; i < 50; i++) world.write(`source/${i % 7}/${i % 3}/${i}`, `text ${i}`);
  const first = await world.create();
  const { pool, reading } = watchedPool();
  const second = await world.create({}, { pool });
  assert.deepEqual(reading, []);
  assert.deepEqual([second.isFullBackup, second.parentVersionId], [false, first.versionId]);
  assert.deepEqual([second.newBytes, second.storedBytes, second.changedFileCount], [0, 0, 0]);
  assert.deepEqual([second.fileCount, second.totalSize], [first.fileCount, first.totalSize]);
  assert.deepEqual(await changesOf(world, second), []);
  const full = await world.create({ isFullBackup: true }, { pool });
  assert.deepEqual([reading.length > 0, full.newBytes, full.isFullBackup], [true, 0, true]);
  assert.deepEqual(full.changedFileCount, 0);
});

Deno.test("a change that keeps size and modification time is noticed", async () => {
  using world = await BackupWorld.make();
  world.write("source/file", "before");
  world.write("source/other", "other");
  const { mtime } = fs.statSync(`${world.source}/file`);
  await world.create();
  fs.writeFileSync(`${world.source}/file`, "after!");
  fs.utimesSync(`${world.source}/file`, mtime, mtime);
  const version = await world.create();
  assert.deepEqual([version.changedFileCount, version.changedFiles], [1, ["file"]]);
  await world.restore(version);
  assert.deepEqual(world.list(), { file: "after!", other: "other" });
});

Deno.test("a version lists what changed against the one before", async () => {
  using world = await BackupWorld.make();
  for (const path of ["keep", "edit", "gone", "tree/a", "tree/deep/b", "was file", "was tree/x"]) {
    world.write(`source/${path}`, path);
  }
  const first = await world.create();
  assert.equal(await changesOf(world, first), null);
  world.write("source/edit", "edited");
  world.write("source/new/file", "new");
  fs.rmSync(`${world.source}/gone`);
  fs.rmSync(`${world.source}/tree`, { recursive: true });
  fs.rmSync(`${world.source}/was file`);
  world.write("source/was file/y", "y");
  fs.rmSync(`${world.source}/was tree`, { recursive: true });
  world.write("source/was tree", "file");
  fs.symlinkSync("keep", `${world.source}/link`);
  const second = await world.create();
  assert.deepEqual((await changesOf(world, second))?.sort(), [
    "added link",
    "added new",
    "added new/file",
    "added was file/y",
    "modified edit",
    "modified was file",
    "modified was tree",
    "removed gone",
    "removed tree",
    "removed tree/a",
    "removed tree/deep",
    "removed tree/deep/b",
    "removed was tree/x",
  ]);
  assert.deepEqual([second.changedFileCount, second.deletedFileCount], [5, 4]);
  await world.restore(second);
  await assertSameTree(world.source, world.target);
});

Deno.test("one more name in a large directory stores one page anew", async () => {
  using world = await BackupWorld.make();
  fs.mkdirSync(`${world.source}/many`);
  for (let i = 0; i < 10_000; i++) fs.writeFileSync(`${world.source}/many/${i}`, "");
  await world.create();
  fs.writeFileSync(`${world.source}/many/more`, "");
  const version = await world.create();
  assert.deepEqual([version.changedFiles, version.fileCount], [["many/more"], 10_001]);
  assert.ok(version.newBytes < 900_000, `${version.newBytes} bytes`);
  fs.rmSync(`${world.source}/many/5000`);
  const { versionId, deletedFileCount } = await world.create();
  assert.equal(deletedFileCount, 1);
  await world.restore({ versionId });
  await assertSameTree(world.source, world.target);
});

Deno.test("patterns, the server's own places and special files are left out", async () => {
  using world = await BackupWorld.make({ onDisk: true });
  world.write("data/secret", "secret");
  world.write("source/kept/a.txt", "a");
  world.write("source/kept/b.log", "b");
  world.write("source/cache/c", "c");
  await command("mkfifo", [`${world.source}/pipe`]);
  const version = await world.create({
    sourceDirectory: world.path,
    excludePatterns: ["*.log", "cache/", "/target"],
  });
  assert.deepEqual([version.success, version.skipped], [true, ["source/pipe"]]);
  await world.restore(version);
  assert.deepEqual(world.list(), { source: "/", "source/kept": "/", "source/kept/a.txt": "a" });
});

Deno.test("a source that is missing, no directory or a link is refused", async () => {
  using world = await BackupWorld.make();
  world.write("file", "");
  const sourceDirectory = `${world.path}/nothing`;
  await assert.rejects(world.create({ sourceDirectory }), isError("backup-failed", "not found"));
  const file = { sourceDirectory: `${world.path}/file` };
  await assert.rejects(world.create(file), isError("invalid", "not a directory"));
  const versions = [...world.store.snapshot().keys()].filter((key) => key.startsWith("versions/"));
  assert.deepEqual(versions, []);
});

Deno.test("two sources share chunks, and each has its own parent", async () => {
  using world = await BackupWorld.make();
  const bytes = createRandom(2).bytes(100_000);
  world.write("source/file", bytes);
  world.write("other/copy", bytes);
  await world.create();
  const other = await world.create({ sourceDirectory: `${world.path}/other` });
  assert.deepEqual([other.parentVersionId, other.isFullBackup, other.newBytes < 1000], [null, true, true]);
  await world.create();
  const again = await world.create({ sourceDirectory: `${world.path}/other` });
  assert.equal(again.parentVersionId, other.versionId);
});

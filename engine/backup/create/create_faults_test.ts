import assert from "node:assert/strict";
import * as fs from "node:fs";
import { loadIndex } from "../packs/index_segment.ts";
import { BackupWorld } from "../testing/backup_world.ts";
import { SMALL_CHUNKS } from "../testing/chunks.ts";
import { listVersions } from "../versions/version.ts";
import { EngineError } from "../../errors.ts";
import { inlinePool } from "../../files/inline_pool.ts";
import { createPool } from "../../../workers/pool.ts";
import { assertSameTree } from "../../../tests/harness/compare.ts";
import { createRandom } from "../../../tests/harness/random.ts";

function isError(kind: string, words: string) {
  return (error: unknown) => error instanceof EngineError && error.kind === kind && error.details.includes(words);
}

/** A pool that calls an action before the first task of a name. */
function before(name: string, action: () => void) {
  let done = false;
  return inlinePool((task) => {
    if (task !== `backup.create.${name}` || done) return;
    done = true;
    action();
  });
}

async function versionCount(world: BackupWorld): Promise<number> {
  return (await listVersions(world.access, world.store)).versions.length;
}

const STILL_CHANGING = "changed while it was read, each time of several; kept as it was read last";

Deno.test("what vanishes or changes its type during the run costs itself only, and is named", async () => {
  using world = await BackupWorld.make();
  for (const path of ["a", "b", "c/d", "e", "f/g"]) world.write(`source/${path}`, path);
  const pool = before("store", () => {
    fs.rmSync(`${world.source}/a`);
    fs.rmSync(`${world.source}/c`, { recursive: true });
    fs.rmSync(`${world.source}/e`);
    fs.symlinkSync("b", `${world.source}/e`);
  });
  const version = await world.create({}, { pool });
  assert.equal(version.success, false);
  assert.deepEqual(version.errors.sort(), [
    "a: disappeared during the run",
    "c/d: disappeared during the run",
    "e: is no longer a regular file",
  ]);
  await world.restore(version);
  assert.deepEqual(world.list(), { b: "b", c: "/", f: "/", "f/g": "f/g" });
  const next = await world.create();
  assert.deepEqual([next.success, next.changedFiles, next.deletedFileCount], [true, ["e"], 0]);
});

Deno.test("a directory that vanishes after it was listed is left out", async () => {
  using world = await BackupWorld.make();
  for (let i = 0; i < 3000; i++) world.write(`source/big/${i}`, "");
  world.write("source/gone/below/file", "x");
  world.write("source/zz", "x");
  await world.create();
  fs.writeFileSync(`${world.source}/gone/below/file`, "y");
  let scans = 0;
  const pool = inlinePool((task) => {
    if (task === "backup.create.scan" && ++scans === 2) {
      fs.rmSync(`${world.source}/gone`, { recursive: true, force: true });
    }
  });
  const version = await world.create({}, { pool });
  assert.ok(scans > 1);
  assert.deepEqual(version.errors, ["gone: disappeared during the run"]);
  await world.restore(version);
  assert.deepEqual([world.list().gone, world.list().zz], [undefined, "x"]);
});

Deno.test("a file that changes while it is read is read again", async () => {
  for (const size of [10, 15_000, 90_000]) {
    using world = await BackupWorld.make({ chunking: SMALL_CHUNKS });
    world.write("source/file", createRandom(1).bytes(size));
    let left = 1;
    const pool = inlinePool(undefined, (task) => {
      if (!/store|region/.test(task) || left-- <= 0) return;
      fs.appendFileSync(`${world.source}/file`, createRandom(2).bytes(size));
    });
    const version = await world.create({}, { pool });
    assert.deepEqual([version.success, version.totalSize], [true, 2 * size]);
    await world.restore(version);
    await assertSameTree(world.source, world.target);
  }
});

Deno.test("a file that never holds still is kept as it was read last, named, and read again by the next run", async () => {
  for (const size of [1000, 15_000, 90_000]) {
    using world = await BackupWorld.make({ chunking: SMALL_CHUNKS });
    world.write("source/log", createRandom(1).bytes(size));
    world.write("source/quiet", "quiet");
    const pool = inlinePool(undefined, (task) => {
      if (/store|region/.test(task)) fs.appendFileSync(`${world.source}/log`, "more");
    });
    const version = await world.create({}, { pool });
    assert.deepEqual([version.success, version.errors], [false, [`log: ${STILL_CHANGING}`]]);
    await world.restore(version);
    const [now, kept] = [fs.readFileSync(`${world.source}/log`), fs.readFileSync(`${world.target}/log`)];
    assert.ok(kept.length >= size && now.subarray(0, kept.length).equals(kept));
    const next = await world.create();
    assert.deepEqual([next.success, next.changedFiles], [true, ["log"]]);
    await world.restore(next);
    await assertSameTree(world.source, world.target);
  }
});

Deno.test("a large file that is cut short during the run is left out and named", async () => {
  using world = await BackupWorld.make({ chunking: SMALL_CHUNKS });
  world.write("source/file", createRandom(1).bytes(90_000));
  let length = 90_000;
  const pool = inlinePool(undefined, (task) => {
    if (/region/.test(task)) fs.truncateSync(`${world.source}/file`, length -= 7);
  });
  const version = await world.create({}, { pool });
  assert.deepEqual(version.errors, ["file: became shorter while it was read"]);
  await world.restore(version);
  assert.deepEqual(world.list(), {});
});

Deno.test("a source that is replaced or vanishes midway fails the run and leaves no version", async () => {
  using world = await BackupWorld.make();
  world.write("source/a", "a");
  const vanish = before("store", () => fs.renameSync(world.source, `${world.path}/away`));
  await assert.rejects(world.create({}, { pool: vanish }), isError("backup-failed", "not found"));
  fs.renameSync(`${world.path}/away`, world.source);
  const replace = before("store", () => {
    fs.renameSync(world.source, `${world.path}/away`);
    fs.mkdirSync(world.source);
  });
  await assert.rejects(world.create({}, { pool: replace }), isError("backup-failed", "replaced"));
  assert.equal(await versionCount(world), 0);
});

Deno.test("a parent that turns into a link midway leads nowhere", async () => {
  using world = await BackupWorld.make();
  world.write("source/dir/file", "mine");
  world.write("outside/file", "a secret");
  const pool = before("store", () => {
    fs.renameSync(`${world.source}/dir`, `${world.path}/away`);
    fs.symlinkSync("../outside", `${world.source}/dir`);
  });
  const version = await world.create({}, { pool });
  assert.equal(version.errors.length, 1);
  await world.restore(version);
  assert.deepEqual(world.list(), { dir: "/" });
});

Deno.test("a run that was cancelled leaves no version, and the next one finds what it had stored", async () => {
  using world = await BackupWorld.make();
  for (let i = 0; i < 100; i++) world.write(`source/${i}`, createRandom(i).bytes(10_000));
  const controller = new AbortController();
  const pool = before("trees", () => controller.abort(new Error("enough")));
  await assert.rejects(world.create({}, { pool }, controller.signal), /enough/);
  assert.equal(await versionCount(world), 0);
  const version = await world.create();
  assert.ok(version.newBytes < 100_000, `${version.newBytes} bytes`);
  await world.restore(version);
  await assertSameTree(world.source, world.target);
});

Deno.test("a worker that is lost fails the run with what to do", async () => {
  using world = await BackupWorld.make();
  world.write("source/a", "a");
  const lost = Object.assign(new Error("The worker was lost"), { name: "WorkerLostError" });
  const pool = before("store", () => {
    throw lost;
  });
  await assert.rejects(world.create({}, { pool }), isError("backup-failed", "Run it again"));
  assert.equal(await versionCount(world), 0);
});

Deno.test("content and pages that a repair gave up are stored again", async () => {
  using world = await BackupWorld.make();
  for (const path of ["a", "b/c", "b/d/e"]) world.write(`source/${path}`, `text of ${path}`);
  await world.create();
  const store = world.store;
  const { segments } = await loadIndex(world.access, store);
  for (const name of segments) await store.delete(`index/${name}`);
  const version = await world.create();
  assert.deepEqual([version.success, version.newBytes > 0], [true, true]);
  await world.restore(version);
  await assertSameTree(world.source, world.target);
});

Deno.test("backups at the same time into one repository, of one source and of others", async () => {
  const pool = createPool({ size: 2 });
  try {
    using world = await BackupWorld.make({ onDisk: true, pool, chunking: SMALL_CHUNKS, password: "secret" });
    const sources = ["source", "other"].map((name, number) => {
      for (let i = 0; i < 100; i++) {
        world.write(`${name}/${i % 9}/${i}`, createRandom(i + number * 50).bytes(50 * i));
      }
      return `${world.path}/${name}`;
    });
    const runs = [...sources, ...sources].map((sourceDirectory) => world.create({ sourceDirectory }));
    for (const [i, version] of (await Promise.all(runs)).entries()) {
      assert.deepEqual(version.errors, []);
      const restorePath = `${world.path}/restored${i}`;
      assert.equal((await world.restore(version, { restorePath })).success, true);
      await assertSameTree(version.sourceDirectory, restorePath);
    }
    const last = await world.create();
    assert.equal(last.newBytes, 0);
  } finally {
    await pool.close(0);
  }
});

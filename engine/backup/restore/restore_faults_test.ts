import assert from "node:assert/strict";
import * as fs from "node:fs";
import { loadIndex } from "../packs/index_segment.ts";
import { packObject } from "../packs/pack_table.ts";
import { BackupWorld } from "../testing/backup_world.ts";
import { At } from "../trees/tree_entry.ts";
import type { Version } from "../versions/version.ts";
import { VersionData } from "../versions/version_data.ts";
import { CancelledError } from "../../errors.ts";
import { inlinePool } from "../../files/inline_pool.ts";
import { isTemporaryName } from "../../files/rules.ts";
import { assertSameTree } from "../../../tests/harness/compare.ts";
import { createRandom } from "../../../tests/harness/random.ts";

/** A chunk of this length has a frame of its own. */
const CHUNK = 600_000;

function noise(seed: number, length = CHUNK): Uint8Array<ArrayBuffer> {
  return createRandom(seed).bytes(length);
}

/** The pack, and the place in it, of the first chunk of a file in the root. */
async function placeOf(world: BackupWorld, version: Version, name: string) {
  const { index } = await loadIndex(world.access, world.store);
  const data = new VersionData({ access: world.access, index: index.data }, { cacheBytes: 0 });
  const entry = await data.tree.find(version.root, name);
  assert.ok(entry);
  const frame = index.frameOf(index.findHex((entry[At.content] as string[])[0]));
  return { key: packObject(index.packName(index.packOf(frame))), offset: index.frameOffset(frame) };
}

/** The paths that errors name. */
function named(errors: string[]): string[] {
  return errors.map((error) => error.slice(0, error.indexOf(":"))).sort();
}

/** Leftover temporary names anywhere below the target. */
function temporaries(world: BackupWorld): string[] {
  if (!fs.existsSync(world.target)) return [];
  return fs.readdirSync(world.target, { recursive: true }).map(String)
    .filter((path) => isTemporaryName(path.slice(path.lastIndexOf("/") + 1)));
}

for (const password of [undefined, "secret"]) {
  const kind = password === undefined ? "plain" : "encrypted";
  Deno.test(`a damaged chunk costs the files that need it and no other, ${kind}`, async () => {
    using world = await BackupWorld.make({ password });
    for (const [seed, name] of ["good", "bad", "deep/too"].entries()) world.write(`source/${name}`, noise(seed));
    world.write("source/deep/same as bad", noise(1));
    world.write("source/longer", new Uint8Array([...noise(7), ...noise(1)]));
    fs.linkSync(`${world.source}/bad`, `${world.source}/link to bad`);
    const version = await world.backup({ chunk: CHUNK });
    const { key, offset } = await placeOf(world, version, "bad");
    const bytes = await world.store.read(key);
    bytes[offset + 1000] ^= 1;
    await world.store.put(key, bytes);
    world.write("target/longer", "old");
    world.write("target/extra", "extra");
    const result = await world.restore(version, { deleteExtra: true });
    assert.equal(result.success, false);
    assert.deepEqual(named(result.errors), [".", "bad", "deep/same as bad", "link to bad", "longer"]);
    assert.match(result.errors.join("\n"), /^bad: chunk .*packs\//m);
    assert.match(result.errors.join("\n"), /1 deletions were left out/);
    const { good, "deep/too": too, ...others } = world.list();
    assert.ok(good && too);
    assert.deepEqual(others, { deep: "/", longer: "old", extra: "extra" });
    assert.deepEqual(fs.readFileSync(`${world.target}/good`), fs.readFileSync(`${world.source}/good`));
  });
}

Deno.test("a missing pack, one that is cut and another one in its place are noticed", async () => {
  for (const harm of ["missing", "cut", "another"]) {
    using world = await BackupWorld.make();
    world.write("source/file", noise(1));
    world.write("source/empty", "");
    const version = await world.backup({ chunk: CHUNK });
    const { key } = await placeOf(world, version, "file");
    const bytes = await world.store.read(key);
    if (harm === "missing") await world.store.delete(key);
    else await world.store.put(key, harm === "cut" ? bytes.subarray(0, 1000) : bytes.toReversed());
    const result = await world.restore(version);
    assert.deepEqual(named(result.errors), ["file"], harm);
    assert.deepEqual(world.list(), { empty: "" });
  }
});

Deno.test("a lost tree page costs what is in it", async () => {
  using world = await BackupWorld.make();
  for (const name of ["lost/file", "kept/file", "kept/lost too"]) world.write(`source/${name}`, name);
  world.write("target/lost/extra", "extra");
  world.write("target/extra", "extra");
  const version = await world.backup({ lose: ["lost", "lost too"] });
  const result = await world.restore(version, { deleteExtra: true });
  assert.deepEqual(named(result.errors), [".", "kept/lost too", "lost"]);
  assert.deepEqual(world.list(), {
    extra: "extra",
    kept: "/",
    "kept/file": "kept/file",
    lost: "/",
    "lost/extra": "extra",
  });
});

Deno.test("a version, an index or a repository that is not there is an error of its own", async () => {
  using world = await BackupWorld.make({ password: "secret" });
  world.write("source/file", "text");
  const version = await world.backup();
  await assert.rejects(world.restore({ versionId: crypto.randomUUID() }), { kind: "not-found" });
  await assert.rejects(world.restore({ versionId: "../config" }), { kind: "not-found" });
  await assert.rejects(world.restore(version, {}, { password: "other" }), { kind: "wrong-password" });
  const repository = { type: "directory", path: `${world.path}/none` } as const;
  await assert.rejects(world.restore(version, { repository }), { kind: "not-found" });
  const [segment] = await Array.fromAsync(world.store.list("index/"));
  await world.store.put(segment.key, new Uint8Array(100));
  await assert.rejects(world.restore(version), { kind: "damaged" });
  await world.store.put(`versions/${version.versionId}`, new Uint8Array(100));
  await assert.rejects(world.restore(version), { kind: "damaged" });
  assert.ok(!fs.existsSync(world.target));
});

Deno.test("chosen paths come back where they were, and nothing else", async () => {
  const odd = "odd\n\"name\" 'é' \u{1f600}";
  using world = await BackupWorld.make();
  for (const name of ["a/b/file", "a/b/other", "a/c/deep/file", `a/${odd}/x`, "z"]) world.write(`source/${name}`, name);
  fs.symlinkSync("z", `${world.source}/link`);
  fs.chmodSync(`${world.source}/a`, 0o750);
  const version = await world.backup();
  world.write("target/a/c/extra", "extra");
  world.write("target/a/extra", "extra");
  const paths = ["a/b/file", "a/c/", `a/${odd}/x`, "a/c/deep", "link"];
  const result = await world.restore(version, { paths, deleteExtra: true });
  assert.deepEqual([result.success, result.errors, result.deleted], [true, [], 1]);
  assert.deepEqual(world.list(), {
    a: "/",
    "a/b": "/",
    "a/b/file": "a/b/file",
    "a/c": "/",
    "a/c/deep": "/",
    "a/c/deep/file": "a/c/deep/file",
    "a/extra": "extra",
    [`a/${odd}`]: "/",
    [`a/${odd}/x`]: `a/${odd}/x`,
    link: "z",
  });
  const mtime = (path: string) => fs.statSync(path).mtimeMs;
  assert.equal(mtime(`${world.target}/a/b`), mtime(`${world.source}/a/b`));
  assert.notEqual(fs.statSync(`${world.target}/a`).mode & 0o777, 0o750, "a directory that was there stays what it was");
});

Deno.test("a chosen path that the version does not have stops the restore before it begins", async () => {
  using world = await BackupWorld.make();
  world.write("source/a/file", "text");
  const version = await world.backup();
  const details = /not have these paths: a\/file\/below, a\/none, none\/at\/all$/;
  const paths = ["a/file", "none/at/all", "a/none", "a/file/below"];
  await assert.rejects(world.restore(version, { paths }), (error: Error & { kind: string; details: string }) => {
    return error.kind === "not-found" && details.test(error.details);
  });
  assert.ok(!fs.existsSync(world.target));
  for (const path of ["", "/", "/a", "../a", "a/../../b", "a//file", "."]) {
    await assert.rejects(world.restore(version, { paths: [path] }), { kind: "invalid" }, path);
  }
});

Deno.test("nothing is written through a link, neither one that was there nor one that appears midway", async () => {
  using world = await BackupWorld.make();
  for (const name of ["a/file", "b/file", "c/deep/file"]) world.write(`source/${name}`, name);
  const version = await world.backup();
  for (const name of ["outside/kept", "outside/deep/kept"]) world.write(name, "kept");
  const outside = world.list(`${world.path}/outside`);
  fs.mkdirSync(world.target);
  fs.symlinkSync("../outside", `${world.target}/a`);
  const midway = inlinePool((task) => {
    if (task !== "backup.restore.apply" || fs.existsSync(`${world.target}/c`)) return;
    fs.symlinkSync("../outside", `${world.target}/c`);
  });
  const result = await world.restore(version, {}, { pool: midway });
  assert.equal(result.success, false);
  assert.ok(named(result.errors).includes("c/deep/file"));
  assert.deepEqual(world.list(`${world.path}/outside`), outside);
  assert.equal(fs.readFileSync(`${world.target}/a/file`, "utf8"), "a/file");
  assert.equal((await world.restore(version)).success, true);
  await assertSameTree(world.source, world.target);
  // Where a part of a chosen path is a link, that link stays.
  fs.rmSync(`${world.target}/c`, { recursive: true });
  fs.symlinkSync("../outside", `${world.target}/c`);
  const chosen = await world.restore(version, { paths: ["c/deep/file"] });
  assert.deepEqual(chosen.errors, ["c: in the target this is no directory"]);
  assert.deepEqual(world.list(`${world.path}/outside`), outside);
  fs.symlinkSync("outside", `${world.path}/root`);
  await assert.rejects(world.restore(version, { restorePath: `${world.path}/root` }), { kind: "invalid" });
});

Deno.test("a restore that is cancelled anywhere leaves no temporary name, and the next one brings it to its end", async () => {
  using world = await BackupWorld.make();
  for (let i = 0; i < 6; i++) world.write(`source/d${i % 2}/file${i}`, noise(i, 20_000));
  world.write("source/large", "");
  fs.truncateSync(`${world.source}/large`, 130 * 2 ** 20);
  const version = await world.backup();
  for (let at = 3;; at += 5) {
    fs.rmSync(world.target, { recursive: true, force: true });
    for (let i = 0; i < 6; i += 2) world.write(`target/d${i % 2}/file${i}`, noise(99, 20_000));
    const controller = new AbortController();
    let seen = 0;
    const pool = inlinePool(() => {}, () => {
      if (++seen === at) controller.abort(new CancelledError("stop"));
    });
    const run = world.restore(version, {}, { pool }, controller.signal);
    if (await run.then(() => true, (error) => assert.equal(error.name, "CancelledError") ?? false)) break;
    assert.deepEqual(temporaries(world), [], `cancelled at checkpoint ${at}`);
    for (const name of ["d0/file0", "d0/file2"]) {
      const bytes = fs.readFileSync(`${world.target}/${name}`);
      const source = fs.readFileSync(`${world.source}/${name}`);
      assert.ok(bytes.equals(noise(99, 20_000)) || bytes.equals(source), "old or new, never half");
    }
  }
  await assertSameTree(world.source, world.target);
});

Deno.test("what a killed run left is removed by the next", async () => {
  using world = await BackupWorld.make();
  for (const name of ["a/file", "b/file"]) world.write(`source/${name}`, name);
  const version = await world.backup();
  await world.restore(version);
  for (const name of ["a", "b"]) world.write(`target/${name}/.syncline-0123456789ab-x1.tmp`, "half");
  await world.restore(version, { dryRun: true });
  assert.equal(temporaries(world).length, 2);
  await world.restore(version, { paths: ["a/file"] });
  assert.equal(temporaries(world).length, 1);
  await world.restore(version);
  assert.deepEqual(temporaries(world), []);
  await assertSameTree(world.source, world.target);
});

Deno.test("two restores into one directory exclude each other", async () => {
  using world = await BackupWorld.make();
  world.write("source/file", "text");
  const version = await world.backup();
  const outcomes = await Promise.allSettled([world.restore(version), world.restore(version)]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
});

Deno.test("progress never falls and tells bytes and time", async () => {
  using world = await BackupWorld.make();
  for (let i = 0; i < 20; i++) world.write(`source/file${i}`, noise(i, 100_000));
  const version = await world.backup();
  await world.restore(version);
  const percentages = world.progress.map(({ percentage }) => percentage as number);
  assert.deepEqual(percentages, percentages.toSorted((a, b) => a - b));
  const last = world.progress.at(-1)?.figures;
  assert.ok(last !== undefined && last.bytesTotal === 2_000_000 && last.etaMs >= 0);
});

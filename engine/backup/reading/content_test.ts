import assert from "node:assert/strict";
import * as fs from "node:fs";
import type { VersionContent } from "../operations.ts";
import { BackupWorld } from "../testing/backup_world.ts";
import type { Version } from "../versions/version.ts";
import { command } from "../../../tests/harness/command.ts";
import { assertSameTree } from "../../../tests/harness/compare.ts";
import { createRandom, testSeed } from "../../../tests/harness/random.ts";
import { RandomTree } from "../../../tests/harness/random_tree.ts";
import { createPool } from "../../../workers/pool.ts";

const never = new AbortController().signal;

async function content(world: BackupWorld, version: Version, path: string): Promise<VersionContent> {
  return await world.operations.content({ repository: world.location, versionId: version.versionId, path });
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}

async function fileOf(world: BackupWorld, version: Version, path: string) {
  const found = await content(world, version, path);
  assert.equal(found.type, "file");
  return found as VersionContent & { type: "file" };
}

Deno.test("any range of a file", async () => {
  const random = createRandom(testSeed("content"));
  using world = await BackupWorld.make({ password: "secret" });
  world.write("source/file", random.bytes(200_000));
  const file = fs.openSync(`${world.source}/file`, "r+");
  fs.writeSync(file, random.bytes(100), 0, 100, 9_000_000);
  fs.closeSync(file);
  const bytes = fs.readFileSync(`${world.source}/file`);
  const version = await world.backup({ chunk: 3001 });
  const found = await fileOf(world, version, "file");
  assert.deepEqual([found.name, found.size], ["file", bytes.length]);
  const ranges = [[0, bytes.length], [bytes.length, 0], [0, 0], [bytes.length - 1, 1], [199_999, 2]];
  for (let i = 0; i < 10; i++) {
    const offset = random.below(bytes.length);
    ranges.push([offset, random.below(bytes.length - offset + 1)]);
  }
  for (const [offset, length] of ranges) {
    const read = await bytesOf(found.read({ offset, length }, never));
    assert.ok(bytes.subarray(offset, offset + length).equals(read), `${offset} ${length}`);
  }
  assert.throws(() => found.read({ offset: 1, length: bytes.length }, never), RangeError);
});

Deno.test("equal files have equal tags, others have others; a link has no content", async () => {
  using world = await BackupWorld.make();
  for (const [name, text] of [["a", "text"], ["b", "text"], ["c", "Text"]]) world.write(`source/${name}`, text);
  fs.symlinkSync("a", `${world.source}/link`);
  const version = await world.backup();
  const [a, b, c] = await Promise.all(["a", "b", "c"].map((name) => content(world, version, name)));
  assert.equal(a.etag, b.etag);
  assert.notEqual(a.etag, c.etag);
  assert.match(a.etag, /^[0-9a-f]+$/);
  await assert.rejects(content(world, version, "link"), { kind: "invalid" });
  await assert.rejects(content(world, version, "none"), { kind: "not-found" });
});

Deno.test("a stream makes no more than it is asked for, and gives the repository back when it is cancelled", async () => {
  using world = await BackupWorld.make();
  world.write("source/file", new Uint8Array(30 * 2 ** 20));
  const version = await world.backup({ chunk: 1 << 20 });
  const leases = async () => (await Array.fromAsync(world.store.list("leases/"))).length;
  const found = await fileOf(world, version, "file");
  assert.equal(await leases(), 0);
  const reader = found.read({ offset: 0, length: found.size }, never).getReader();
  assert.equal((await reader.read()).value?.length, 4 * 2 ** 20);
  assert.equal(await leases(), 1);
  await reader.cancel();
  assert.equal(await leases(), 0);
  const controller = new AbortController();
  const other = found.read({ offset: 0, length: found.size }, controller.signal).getReader();
  await other.read();
  controller.abort(new Error("enough"));
  await assert.rejects((async () => {
    while (!(await other.read()).done);
  })());
  assert.equal(await leases(), 0);
});

Deno.test("a lost chunk ends the stream with an error, never with other bytes", async () => {
  using world = await BackupWorld.make();
  world.write("source/bad", "text");
  const version = await world.backup({ lose: ["bad"] });
  const file = await fileOf(world, version, "bad");
  await assert.rejects(bytesOf(file.read({ offset: 0, length: 4 }, never)), { kind: "damaged" });
  const whole = await content(world, version, "") as VersionContent & { type: "directory" };
  await assert.rejects(bytesOf(whole.tar(never)), { kind: "damaged" });
  assert.deepEqual(await Array.fromAsync(world.store.list("leases/")), []);
});

Deno.test("GNU tar makes of the archive what was backed up", async () => {
  const random = createRandom(testSeed("tar"));
  const pool = createPool({ size: 2 });
  try {
    using world = await BackupWorld.make({ pool, onDisk: true, password: "secret" });
    const tree = new RandomTree(world.source, random, { invalidUtf8: true });
    tree.grow(250);
    world.write("source/before 1970", "");
    fs.utimesSync(`${world.source}/before 1970`, 0, -1.5);
    world.write("source/large", random.bytes(9_000_000));
    fs.truncateSync(`${world.source}/large`, 12_000_000);
    const version = await world.backup({ chunk: 50_000 });
    const found = await content(world, version, "") as VersionContent & { type: "directory" };
    const archive = await bytesOf(found.tar(never));
    assert.equal(archive.length % 10_240, 0);
    fs.mkdirSync(world.target);
    const options = ["-x", "-p", "--same-owner", "--delay-directory-restore", "-f", "-"];
    await command("tar", options, { cwd: world.target, stdin: archive as Uint8Array<ArrayBuffer> });
    await assertSameTree(world.source, world.target);
  } finally {
    await pool.close(0);
  }
});

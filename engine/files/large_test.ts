/** Large files are copied in parts, so that they hold up nobody else. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as fs from "node:fs";
import { inlinePool } from "./inline_pool.ts";
import { PathLocks } from "./locks.ts";
import { syncFiles } from "./sync.ts";
import { World } from "./world.ts";

const MIB = 1 << 20;
const LARGE = 150 * MIB + 4097;

/** A file of noise that repeats itself. */
function writeLarge(path: string, seed = 0): void {
  const block = crypto.getRandomValues(new Uint8Array(65_536));
  block[0] = seed;
  const file = fs.openSync(path, "w");
  for (let at = 0; at < LARGE; at += block.length) {
    block[1] = at / block.length;
    fs.writeSync(file, block, 0, Math.min(block.length, LARGE - at));
  }
  fs.closeSync(file);
}

function assertSame(world: World, name = "large"): void {
  const [a, b] = [world.source, world.target].map((root) => `${root}/${name}`);
  assert.equal(Buffer.compare(fs.readFileSync(a), fs.readFileSync(b)), 0);
  assert.deepEqual([fs.statSync(b).mtimeMs, fs.statSync(b).mode], [fs.statSync(a).mtimeMs, fs.statSync(a).mode]);
}

Deno.test("another run's tasks come between the parts of a large file", async () => {
  using big = new World();
  using small = new World();
  writeLarge(`${big.source}/large`);
  small.write("source/file", "text");
  const order: string[] = [];
  const pool = inlinePool((task, input) => {
    const ofBig = JSON.stringify(input).includes(big.path);
    order.push(ofBig ? task : "another run's");
  });
  const run = (world: World, sessionId: string) => {
    fs.mkdirSync(`${world.path}/data/tmp`, { recursive: true });
    fs.mkdirSync(`${world.path}/data/baselines`);
    return syncFiles(world.request(), { pool, dataDir: `${world.path}/data`, locks: new PathLocks() }, {
      sessionId,
      signal: new AbortController().signal,
      progress: () => {},
    });
  };
  const results = await Promise.all([run(big, "big"), run(small, "small")]);
  for (const { errors } of results) assert.deepEqual(errors, []);
  const parts = order.map((task, at) => task === "files.large" ? at : -1).filter((at) => at >= 0);
  assert.ok(parts.length >= 3, order.join());
  assert.ok(order.slice(parts[0], parts[parts.length - 1]).includes("another run's"), order.join());
  assertSame(big);
});

Deno.test("large files in the place of others, verified, linked, over a directory", async () => {
  using world = new World();
  writeLarge(`${world.source}/large`);
  fs.linkSync(`${world.source}/large`, `${world.source}/twin`);
  writeLarge(`${world.source}/over`, 1);
  world.write("target/large", "old");
  world.write("target/over/x", "old");
  const options = { deleteMissingInTarget: true, verifyIntegrity: true };
  const result = await world.sync(options);
  assert.deepEqual([result.errors, result.statistics.bytesTransferred], [[], 2 * LARGE]);
  for (const name of ["large", "twin", "over"]) assertSame(world, name);
  assert.equal((await world.sync(options)).changesApplied, 0);
});

/** Calls `step` before the `n`th part. */
function beforePart(n: number, step: () => void): (task: string) => void {
  return (task) => {
    if (task === "files.large" && --n === 0) step();
  };
}

Deno.test("a source that changes between two parts is copied again", async () => {
  using world = new World();
  writeLarge(`${world.source}/large`);
  const result = await world.sync({}, beforePart(3, () => fs.appendFileSync(`${world.source}/large`, "more")));
  assert.deepEqual(result.errors, []);
  assertSame(world);
});

Deno.test("a source that vanishes or changes between all parts is reported and leaves nothing", async () => {
  const steps: [words: string, step: (path: string) => void][] = [
    ["large: disappeared during the run", (path) => fs.rmSync(path, { force: true })],
    ["large: changed while it was copied", (path) => fs.appendFileSync(path, "more")],
  ];
  for (const [words, step] of steps) {
    using world = new World();
    writeLarge(`${world.source}/large`);
    let parts = 0;
    const result = await world.sync({}, (task) => {
      if (task === "files.large" && ++parts > 1) step(`${world.source}/large`);
    });
    assert.deepEqual([result.errors, fs.readdirSync(world.target)], [[words], []]);
  }
});

Deno.test("a run that is cancelled between two parts leaves no temporary file", async () => {
  using world = new World();
  writeLarge(`${world.source}/large`);
  const cancel = new AbortController();
  const stop = beforePart(3, () => {
    cancel.abort(new DOMException("stop", "AbortError"));
    cancel.signal.throwIfAborted();
  });
  await assert.rejects(world.sync({}, { before: stop, signal: cancel.signal }), { name: "AbortError" });
  assert.deepEqual(fs.readdirSync(world.target), []);
});

Deno.test("bytes transferred are those of data, not of holes", async () => {
  using world = new World();
  world.write("source/sparse", "data");
  fs.truncateSync(`${world.source}/sparse`, 300 * MIB);
  const { errors, statistics } = await world.sync();
  assert.deepEqual(errors, []);
  assert.ok(statistics.bytesTransferred >= 4 && statistics.bytesTransferred < MIB, `${statistics.bytesTransferred}`);
  assert.equal(fs.statSync(`${world.target}/sparse`).size, 300 * MIB);
});

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Provided, testObjectStore } from "./conformance_testing.ts";
import { DirectoryStore } from "./directory_store.ts";
import { FaultyStore } from "./faulty_store.ts";
import { MemoryStore } from "./memory_store.ts";
import { StoreError } from "./object_store.ts";
import { openStore, registerMemoryStore } from "./open_store.ts";

const nothing = () => Promise.resolve();

async function inDirectory(mayBlock: boolean): Promise<Provided & { store: DirectoryStore }> {
  const parent = await Deno.makeTempDir();
  return {
    store: new DirectoryStore(`${parent}/made/by put`, mayBlock),
    [Symbol.asyncDispose]: () => Deno.remove(parent, { recursive: true }),
  };
}

const inMemory = () => Promise.resolve({ store: new MemoryStore(), [Symbol.asyncDispose]: nothing });

/** The largest that S3 takes as one part, and one byte. */
const LARGE = 5 * 2 ** 30 + 1;
const IN_MEMORY = 100_000_001;

testObjectStore("memory", inMemory, { large: IN_MEMORY });
testObjectStore(
  "faulty, without a fault",
  () => Promise.resolve({ store: new FaultyStore(new MemoryStore()), [Symbol.asyncDispose]: nothing }),
  { large: IN_MEMORY },
);
testObjectStore("directory, as in a worker", () => inDirectory(true), { large: LARGE });
testObjectStore("directory, as on the main thread", () => inDirectory(false), { large: LARGE });

Deno.test("a directory store follows no link and lists none", async () => {
  await using provided = await inDirectory(true);
  const { store } = provided;
  await store.put("real/object", new Uint8Array(3));
  await Deno.writeTextFile(`${store.path}/../outside`, "secret");
  await Deno.symlink("../../outside", `${store.path}/real/link`);
  await Deno.symlink("..", `${store.path}/up`);
  for (const key of ["real/link", "up/outside"]) {
    await assert.rejects(store.read(key), (error: StoreError) => error.kind === "not-found");
    await store.delete(key);
  }
  await assert.rejects(store.put("up/new", new Uint8Array()), (error: StoreError) => error.kind === "invalid");
  assert.deepEqual((await Array.fromAsync(store.list(""))).map((info) => info.key), ["real/object"]);
  assert.equal(await Deno.readTextFile(`${store.path}/../outside`), "secret");
});

Deno.test("a directory store keeps its temporary files apart, private, and removes those that were left", async () => {
  await using provided = await inDirectory(true);
  const { store } = provided;
  await store.put("object", new Uint8Array(3));
  assert.deepEqual(await Array.fromAsync(Deno.readDir(`${store.path}/tmp`)), []);
  assert.equal(((await Deno.stat(`${store.path}/object`)).mode as number) & 0o777, 0o600);
  assert.equal(((await Deno.stat(store.path)).mode as number) & 0o777, 0o700);
  await Deno.writeFile(`${store.path}/tmp/left`, new Uint8Array(10));
  assert.deepEqual((await Array.fromAsync(store.list(""))).length, 1);
  await assert.rejects(store.read("tmp/left"), (error: StoreError) => error.kind === "invalid");
  assert.equal(await store.removeUnfinished(new Date(Date.now() - 60_000)), 0);
  assert.equal(await store.removeUnfinished(new Date(Date.now() + 60_000)), 10);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(`${store.path}/tmp`)), []);
});

Deno.test("a directory store keeps zeros as holes, also at an object's end", async () => {
  await using provided = await inDirectory(true);
  const { store } = provided;
  const pieces = [new Uint8Array(3 << 20), Uint8Array.of(1, 2, 3), new Uint8Array(2 << 20)];
  await store.put("sparse", ReadableStream.from(pieces));
  const { size, blocks } = await Deno.stat(`${store.path}/sparse`);
  assert.equal(size, (5 << 20) + 3);
  assert((blocks as number) * 512 < 1 << 20, `${blocks} blocks`);
  assert(Buffer.from(await store.read("sparse")).equals(Buffer.concat(pieces)));
});

Deno.test("a fault happens at its operation, before it, after it or in its middle", async () => {
  const eight = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  for (const [mode, left] of [["before", undefined], ["half", 4], ["after", 8]] as const) {
    for (const isCrash of [false, true]) {
      const inner = new MemoryStore();
      const store = new FaultyStore(inner, { fault: { at: 2, mode, isCrash } });
      await store.put("first", eight);
      await assert.rejects(store.put("second", eight), /Fault 2/);
      assert.equal(inner.snapshot().get("second")?.length, left);
      if (isCrash) await assert.rejects(store.read("first"), /Crashed/);
      else assert.deepEqual(await store.read("first"), eight);
      assert.equal(store.failed, "put second");
    }
  }
});

Deno.test("a memory store is opened by its name", async () => {
  const location = registerMemoryStore("stores test", new MemoryStore());
  await openStore(location).put("k", new Uint8Array(1));
  assert.equal((await openStore(location).head("k")).size, 1);
  assert.throws(() => openStore({ type: "memory", name: "none" }), StoreError);
});

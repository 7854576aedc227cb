import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { MergedReads } from "./merged_reads.ts";
import { MemoryStore } from "../../cloud/memory_store.ts";
import { StoreError } from "../../cloud/object_store.ts";
import { createRandom, testSeed } from "../../../tests/harness/random.ts";

class CountingStore extends MemoryStore {
  requests = 0;
  bytes = 0;

  override async read(...given: Parameters<MemoryStore["read"]>): ReturnType<MemoryStore["read"]> {
    this.requests++;
    const bytes = await super.read(...given);
    this.bytes += bytes.length;
    return bytes;
  }
}

const random = createRandom(testSeed("merged reads"));
const SIZE = 32 << 20;
const pack = random.bytes(SIZE);

async function withPack(): Promise<[CountingStore, MergedReads]> {
  const store = new CountingStore();
  await store.put("pack", pack);
  await store.put("other", pack.subarray(0, 3_000_000));
  return [store, new MergedReads(store)];
}

Deno.test("frames that follow one another are read in few requests, none twice", async () => {
  const [store, reads] = await withPack();
  for (let at = 0; at < SIZE;) {
    const length = Math.min(SIZE - at, 1 + random.below(1 << 20));
    const bytes = await reads.read("pack", { offset: at, length, size: SIZE });
    assert(Buffer.from(bytes).equals(pack.subarray(at, at + length)), `${at} ${length}`);
    at += length;
  }
  assert.equal(store.bytes, SIZE);
  assert(store.requests <= 9, String(store.requests));
});

Deno.test("who jumps gets what is asked and causes no more", async () => {
  const [store, reads] = await withPack();
  let asked = 0;
  for (let i = 0; i < 10; i++) {
    const offset = (i * 7 % 10) * 3 * (1 << 20);
    const bytes = await reads.read("pack", { offset, length: 1000, size: SIZE });
    assert(Buffer.from(bytes).equals(pack.subarray(offset, offset + 1000)));
    asked += 1000;
  }
  assert.equal(store.bytes, asked);
});

Deno.test("any order of reads gives the right bytes, also of packs that are shorter than they should be", async () => {
  const [store, reads] = await withPack();
  let at = 0;
  for (let i = 0; i < 500; i++) {
    const key = random.oneIn(20) ? "other" : "pack";
    const size = SIZE;
    const there = key === "pack" ? SIZE : 3_000_000;
    if (random.oneIn(5)) at = random.below(there);
    const length = Math.min(there - Math.min(at, there), random.below(900_000));
    if (length === 0) {
      at = 0;
      continue;
    }
    const bytes = await reads.read(key, { offset: at, length, size });
    assert(Buffer.from(bytes).equals(pack.subarray(at, at + length)), `${key} ${at} ${length}`);
    at += length + (random.oneIn(3) ? random.below(500_000) : 0);
    if (at >= 3_000_000 && random.oneIn(2)) at = random.below(3_000_000);
  }
  // What was read ahead of the pack is held no more.
  await reads.read("other", { offset: 0, length: 10, size: SIZE });
  await store.delete("pack");
  await assert.rejects(reads.read("pack", { offset: 31 << 20, length: 10, size: SIZE }), StoreError);
});

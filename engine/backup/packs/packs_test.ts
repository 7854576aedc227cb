/** Packs, index segments and the reader of chunks together, over a store in memory. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { RepositoryAccess } from "../repository/access.ts";
import { chunkId } from "../crypto/chunk_id.ts";
import { ChunkLost, ChunkReader } from "./chunk_reader.ts";
import { loadIndex, readIndexSegment, segmentObject, writeIndexSegment } from "./index_segment.ts";
import { readPackTable } from "./pack_reader.ts";
import { packObject, type StoredPack, TableReader } from "./pack_table.ts";
import { PackWriter } from "./pack_writer.ts";
import { DirectoryStore } from "../../cloud/directory_store.ts";
import { MemoryStore } from "../../cloud/memory_store.ts";
import { createRandom, type Random, testSeed } from "../../../tests/harness/random.ts";

function access(encrypted: boolean): RepositoryAccess {
  return {
    location: { type: "memory", name: "unused" },
    repositoryId: crypto.randomUUID(),
    encrypted,
    masterKey: encrypted ? randomBytes(32) : null,
    gearSeed: randomBytes(32),
    chunking: { algorithm: "fastcdc", minimum: 1, average: 2, maximum: 4, normalization: 1, region: 8 },
  };
}

/** Chunks of all sorts: tiny, some alike and some noise, and some that need a frame of their own. */
function someChunks(random: Random, count: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: count }, () => {
    const length = random.pick([0, 1, 100, 5000, 70_000, 600_000]) + random.below(5000);
    return random.oneIn(2)
      ? random.bytes(length)
      : new TextEncoder().encode("words and words ".repeat(length / 16 + 1));
  });
}

function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  assert.ok(Buffer.compare(actual, expected) === 0, "other bytes came back");
}

async function store(rights: RepositoryAccess, place: MemoryStore, chunks: Uint8Array[]): Promise<StoredPack[]> {
  await using packs = new PackWriter(rights, place, "data");
  for (const chunk of new Map(chunks.map((chunk) => [chunkId(rights, chunk).toHex(), chunk])).values()) {
    await packs.add(chunkId(rights, chunk), chunk);
  }
  return await packs.finish();
}

for (const encrypted of [false, true]) {
  const kind = encrypted ? "encrypted" : "plain";

  Deno.test(`${kind}: every chunk reads back, through an index of segments or of the packs themselves`, async () => {
    const random = createRandom(testSeed("packs"));
    const [rights, place] = [access(encrypted), new MemoryStore()];
    const chunks = someChunks(random, 1400);
    const stored = await store(rights, place, chunks);
    assert.ok(stored.length > 1, "the test wants more than one pack");
    for (const pack of stored) {
      const { table, ...rest } = await readPackTable(rights, place, pack.name, pack.size);
      assertSame(table, pack.table);
      assert.deepEqual({ ...rest, table: pack.table }, pack);
    }
    await writeIndexSegment(rights, place, stored.slice(0, 1));
    const name = await writeIndexSegment(rights, place, stored.slice(1));
    assert.deepEqual(await readIndexSegment(rights, place, name), stored.slice(1));
    await writeIndexSegment(rights, place, stored);
    const { index, segments } = await loadIndex(rights, place);
    assert.equal(segments.length, 3);
    assert.equal(index.size, new Set(chunks.map((chunk) => chunkId(rights, chunk).toHex())).size);
    const reader = new ChunkReader(rights, place, index, { cacheBytes: 3 << 20 });
    for (let i = 0; i < 900; i++) {
      const chunk = random.pick(chunks);
      assertSame(await reader.read(chunkId(rights, chunk)), chunk);
    }
  });

  Deno.test(`${kind}: a chunk that is damaged or missing is lost, and never read as something else`, async () => {
    const random = createRandom(testSeed("lost chunks"));
    const [rights, place] = [access(encrypted), new MemoryStore()];
    const chunks = someChunks(random, 40);
    const [pack] = await store(rights, place, chunks);
    await writeIndexSegment(rights, place, [pack]);
    const { index } = await loadIndex(rights, place);
    const key = packObject(pack.name);
    const whole = await place.read(key);
    for (let i = 0; i < 200; i++) {
      const broken = whole.slice(0, random.oneIn(4) ? random.below(whole.length) : whole.length);
      if (broken.length === whole.length) broken[random.below(whole.length)] ^= 1 << random.below(8);
      await place.put(key, broken);
      const reader = new ChunkReader(rights, place, index, { cacheBytes: 3 << 20 });
      const chunk = random.pick(chunks);
      try {
        assertSame(await reader.read(chunkId(rights, chunk)), chunk);
      } catch (error) {
        assert.ok(error instanceof ChunkLost, String(error));
        assert.equal(error.pack, key);
      }
    }
    await place.delete(key);
    const reader = new ChunkReader(rights, place, index, { cacheBytes: 3 << 20 });
    await assert.rejects(reader.read(chunkId(rights, chunks[0])), ChunkLost);
    await assert.rejects(reader.read(randomBytes(32)), /in no index segment/);
  });

  Deno.test(`${kind}: a segment with any byte changed, cut or put under another name is refused`, async () => {
    const random = createRandom(testSeed("segments"));
    const [rights, place] = [access(encrypted), new MemoryStore()];
    const stored = await store(rights, place, someChunks(random, 10));
    const name = await writeIndexSegment(rights, place, stored);
    const whole = await place.read(segmentObject(name));
    for (let i = 0; i < 100; i++) {
      const broken = whole.slice(0, random.oneIn(3) ? random.below(whole.length) : whole.length);
      if (broken.length === whole.length) broken[random.below(whole.length)] ^= 1 << random.below(8);
      await place.put(segmentObject(name), broken);
      await assert.rejects(readIndexSegment(rights, place, name), { kind: "damaged" });
    }
    await place.put(segmentObject("0".repeat(64)), whole);
    await assert.rejects(readIndexSegment(rights, place, "0".repeat(64)), { kind: "damaged" });
  });
}

Deno.test("a table that claims more than it has is refused", () => {
  for (const broken of [[], [1, 0, 0, 0], [1, 0, 0, 0, ...Array(17).fill(0)], [0, 0, 0, 0, 9], [255, 255, 255, 255]]) {
    assert.throws(() => {
      const table = new TableReader(Uint8Array.from(broken), "a pack");
      while (table.next());
    }, { kind: "damaged" });
  }
});

Deno.test("an index costs at most 64 bytes a chunk", async () => {
  const rights = access(false);
  for (const [length, count] of [[27_000, 3000], [1 << 20, 96]]) {
    const place = new MemoryStore();
    const stored = await store(rights, place, Array.from({ length: count }, () => randomBytes(length)));
    await writeIndexSegment(rights, place, stored);
    const { index } = await loadIndex(rights, place);
    const { data } = index;
    assert.equal(data.chunkCount, count);
    const used = 36 * data.chunkCount + 16 * data.frameCount + 76 * data.packCount + data.slots.byteLength;
    assert.ok(used / count <= 64, `${used / count} bytes a chunk`);
  }
});

Deno.test("a pack that is stored holds no descriptor", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const [rights, place] = [access(true), new DirectoryStore(`${directory}/repository`)];
    await using packs = new PackWriter(rights, place, "data");
    for (let i = 0; i < 64; i++) {
      const chunk = randomBytes(2 << 20);
      await packs.add(chunkId(rights, chunk), chunk);
    }
    assert.equal((await packs.finish()).length, 4);
    const open: string[] = [];
    for await (const { name } of Deno.readDir("/proc/self/fd")) {
      open.push(await Deno.readLink(`/proc/self/fd/${name}`).catch(() => ""));
    }
    assert.deepEqual(open.filter((path) => path.startsWith(directory)), []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

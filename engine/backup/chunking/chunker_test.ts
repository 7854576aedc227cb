import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createRandom, testSeed } from "../../../tests/harness/random.ts";
import type { Chunking } from "../repository/access.ts";
import { Chunker } from "./chunker.ts";
import { chunkingFault, DEFAULT_CHUNKING } from "./chunking.ts";
import { gearTable } from "./gear_table.ts";

const SEED = Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 1);
const SMALL: Chunking = {
  algorithm: "fastcdc",
  minimum: 64,
  average: 256,
  maximum: 1024,
  normalization: 2,
  region: 1 << 20,
};

/** The lengths of all chunks of a run. */
function cut(bytes: Uint8Array, chunking: Chunking, seed = SEED): number[] {
  const chunker = new Chunker(chunking, seed);
  const lengths: number[] = [];
  for (let start = 0; start < bytes.length;) {
    const length = chunker.next(bytes, start, bytes.length, true);
    assert.ok(length > 0);
    lengths.push(length);
    start += length;
  }
  return lengths;
}

/** FORMAT.md section 6, word for word. */
function specified(bytes: Uint8Array, chunking: Chunking, seed = SEED): number[] {
  const gear = gearTable(seed);
  const bits = Math.log2(chunking.average);
  const lengths: number[] = [];
  for (let start = 0; start < bytes.length;) {
    let length = Math.min(chunking.maximum, bytes.length - start);
    let hash = 0;
    for (let at = chunking.minimum; at < length; at++) {
      hash = (hash * 2 + gear[bytes[start + at]]) % 2 ** 32;
      const zeros = at < chunking.average ? bits + chunking.normalization : bits - chunking.normalization;
      if (hash < 2 ** (32 - zeros)) length = at + 1;
    }
    lengths.push(length);
    start += length;
  }
  return lengths;
}

/** As a stream would: the bytes arrive in slices, and what is left of one is moved in front of the next. */
function cutSliced(bytes: Uint8Array, chunking: Chunking, nextSlice: () => number): number[] {
  const chunker = new Chunker(chunking, SEED);
  const lengths: number[] = [];
  let [held, arrived] = [new Uint8Array(0), 0];
  while (arrived < bytes.length || held.length > 0) {
    const more = bytes.subarray(arrived, arrived + nextSlice());
    arrived += more.length;
    // An odd place in the buffer, so that the words that the loop reads are aligned differently each time.
    const pad = lengths.length % 4;
    const buffer = new Uint8Array(pad + held.length + more.length);
    buffer.set(held, pad);
    buffer.set(more, pad + held.length);
    let start = pad;
    for (;;) {
      const length = chunker.next(buffer, start, buffer.length, arrived === bytes.length);
      if (length === 0) break;
      lengths.push(length);
      start += length;
    }
    held = buffer.slice(start);
  }
  return lengths;
}

Deno.test("the gear table is the ChaCha20 key stream", () => {
  // RFC 8439, appendix A.1, test vector 1.
  assert.deepEqual([...gearTable(new Uint8Array(32)).subarray(0, 3)], [0xade0b876, 0x903df1a0, 0xe56a5d40]);
});

Deno.test("golden boundaries: whoever changes them loses the deduplication of every repository", () => {
  const bytes = createRandom(1).bytes(24 * 1024 * 1024);
  const large = cut(bytes, { ...SMALL, minimum: 1 << 18, average: 1 << 20, maximum: 1 << 22, region: 1 << 29 });
  assert.deepEqual(large.slice(0, 10), [
    1105797,
    1986786,
    1378261,
    1011483,
    1108599,
    1089933,
    1478817,
    2548070,
    1065023,
    1108032,
  ]);
  const small = cut(bytes.subarray(0, 1 << 20), SMALL);
  assert.deepEqual(small.slice(0, 10), [389, 409, 170, 284, 309, 286, 351, 315, 256, 433]);
  assert.equal(
    createHash("sha256").update([...large, ...small].join()).digest("hex"),
    "4965fce2667394e36828400b4245957ccce8c99d27339c73ed194c71cce3f5d8",
  );
});

Deno.test("boundaries are those that the format specifies", () => {
  const random = createRandom(testSeed("chunker against its specification"));
  for (let round = 0; round < 200; round++) {
    const chunking = { ...SMALL, minimum: 64 + random.below(190), normalization: random.below(4) };
    const bytes = random.bytes(random.below(5000));
    const seed = random.bytes(32);
    assert.deepEqual(cut(bytes, chunking, seed), specified(bytes, chunking, seed));
  }
});

Deno.test("boundaries are the same however the bytes arrive", () => {
  const random = createRandom(testSeed("chunker in slices"));
  const bytes = random.bytes(100_000);
  const whole = cut(bytes, SMALL);
  assert.deepEqual(cutSliced(bytes, SMALL, () => 1), whole);
  for (let round = 0; round < 20; round++) {
    const limit = random.pick([7, 64, 65, 300, 1024, 5000]);
    assert.deepEqual(cutSliced(bytes, SMALL, () => random.below(limit)), whole);
  }
});

Deno.test("another seed has other boundaries", () => {
  const bytes = createRandom(2).bytes(100_000);
  const ends = (seed: Uint8Array<ArrayBuffer>) => {
    let end = 0;
    return cut(bytes, SMALL, seed).map((length) => end += length);
  };
  const one = new Set(ends(SEED));
  const shared = ends(new Uint8Array(32)).filter((end) => one.has(end)).length;
  assert.ok(shared < one.size / 20, `${shared} of ${one.size} are the same`);
});

Deno.test("a byte that is inserted, removed or changed moves few boundaries", () => {
  const random = createRandom(testSeed("chunker after an edit"));
  const bytes = random.bytes(400_000);
  const chunksOf = (of: Uint8Array) => {
    let start = 0;
    return cut(of, SMALL).map((length) =>
      createHash("sha256").update(of.subarray(start, start += length)).digest("hex")
    );
  };
  const before = new Set(chunksOf(bytes));
  for (let round = 0; round < 20; round++) {
    const at = random.below(bytes.length);
    const [left, right] = [bytes.subarray(0, at), bytes.subarray(at)];
    for (
      const edited of [[left, [7], right], [left, right.subarray(1)], [left, [right[0] ^ 1], right.subarray(1)]]
    ) {
      const created = chunksOf(Uint8Array.from(edited.flatMap((part) => [...part]))).filter((id) => !before.has(id));
      assert.ok(created.length <= 30, `${created.length} new chunks after an edit at ${at}`);
    }
  }
});

Deno.test("bytes without content to cut at become chunks of bounded, equal sizes", () => {
  for (const period of [1, 2, 3, 64, 255]) {
    for (const first of [0, 1, 0xff]) {
      const bytes = Uint8Array.from({ length: 50_000 }, (_, i) => first + (i % period));
      const lengths = cut(bytes, SMALL);
      assert.equal(lengths.reduce((sum, length) => sum + length, 0), bytes.length);
      for (const length of lengths.slice(0, -1)) assert.ok(length > SMALL.minimum && length <= SMALL.maximum);
      assert.deepEqual(lengths, specified(bytes, SMALL));
    }
  }
});

Deno.test("sizes at the limits", () => {
  for (const length of [1, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025, 2048, 2049]) {
    const bytes = createRandom(length).bytes(length);
    assert.deepEqual(cut(bytes, SMALL), specified(bytes, SMALL));
    if (length <= SMALL.minimum) assert.deepEqual(cut(bytes, SMALL), [length]);
  }
  const chunker = new Chunker(SMALL, SEED);
  assert.equal(chunker.next(new Uint8Array(0), 0, 0, true), 0);
  assert.equal(chunker.next(new Uint8Array(64), 0, 64, false), 0);
  assert.equal(chunker.next(new Uint8Array(64), 0, 64, true), 64);
});

Deno.test("parameters that the chunker cannot keep are refused", () => {
  assert.equal(chunkingFault(DEFAULT_CHUNKING), undefined);
  assert.equal(chunkingFault(SMALL), undefined);
  const wrong: Partial<Chunking>[] = [
    { algorithm: "rabin" as "fastcdc" },
    { minimum: 63 },
    { minimum: 256 },
    { average: 300 },
    { average: 1024 },
    { maximum: 1024.5 },
    { maximum: 2 ** 27, region: 2 ** 28 },
    { normalization: 8 },
    { normalization: -1 },
    { region: 1023 },
  ];
  for (const change of wrong) assert.ok(chunkingFault({ ...SMALL, ...change }), JSON.stringify(change));
});

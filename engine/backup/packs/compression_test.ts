import assert from "node:assert/strict";
import { createRandom, testSeed } from "../../../tests/harness/random.ts";
import { EngineError } from "../../errors.ts";
import { compress, decompress } from "./compression.ts";

const damaged = (error: unknown) => error instanceof EngineError && error.kind === "damaged";

Deno.test("what is compressed comes back, of any length", () => {
  const random = createRandom(testSeed("compression"));
  const words = Array.from({ length: 50 }, () => random.below(2 ** 30).toString(36));
  for (const length of [1000, 4096, 65_536, 131_072, 1 << 20, 3_000_000]) {
    const bytes = new Uint8Array(length);
    new TextEncoder().encodeInto(Array.from({ length: length / 5 }, () => random.pick(words)).join(" "), bytes);
    const compressed = compress(bytes);
    assert.ok(compressed !== null && compressed.length < length, `${length} bytes`);
    assert.deepEqual(new Uint8Array(decompress(compressed, length, "frame")), bytes);
    assert.throws(() => decompress(compressed, length - 1, "frame"), damaged);
    assert.throws(() => decompress(compressed, length + 1, "frame"), damaged);
    assert.throws(() => decompress(compressed.subarray(0, compressed.length >> 1), length, "frame"), damaged);
    assert.throws(() => decompress(compressed.subarray(1), length, "frame"), damaged);
  }
});

Deno.test("what does not get smaller stays raw", () => {
  const random = createRandom(testSeed("incompressible"));
  for (const length of [0, 1, 10, 1000, 1 << 20]) assert.equal(compress(random.bytes(length)), null, `${length} bytes`);
});

Deno.test("noise that repeats far apart is compressed", () => {
  const noise = createRandom(testSeed("repeated noise")).bytes(300_000);
  const bytes = new Uint8Array(900_000);
  for (const at of [0, 300_000, 600_000]) bytes.set(noise, at);
  const compressed = compress(bytes);
  assert.ok(compressed !== null && compressed.length < 310_000, `${compressed?.length} bytes`);
});

Deno.test("a small object that claims to be huge makes no more than was asked for", () => {
  const bomb = compress(new Uint8Array(64 << 20))!;
  assert.ok(bomb.length < 10_000);
  assert.throws(() => decompress(bomb, 1 << 20, "frame"), damaged);
  assert.throws(() => decompress(bomb, 0, "frame"), damaged);
});

import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { combineCrc32 } from "./crc32.ts";
import { createRandom, testSeed } from "../../tests/harness/random.ts";

Deno.test("the sums of parts combine to the sum of the whole", () => {
  const random = createRandom(testSeed("crc32"));
  for (let round = 0; round < 200; round++) {
    const parts = Array.from({ length: 1 + random.below(5) }, () => random.bytes(random.below(3000)));
    const whole = new Uint8Array(parts.flatMap((part) => [...part]));
    const sum = parts.reduce((crc, part) => combineCrc32(crc, crc32(part), part.length), 0);
    assert.equal(sum, crc32(whole));
  }
});

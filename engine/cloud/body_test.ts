import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { bytesSource, sourceBody } from "./body.ts";
import { partSize } from "./part_size.ts";
import { createRandom } from "../../tests/harness/random.ts";

Deno.test("a long body is streamed, as often as it is asked for, and has the same hash", async () => {
  const bytes = createRandom(3).bytes(3_500_000);
  const part = bytes.subarray(1000, 3_300_000);
  const body = await sourceBody(bytesSource(bytes), 1000, part.length, undefined, 1 << 20);
  assert(createHash("md5").update(part).digest().equals(body.md5));
  for (let i = 0; i < 2; i++) {
    let signs = 0;
    const opened = body.open(() => signs++);
    assert(!(opened instanceof Uint8Array));
    assert(Buffer.concat(await Array.fromAsync(opened)).equals(part));
    assert(signs >= 6, `${signs} signs of life`);
  }
});

Deno.test("parts are as small as their number allows", () => {
  const MIB = 1 << 20;
  assert.equal(partSize(1, 10_000), 8 * MIB);
  assert.equal(partSize(80_000 * MIB, 10_000), 8 * MIB);
  assert.equal(partSize(80_000 * MIB + 1, 10_000), 9 * MIB);
  // S3 takes parts of 5 MiB to 5 GiB, 10,000 of them, and 5 TiB in all; Azure 50,000 blocks of up to 4,000 MiB.
  const limits = [[10_000, 5 * 2 ** 30, 5 * 2 ** 40], [50_000, 4000 * MIB, 190 * 2 ** 40]];
  for (const [mostParts, mostPart, most] of limits) {
    const sizes = Array.from({ length: 400 }, (_, i) => Math.floor(most ** ((i + 1) / 400)));
    const edges = Array.from({ length: 200 }, (_, i) => mostParts * MIB * (i + 8));
    for (const size of [...sizes, ...edges, ...edges.map((edge) => edge + 1), most - 1, most]) {
      const part = partSize(size, mostParts);
      const count = Math.ceil(size / part);
      assert(count <= mostParts && part >= 5 * MIB && part <= mostPart, `${size}: ${count} parts of ${part}`);
      assert(part % MIB === 0 && size - (count - 1) * part > 0, `${size}: ${count} parts of ${part}`);
    }
  }
});

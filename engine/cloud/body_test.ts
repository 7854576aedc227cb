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
    const opened = body.open();
    assert(!(opened instanceof Uint8Array));
    assert(Buffer.concat(await Array.fromAsync(opened)).equals(part));
  }
});

Deno.test("parts are as small as their number allows", () => {
  const MIB = 1 << 20;
  assert.equal(partSize(1, 10_000), 8 * MIB);
  assert.equal(partSize(80_000 * MIB, 10_000), 8 * MIB);
  assert.equal(partSize(80_000 * MIB + 1, 10_000), 9 * MIB);
  const most = 5 * 2 ** 40;
  assert(Math.ceil(most / partSize(most, 10_000)) <= 10_000);
  assert(partSize(most, 10_000) <= 5 * 2 ** 30);
});

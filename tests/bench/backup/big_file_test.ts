import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { BigFile } from "./big_file.ts";

const MIB = 1024 * 1024;

Deno.test("a big file is repeatable, half compressible, and changes in whole MiB", async () => {
  const directory = await Deno.makeTempDir({ prefix: "syncline-bench-test-" });
  try {
    const signal = new AbortController().signal;
    const file = new BigFile(`${directory}/a`, 8 * MIB, 3);
    await file.make(signal);
    await new BigFile(`${directory}/b`, 8 * MIB, 3).make(signal);
    const before = await Deno.readFile(`${directory}/a`);
    assert.deepEqual(before, await Deno.readFile(`${directory}/b`));
    const share = zstdCompressSync(before).length / before.length;
    assert.ok(share > 0.5 && share < 0.8, String(share));
    await file.change();
    const after = await Deno.readFile(`${directory}/a`);
    const pieces = Array.from({ length: 8 }, (_, i) => i).filter((i) =>
      before.subarray(i * MIB, (i + 1) * MIB).some((byte, at) => byte !== after[i * MIB + at])
    );
    assert.equal(pieces.length, 1);
    assert.equal(after.length, 8 * MIB);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

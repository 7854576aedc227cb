import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { PieceWriter } from "./piece_writer.ts";
import { openTemporary } from "../../files/copy.ts";
import { close, truncate } from "../../posix/mod.ts";
import { Tree } from "../../posix/mod.ts";
import { createRandom, testSeed } from "../../../tests/harness/random.ts";

const MIB = 1 << 20;

for (const direct of [false, true]) {
  const name = `runs of all lengths, with all gaps, ${direct ? "past" : "through"} the page cache`;

  Deno.test(name, async () => {
    const random = createRandom(testSeed(name));
    const directory = await Deno.makeTempDir();
    try {
      for (let round = 0; round < 8; round++) {
        const start = random.pick([0, 4096, 3 * MIB]);
        const expected = Buffer.alloc(start + 40 * MIB);
        using tree = new Tree(directory);
        const made = openTemporary(tree.root, `file${round}`, 0o600, direct);
        let end = start;
        {
          await using writer = new PieceWriter(made.descriptor, start, made.direct);
          while (end < expected.length - 10 * MIB) {
            const bytes = random.bytes(random.pick([1, 100, 4096, 70_000, MIB, 9 * MIB]) + random.below(5000));
            await writer.put(bytes, end);
            expected.set(bytes, end);
            end += bytes.length;
            if (random.oneIn(3)) end += random.pick([1, 4096, 10_000, 2 * MIB, 4 * MIB, 5 * MIB]);
            if (random.oneIn(6)) end += 4096 - end % 4096;
          }
          await writer.finish();
        }
        truncate(made.descriptor, expected.length);
        close(made.descriptor);
        const found = await Deno.readFile(`${directory}/file${round}`);
        assert.equal(Buffer.compare(found, expected), 0, `round ${round}`);
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { HashList } from "./hash_list.ts";
import { StagedSegments } from "./staged_segments.ts";

function list(from: number, count: number): HashList {
  const list = new HashList(count);
  for (let n = from; n < from + count; n++) list.add(BigInt(n), 2n ** 64n - BigInt(n) - 1n);
  return list;
}

Deno.test("staged segments come back as they were set or added to, from memory and from the file", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/segments`;
  {
    using staged = new StagedSegments(path);
    const expected = new Map<number, HashList>();
    // Some have one piece, some many, one more than the buffer holds.
    for (let bucket = 0; bucket < 60; bucket++) {
      const whole = new HashList();
      for (let piece = 0; piece <= bucket; piece++) {
        const part = list(bucket * 100_000 + piece * 1000, bucket === 7 ? 90_000 : 100 + piece);
        whole.addAll(new BigUint64Array(part.bytes().slice().buffer));
        staged.add(bucket, part);
      }
      expected.set(bucket, whole);
    }
    staged.set(3, list(5, 2));
    expected.set(3, list(5, 2));
    staged.set(4, new HashList());
    expected.set(4, new HashList());
    const all = [...staged.all()].map(({ checksum, entries }) => ({ ...checksum, entries: entries.slice() }));
    assert.deepEqual(all.map(({ bucket }) => bucket), [...expected.keys()]);
    for (const { bucket, rows, sum, entries } of all) {
      const wanted = expected.get(bucket) as HashList;
      assert.deepEqual([rows, sum], [wanted.length / 2, wanted.sum()], String(bucket));
      assert(Buffer.compare(entries, wanted.bytes()) === 0, String(bucket));
      assert.deepEqual(staged.get(bucket)?.length, wanted.length);
    }
    assert.equal(staged.get(60), undefined);
    staged.clear();
    assert.deepEqual([...staged.all()], []);
    staged.add(1, list(1, 1));
    assert.deepEqual([...staged.get(1) as BigUint64Array], [1n, 2n ** 64n - 2n]);
  }
  assert.deepEqual(await Array.fromAsync(Deno.readDir(directory)), []);
  await Deno.remove(directory);
});

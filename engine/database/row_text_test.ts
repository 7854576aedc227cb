import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createRandom, testSeed } from "../../tests/harness/random.ts";
import { hashBucket, keyBucket, rowHash, rowText } from "./row_text.ts";
import type { Row } from "./types.ts";

function digest(row: Row) {
  return createHash("md5").update(rowText(row)).digest();
}

Deno.test("different rows have different texts", () => {
  assert.equal(rowText(["a", null, "", "größe", "\u{1f600}"]), "1:aN0:7:größe4:\u{1f600}");
  const rows: Row[] = [["a|b", "c"], ["a", "b|c"], ["", null], [null, ""], ["N"], [null], ["1:a"], ["a"], []];
  assert.equal(new Set(rows.map(rowText)).size, rows.length);
});

Deno.test("hashes and buckets are those of MD5, for rows of any length", () => {
  const random = createRandom(testSeed("row hashes"));
  const lengths = [
    0,
    1,
    9,
    10,
    51,
    52,
    53,
    54,
    55,
    56,
    63,
    64,
    65,
    99,
    100,
    119,
    120,
    255,
    256,
    257,
    65_000,
    65_536,
    200_000,
  ];
  const alphabets = [["a"], [..."abc019"], ["a", "ß", "€", "\u{1f600}"], ["\u{1f600}"]];
  const rows: Row[] = lengths.flatMap((length) => alphabets.map(([letter]) => [letter.repeat(length)]));
  for (let round = 0; round < 3000; round++) {
    rows.push(Array.from({ length: random.below(12) }, () => {
      if (random.oneIn(5)) return null;
      const alphabet = random.pick(alphabets);
      const length = random.oneIn(50) ? random.below(70_000) : random.below(40);
      return Array.from({ length: Math.min(length, 100) }, () => random.pick(alphabet)).join("").repeat(
        length > 100 ? 700 : 1,
      );
    }));
  }
  for (const row of rows) {
    const expected = digest(row);
    assert.equal(rowHash(row), expected.readBigUInt64BE());
    assert.equal(keyBucket(row, 2 ** 30), expected.readUInt32BE() % 2 ** 30);
    assert.equal(hashBucket(rowHash(row), 16), expected[7] % 16);
  }
});

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createRandom, testSeed } from "../../tests/harness/random.ts";
import { hashBucket, keyBucket, rowHash, rowText } from "./row_text.ts";
import type { Form, Row } from "./types.ts";

/** Every other value has a length in the text. */
const FORMS = Array.from({ length: 12 }, (_, at): Form => at % 2 === 0 ? "text" : "decimal");

function digest(forms: Form[], row: Row) {
  return createHash("md5").update(rowText(forms, row)).digest();
}

Deno.test("different rows have different texts", () => {
  assert.equal(
    rowText(["text", "integer", "json", "text", "float", "text"], ["größe", "-1", null, "", null, "\u{1f600}"]),
    "7|größe|-1|-1|0||N|4|\u{1f600}",
  );
  const rows: Row[] = [
    ["a|1", "b"],
    ["a", "1|b"],
    ["1|a", "b"],
    ["", null],
    [null, ""],
    [null, null],
    ["-1", null],
    [null, "-1"],
    ["|", "|"],
    ["||", ""],
    ["N", "N"],
    ["0", ""],
    ["0|", ""],
  ];
  assert.equal(new Set(rows.map((row) => rowText(["text", "text"], row))).size, rows.length);
  const mixed: Row[] = [["1", "5"], ["1|5", null], [null, "5"], ["-1", "5"], ["", "5"], ["", null], [null, null], [
    "5",
    null,
  ]];
  for (const forms of [["text", "integer"], ["integer", "text"]] as Form[][]) {
    const given = mixed.map((row) => forms[0] === "text" ? row : row.toReversed());
    assert.equal(new Set(given.map((row) => rowText(forms, row))).size, mixed.length);
  }
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
    for (const forms of [FORMS, FORMS.slice(1)]) {
      const values = row.slice(0, forms.length);
      const expected = digest(forms, values);
      const hash = rowHash({ forms }, values);
      assert.equal(hash, expected.readBigUInt64BE());
      assert.equal(keyBucket({ forms, key: [...values.keys()] }, values, 2 ** 30), expected.readUInt32BE() % 2 ** 30);
      assert.equal(hashBucket(hash, 16), expected[7] % 16);
    }
  }
});

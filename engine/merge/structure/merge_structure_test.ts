import assert from "node:assert/strict";
import { parse as parseYaml, stringify as stringifyYaml } from "yaml";
import { createRandom, type Random, testSeed } from "../../../tests/harness/random.ts";
import { mergeContents } from "../merge_contents.ts";
import type { MergeFormat, MergeStrategy } from "../types.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function merge(
  format: MergeFormat | "auto",
  texts: string[],
  strategy: MergeStrategy = "SourceWins",
  paths: string[] = [],
) {
  const [base, source, target] = texts.map((text) => encoder.encode(text));
  const merged = mergeContents({ base, source, target }, { strategy, format, paths });
  const conflicts = [...merged.conflicts].map(({ lineNumber, ...contents }) => [
    lineNumber,
    ...[contents.baseContent, contents.sourceContent, contents.targetContent, contents.resolution]
      .map((bytes) => decoder.decode(bytes)),
  ]);
  return { format: merged.format, text: decoder.decode(merged.content), conflicts };
}

const CLEAN: [name: string, format: MergeFormat, base: string, source: string, target: string, expected: string][] = [
  [
    "neighbouring keys",
    "json",
    '{\n  "a": 1,\n  "b": 2\n}\n',
    '{\n  "a": 10,\n  "b": 2\n}\n',
    '{\n  "a": 1,\n  "b": 20\n}\n',
    '{\n  "a": 10,\n  "b": 20\n}\n',
  ],
  ["one line", "json", '{"a":1,"b":2}', '{"a":10,"b":2}', '{"a":1,"b":20,"c":3}', '{"a":10,"b":20,"c":3}'],
  [
    "both add; numbers stay as they are written",
    "json",
    '{\n  "a": 1.0\n}\n',
    '{\n  "a": 1.0,\n  "x": 1.50\n}\n',
    '{\n  "a": 1.0,\n  "y": 12345678901234567890\n}\n',
    '{\n  "a": 1.0,\n  "x": 1.50,\n  "y": 12345678901234567890\n}\n',
  ],
  [
    "comments of both sides",
    "json",
    '{\n  // about a\n  "a": 1, // one\n  "b": 2\n}\n',
    '{\n  // about a\n  "a": 10, // one\n  "b": 2\n}\n',
    '{\n  // about a!\n  "a": 1, // one\n  "b": 20,\n  /* c */\n  "c": [1,\n    2]\n}\n',
    '{\n  // about a!\n  "a": 10, // one\n  "b": 20,\n  /* c */\n  "c": [1,\n    2]\n}\n',
  ],
  [
    "a list whose elements have ids",
    "json",
    '[\n  {"id": 1, "v": 1},\n  {"id": 2, "v": 1}\n]',
    '[\n  {"id": 1, "v": 2},\n  {"id": 2, "v": 1},\n  {"id": 4, "v": 1}\n]',
    '[\n  {"id": 0, "v": 1},\n  {"id": 1, "v": 1, "w": 1},\n  {"id": 3, "v": 1}\n]',
    '[\n  {"id": 0, "v": 1},\n  {"id": 1, "v": 2, "w": 1},\n  {"id": 4, "v": 1},\n  {"id": 3, "v": 1}\n]',
  ],
  ["a list of values", "json", '{"l":[1,2,3]}', '{"l":[1,2,3,4]}', '{"l":[0,1,2,3]}', '{"l":[0,1,2,3,4]}'],
  ["the same addition", "json", "{}", '{"a": 1}', '{"a":1}', '{"a": 1}'],
  ["keys of a prototype", "json", '{"a":1}', '{"__proto__":{},"a":1}', '{"a":2}', '{"__proto__":{},"a":2}'],
  [
    "yaml: neighbours, comments, anchors",
    "yaml",
    "a: 1\nb: 2\nc:\n  # c1\n  d: 1 # one\n  e: 2 # two\n",
    "a: 10\nb: 2\nc:\n  # c1\n  d: 1 # one\n  e: 3 # two\n",
    "a: 1\nb: 20\nc:\n  # c1\n  d: 0x5 # one\n  e: 2 # two\n  f: &x [1, 2]\ng: *x\n",
    "a: 10\nb: 20\nc:\n  # c1\n  d: 0x5 # one\n  e: 3 # two\n  f: &x [1, 2]\ng: *x\n",
  ],
  ["yaml: a first key goes", "yaml", "a:\n  x: 1\n  y: 2\n", "a:\n  y: 2\n", "a:\n  x: 1\n  y: 3\n", "a:\n  y: 3\n"],
  [
    "yaml: lists of named steps with texts of several lines",
    "yaml",
    "steps:\n  - name: a\n    run: |\n      one\n      two\n      three\n  - name: b\n    run: x\n",
    "steps:\n  - name: a\n    run: |\n      ONE\n      two\n      three\n  - name: b\n    run: y\n",
    "steps:\n  - name: a\n    run: |\n      one\n      two\n      THREE\n  - name: b\n    run: x\n    if: z\n  - name: c\n",
    "steps:\n  - name: a\n    run: |\n      ONE\n      two\n      THREE\n  - name: b\n    run: y\n    if: z\n  - name: c\n",
  ],
  [
    "yaml: several documents",
    "yaml",
    "a: 1\nb: 1\n---\nc: 1\nd: 1\n",
    "a: 2\nb: 1\n---\nc: 1\nd: 2\n",
    "a: 1\nb: 2\n---\nc: 2\nd: 1\n",
    "a: 2\nb: 2\n---\nc: 2\nd: 2\n",
  ],
  [
    "yaml: a comment after the last key stays with it",
    "yaml",
    "m:\n  a: 1\n  b: 2 # two\nz: 1\n",
    "m:\n  a: 1\n  b: 3 # two\nz: 1\n",
    "m:\n  a: 1\n  b: 2 # two\n  c: 3\nz: 1\n",
    "m:\n  a: 1\n  b: 3 # two\n  c: 3\nz: 1\n",
  ],
  [
    "xml: attributes, text, elements",
    "xml",
    '<c>\n  <a x="1" y="2">t</a>\n  <b/>\n</c>\n',
    '<c>\n  <a x="10" y="2">t</a>\n  <b/>\n  <!-- n --><new1/>\n</c>\n',
    '<c>\n  <a x="1" y="20" z="3">T</a>\n  <new2/>\n  <b/>\n</c>\n',
    '<c>\n  <a x="10" y="20" z="3">T</a>\n  <new2/>\n  <b/>\n  <!-- n --><new1/>\n</c>\n',
  ],
  [
    "xml: namespaces, CDATA, text with elements in it, entities that are not looked at",
    "xml",
    '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><n:a xmlns:n="u"><n:b>x &e; <i>y</i></n:b><c><![CDATA[<1>]]></c></n:a>',
    '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><n:a xmlns:n="u"><n:b>X &e; <i>y</i></n:b><c><![CDATA[<1>]]></c></n:a>',
    '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><n:a xmlns:n="u"><n:b>x &e; <i>y</i></n:b><c><![CDATA[<2>]]></c></n:a>',
    '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><n:a xmlns:n="u"><n:b>X &e; <i>y</i></n:b><c><![CDATA[<2>]]></c></n:a>',
  ],
  [
    "ini: sections, comments",
    "ini",
    "; top\n[a]\nx=1\ny = 2\n\n; about b\n[b]\nz=1\n",
    "; top\n[a]\nx=10\ny = 2\n\n; about b\n[b]\nz=2\n",
    "; top\n[a]\nx=1\ny = 20\nnew=1\n\n; about b!\n[b]\nz=1\n[c]\nq=1\n",
    "; top\n[a]\nx=10\ny = 20\nnew=1\n\n; about b!\n[b]\nz=2\n[c]\nq=1\n",
  ],
  [
    "ini: both add, one without a last newline",
    "ini",
    "[a]\nx=1\n",
    "[a]\nx=1\ny=1\n",
    "[a]\nx=1\nz=1",
    "[a]\nx=1\ny=1\nz=1",
  ],
  [
    "ini: Windows' line ends",
    "ini",
    "[a]\r\nx=1\r\ny=1\r\n",
    "[a]\r\nx=2\r\ny=1\r\n",
    "[a]\r\nx=1\r\ny=2\r\nz=1\r\n",
    "[a]\r\nx=2\r\ny=2\r\nz=1\r\n",
  ],
];

for (const [name, format, base, source, target, expected] of CLEAN) {
  Deno.test(`merged by what they say: ${name}`, () => {
    for (const strategy of ["SourceWins", "TargetWins", "Union", "Manual"] as const) {
      assert.deepEqual(merge(format, [base, source, target], strategy), { format, text: expected, conflicts: [] });
    }
    const marked = [base, source, target].map((text) => `\ufeff${text}`);
    assert.equal(merge(format, marked).text, `\ufeff${expected}`);
  });
}

Deno.test("the same key edited on both sides is a conflict of its value alone", () => {
  const texts = ['{\n  "a": 1,\n  "b": 1\n}\n', '{\n  "a": 1,\n  "b": 2\n}\n', '{\n  "a": 9,\n  "b": 3\n}\n'];
  const results = {
    SourceWins: ['{\n  "a": 9,\n  "b": 2\n}\n', "2"],
    TargetWins: ['{\n  "a": 9,\n  "b": 3\n}\n', "3"],
    Union: ['{\n  "a": 9,\n  "b": 2\n}\n', "2"],
    Manual: [
      '{\n  "a": 9,\n<<<<<<< source\n  "b": 2\n=======\n  "b": 3\n>>>>>>> target\n}\n',
      "<<<<<<< source\n2\n=======\n3\n>>>>>>> target\n",
    ],
  };
  for (const [strategy, [text, resolution]] of Object.entries(results)) {
    const expected = { format: "json", text, conflicts: [[3, "1", "2", "3", resolution]] };
    assert.deepEqual(merge("json", texts, strategy as MergeStrategy), expected);
  }
});

Deno.test("a deletion against an edit is a conflict; a union keeps the edit", () => {
  const texts = ["a: 1\nb: 1\n", "b: 1\n", "a: 2\nb: 1\n"];
  assert.deepEqual(merge("yaml", texts).conflicts, [[1, "a: 1", "", "a: 2", ""]]);
  assert.equal(merge("yaml", texts, "SourceWins").text, "b: 1\n");
  assert.equal(merge("yaml", texts, "TargetWins").text, "a: 2\nb: 1\n");
  assert.equal(merge("yaml", texts, "Union").text, "a: 2\nb: 1\n");
});

Deno.test("what was added twice with another value is a conflict, wherever it stands", () => {
  const source = '{\n  "x": 1,\n  "a": 1,\n  "b": 1,\n  "c": 1\n}\n';
  const target = '{\n  "a": 1,\n  "b": 1,\n  "c": 1,\n  "x": 2\n}\n';
  const { text, conflicts } = merge("json", ['{\n  "a": 1,\n  "b": 1,\n  "c": 1\n}\n', source, target]);
  assert.deepEqual([text, conflicts.length], [source, 1]);
});

Deno.test("a list where both append is a conflict; a union has both", () => {
  const texts = ["[1,2]", "[1,2,3]", "[1,2,4]"];
  assert.deepEqual(merge("json", texts).conflicts, [[1, "", "3", "4", "3"]]);
  assert.equal(merge("json", texts, "Union").text, "[1,2,3,4]");
});

Deno.test("auto goes by the extension and falls back to text; a format that is asked for must parse", () => {
  const texts = ['{"a":1,"b":1}\n', '{"a":2,"b":1}\n', '{"a":1,"b":2}\n'];
  assert.equal(merge("auto", texts, "SourceWins", ["/x/file.JSON"]).format, "json");
  assert.equal(merge("auto", texts, "SourceWins", ["/x/file", "/y/file.json"]).text, '{"a":2,"b":2}\n');
  assert.equal(merge("auto", texts, "SourceWins", ["/x/json"]).format, "text");
  assert.equal(merge("auto", ["{", ...texts.slice(1)], "SourceWins", ["/x.json"]).format, "text");
  for (
    const [format, text] of [["json", '{"a":1,"a":2}'], ["yaml", "a: 1\na: 2\n"], ["xml", "<a><b></a>"], [
      "ini",
      "[a\nb",
    ]] as const
  ) {
    assert.throws(() => merge(format, [text, text, `${text} `]), { kind: "invalid" }, format);
    const { format: used } = merge("auto", [text, text, `${text} `], "SourceWins", [`/file.${format}`]);
    assert.equal(used, "text");
  }
});

Deno.test("hostile texts are merged by lines, soon", () => {
  const aliases = [
    "a0: &a0 [x, x, x]",
    ...Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]`),
  ];
  assert.equal(merge("yaml", ["", "z: 1\n", ""].map((tail) => `${aliases.join("\n")}\n${tail}`)).format, "yaml");
  const hostile: [string, string][] = [
    ["json", "[".repeat(100_000)],
    ["json", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["json", `[${"[],".repeat(500_000)}1]`],
    ["yaml", "- ".repeat(20_000)],
    ["yaml", `${"[".repeat(20_000)}${"]".repeat(20_000)}`],
    ["yaml", "a: ".repeat(50_000)],
    ["yaml", Array.from({ length: 1000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
    ["yaml", "a: *missing"],
    ["xml", `${"<a>".repeat(100_000)}${"</a>".repeat(100_000)}`],
    ["xml", `<!DOCTYPE a [${"<!--".repeat(50_000)}`],
    ["xml", `<a>${"<!--".repeat(50_000)}`],
    ["ini", `[a]\n${"k".repeat(10)}${" ".repeat(200_000)}x`],
    ["ini", Array.from({ length: 300_000 }, (_, index) => `${index}=1`).join("\n")],
  ];
  for (const [format, text] of hostile) {
    const start = performance.now();
    const merged = merge("auto", [text, `${text}\n`, text], "Manual", [`/file.${format}`]);
    assert.deepEqual([merged.format, merged.text], ["text", `${text}\n`], text.slice(0, 20));
    assert.ok(performance.now() - start < 10_000, `${format} ${text.slice(0, 20)}: ${performance.now() - start} ms`);
  }
});

type Section = Record<string, number | string>;
type Document = Record<string, Section>;

const WRITERS: Record<Exclude<MergeFormat, "text">, (document: Document, indent: number) => string> = {
  json: (document, indent) => JSON.stringify(document, null, indent),
  yaml: (document, indent) => stringifyYaml(document, { indent: Math.max(1, indent) }),
  xml: (document, indent) => {
    const space = "\n".repeat(Math.min(1, indent)) + " ".repeat(indent);
    const lines = Object.entries(document).map(([name, section]) =>
      `${space}<s name="${name}">${
        Object.entries(section).map(([key, value]) => `${space}<${key}>${value}</${key}>`).join("")
      }${space}</s>`
    );
    return `<root>${lines.join("")}\n</root>\n`;
  },
  ini: (document) =>
    Object.entries(document).map(([name, section]) =>
      `[${name}]\n${Object.entries(section).map(([key, value]) => `${key} = ${value}\n`).join("")}`
    ).join("\n"),
};

const READERS: Record<keyof typeof WRITERS, (text: string) => Document> = {
  json: (text) => JSON.parse(text),
  yaml: (text) => parseYaml(text),
  xml: (text) =>
    Object.fromEntries(Array.from(text.matchAll(/<s name="(\w+)">([\s\S]*?)<\/s>/g), ([, name, section]) => [
      name,
      Object.fromEntries(Array.from(section.matchAll(/<(\w+)>(\w+)<\/\1>/g), ([, key, value]) => [key, Number(value)])),
    ])),
  ini: (text) => {
    const document: Document = {};
    let section: Section = {};
    for (const line of text.split("\n").filter((line) => line !== "")) {
      const [key, value] = line.split(" = ");
      if (value === undefined) document[line.slice(1, -1)] = section = {};
      else section[key] = Number(value);
    }
    return document;
  },
};

/** A document, and two that differ from it by edits of different keys, and one with the edits of both. */
function randomDocuments(random: Random): Document[] {
  const names = Array.from({ length: 1 + random.below(5) }, (_, index) => `s${index}`);
  const make = () =>
    Object.fromEntries(Array.from({ length: 2 + random.below(6) }, (_, i) => [`k${i}`, random.below(100)]));
  const base: Document = Object.fromEntries(names.map((name) => [name, make()]));
  const [source, target, both] = [0, 1, 2].map(() => structuredClone(base));
  for (const name of names) {
    const keys = [...Object.keys(base[name]), ...Array.from({ length: random.below(3) }, (_, index) => `new${index}`)];
    // One key always stays, so that no section gets empty.
    for (const key of keys.slice(1)) {
      const side = random.pick([source, target, undefined]);
      if (side === undefined) continue;
      const value = random.oneIn(4) ? undefined : 1000 + random.below(1000);
      for (const document of [side, both]) {
        if (value === undefined) delete document[name][key];
        else document[name][key] = value;
      }
    }
  }
  const extra = make();
  const side = random.pick([source, target]);
  for (const document of [side, both]) document.extra = extra;
  return [base, source, target, both];
}

for (const format of ["json", "yaml", "xml", "ini"] as const) {
  Deno.test(`${format}: random edits of different keys never conflict, and what was not edited stays as it is`, () => {
    const random = createRandom(testSeed(`merges of ${format}`));
    for (let round = 0; round < 400; round++) {
      const documents = randomDocuments(random);
      const indent = random.below(4);
      const indents = random.oneIn(3) ? [indent, random.below(4), random.below(4)] : [indent, indent, indent];
      const texts = documents.slice(0, 3).map((document, index) => WRITERS[format](document, indents[index]));
      const message = JSON.stringify(texts);
      const merged = merge(format, texts);
      assert.deepEqual([merged.format, merged.conflicts], [format, []], message);
      assert.deepEqual(READERS[format](merged.text), documents[3], message);
      const [base, source, target] = texts;
      assert.equal(merge(format, [base, source, base]).text, source, message);
      assert.equal(merge(format, [base, base, target]).text, target, message);
    }
  });

  Deno.test(`${format}: random edits of any keys give each side's values where it wins`, () => {
    const random = createRandom(testSeed(`conflicting merges of ${format}`));
    for (let round = 0; round < 300; round++) {
      const [base, source, , other] = randomDocuments(random);
      const target = structuredClone(other);
      for (const section of Object.values(target)) {
        for (const key of Object.keys(section)) if (random.oneIn(3)) section[key] = 5000 + random.below(9);
      }
      const indent = random.below(4);
      const texts = [base, source, target].map((document) => WRITERS[format](document, indent));
      const message = JSON.stringify(texts);
      const conflicts = merge(format, texts).conflicts.length;
      for (const [strategy, wins] of [["SourceWins", source], ["TargetWins", target]] as const) {
        const merged = merge(format, texts, strategy);
        assert.deepEqual([merged.format, merged.conflicts.length], [format, conflicts], message);
        const values = READERS[format](merged.text);
        for (const [name, section] of Object.entries(base)) {
          for (
            const key of new Set([...Object.keys(section), ...Object.keys(source[name]), ...Object.keys(target[name])])
          ) {
            const [was, ours, theirs] = [section[key], source[name][key], target[name][key]];
            const expected = ours === was ? theirs : theirs === was ? ours : wins[name][key];
            assert.equal(values[name][key], expected, `${name} ${key} ${message}`);
          }
        }
      }
      const manual = merge(format, texts, "Manual");
      assert.equal(manual.text.includes("<<<<<<< source"), conflicts > 0, message);
    }
  });
}

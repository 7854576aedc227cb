import assert from "node:assert/strict";
import { createRandom, type Random, testSeed } from "../../tests/harness/random.ts";
import { mergeText } from "./merge_text.ts";
import type { MergeStrategy } from "./types.ts";

const STRATEGIES: MergeStrategy[] = ["SourceWins", "TargetWins", "Union", "Manual"];
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (content: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(content);
const merge = (base: string, source: string, target: string) => mergeText(bytes(base), bytes(source), bytes(target));

/** That it merges without a conflict, to the same by every strategy and from either side. */
function assertClean(base: string, source: string, target: string, expected: string): void {
  for (const [left, right] of [[source, target], [target, source]]) {
    const merged = merge(base, left, right);
    assert.ok(merged.isClean, `a conflict: ${JSON.stringify([base, left, right])}`);
    for (const strategy of STRATEGIES) assert.equal(text(merged.render(strategy)), expected);
  }
}

function conflictsOf(base: string, source: string, target: string, strategy: MergeStrategy = "SourceWins") {
  return [...merge(base, source, target).conflicts(strategy)].map((conflict) => [
    conflict.lineNumber,
    ...[conflict.baseContent, conflict.sourceContent, conflict.targetContent, conflict.resolution].map(text),
  ]);
}

Deno.test("edits apart from each other are merged", () => {
  assertClean("a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\n", "A\nb\nc\nD\n");
  assertClean("a\nb\nc\n", "b\nc\n", "a\nb\nc\nd\n", "b\nc\nd\n");
  assertClean("", "", "new\n", "new\n");
  assertClean("gone\n", "", "gone\n", "");
  assertClean("", "", "", "");
});

Deno.test("the same edit on both sides is made once", () => {
  assertClean("a\n", "b\n", "b\n", "b\n");
  assertClean("a\nb\nc\n", "a\nnew\nb\nc\n", "a\nnew\nb\nC\n", "a\nnew\nb\nC\n");
  assertClean("a\nb\n", "b\n", "b\n", "b\n");
});

Deno.test("edits that touch are a conflict, resolved by the strategy", () => {
  const [base, source, target] = ["1\n2\n3\n4\n", "1\ntwo\n3\n4\n", "1\n2\nthree\n4\n"];
  assert.deepEqual(conflictsOf(base, source, target), [[2, "2\n3\n", "two\n3\n", "2\nthree\n", "two\n3\n"]]);
  const results = STRATEGIES.map((strategy) => text(merge(base, source, target).render(strategy)));
  assert.deepEqual(results, [
    "1\ntwo\n3\n4\n",
    "1\n2\nthree\n4\n",
    "1\ntwo\n3\n2\nthree\n4\n",
    "1\n<<<<<<< source\ntwo\n3\n=======\n2\nthree\n>>>>>>> target\n4\n",
  ]);
});

Deno.test("an edit against a deletion is a conflict; equal lines at its edges are left out of it", () => {
  assert.deepEqual(conflictsOf("a\nb\nc\n", "a\nc\n", "a\nB\nc\n"), [[2, "b\n", "", "B\n", ""]]);
  assert.deepEqual(conflictsOf("", "same\nx\nend\n", "same\ny\nend\n"), [[1, "", "x\n", "y\n", "x\n"]]);
  assert.deepEqual(conflictsOf("a\n", "a\nx\n", "a\ny\n", "Union"), [[2, "", "x\n", "y\n", "x\ny\n"]]);
});

Deno.test("line endings survive, also mixed ones", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const lines = (...all: string[]) => all.join(end) + end;
    assertClean(lines("a", "b", "c"), lines("A", "b", "c"), lines("a", "b", "C"), lines("A", "b", "C"));
    const marked = text(merge(lines("a"), lines("b"), lines("c")).render("Manual"));
    assert.equal(marked, lines("<<<<<<< source", "b", "=======", "c", ">>>>>>> target"));
  }
  assertClean("a\r\nb\nc\rd\n", "A\r\nb\nc\rd\n", "a\r\nb\nc\rD\n", "A\r\nb\nc\rD\n");
  assertClean("a\nb\nc\n", "a\r\nb\nc\n", "a\nb\nc\r\n", "a\r\nb\nc\r\n");
});

Deno.test("a missing last newline survives, is added or taken away", () => {
  assertClean("a\nb\nc", "A\nb\nc", "a\nb\nc", "A\nb\nc");
  assertClean("a\nb\nc", "A\nb\nc", "a\nb\nc\n", "A\nb\nc\n");
  assertClean("a\nb\nc\n", "A\nb\nc\n", "a\nb\nc", "A\nb\nc");
  const [base, source, target] = ["a", "b", "c"];
  assert.equal(text(merge(base, source, target).render("Union")), "b\nc");
  assert.equal(
    text(merge(base, source, target).render("Manual")),
    "<<<<<<< source\nb\n=======\nc\n>>>>>>> target\n",
  );
});

Deno.test("a byte-order mark survives, and is no edit of the first line", () => {
  const mark = "\ufeff";
  assertClean(`${mark}a\nb\nc\n`, `${mark}A\nb\nc\n`, `${mark}a\nb\nC\n`, `${mark}A\nb\nC\n`);
  assertClean("a\n", `${mark}a\n`, "A\n", `${mark}A\n`);
  assertClean(`${mark}a\n`, "a\n", `${mark}A\n`, "A\n");
});

Deno.test("bytes that are not UTF-8 are merged as they are", () => {
  const [base, source, target] = [[0xff, 10, 97, 10, 0xc3, 10], [0xfe, 10, 97, 10, 0xc3, 10], [0xff, 10, 97, 10, 10]];
  const merged = mergeText(
    ...([base, source, target].map((all) => Uint8Array.from(all)) as Parameters<typeof mergeText>),
  );
  assert.deepEqual([...merged.render("Manual")], [0xfe, 10, 97, 10, 10]);
});

/** Lines of which some are equal, with an edit that the other side of a merge does not come near. */
function numbered(count: number, edit: (index: number) => string | undefined): string {
  return Array.from({ length: count }, (_, index) => edit(index) ?? `${index % 7 === 0 ? "}" : index}\n`).join("");
}

Deno.test("thousands of edits apart from each other", () => {
  const odd = (offset: number) => (index: number) => index % 20 === offset ? `edit ${index}\n` : undefined;
  const [base, source, target] = [() => undefined, odd(5), odd(15)].map((edit) => numbered(100_000, edit));
  assertClean(base, source, target, numbered(100_000, (index) => odd(5)(index) ?? odd(15)(index)));
});

function randomLines(random: Random): string[] {
  const kinds = random.pick([1, 2, 5, 1000]);
  return Array.from({ length: random.below(40) }, () => `${random.below(kinds)}\n`);
}

Deno.test("every merge of random files keeps what merges must keep", () => {
  const random = createRandom(testSeed("random merges"));
  for (let round = 0; round < 3000; round++) {
    const [base, source, target] = [0, 1, 2].map(() => randomLines(random).join(""));
    const message = JSON.stringify([base, source, target]);
    assert.equal(text(merge(base, source, base).render("Manual")), source, message);
    assert.equal(text(merge(base, base, target).render("Manual")), target, message);
    assert.equal(text(merge(base, source, source).render("Manual")), source, message);
    const [there, back] = [merge(base, source, target), merge(base, target, source)];
    assert.equal(text(there.render("SourceWins")), text(back.render("TargetWins")), message);
    assert.equal(there.conflictCount, back.conflictCount, message);
    assert.equal([...there.conflicts("Union")].length, there.conflictCount);
  }
});

const HOSTILE: Record<string, (random: Random) => string> = {
  "equal lines": (random) => "a\n".repeat(50_000 + random.below(50_000)),
  "two kinds of lines": (random) => Array.from({ length: 100_000 }, () => random.pick(["a\n", "b\n"])).join(""),
  "no common line": (random) => Array.from({ length: 100_000 }, (_, i) => `${random.below(2 ** 32)} ${i}\n`).join(""),
  "the same lines in another order": (random) =>
    Array.from({ length: 100_000 }, (_, index) => [random.below(2 ** 32), index]).sort((a, b) => a[0] - b[0])
      .map(([, index]) => `${index}\n`).join(""),
  "runs of equal lines": (random) =>
    Array.from({ length: 1000 }, () => random.pick(["a\n", "b\n", "c\n"]).repeat(random.below(200))).join(""),
  "periods": (random) => Array.from({ length: 100_000 }, (_, i) => `${i % (2 + random.below(2))}\n`).join(""),
  "one endless line": (random) => "x".repeat(1_000_000 + random.below(9)),
};

Deno.test("hostile files take bounded time", () => {
  const random = createRandom(testSeed("hostile merges"));
  for (const [name, make] of Object.entries(HOSTILE)) {
    const [base, source, target] = [0, 1, 2].map(() => make(random));
    const start = performance.now();
    merge(base, source, target).render("Manual");
    const took = performance.now() - start;
    assert.ok(took < 20_000, `${name}: ${took} ms`);
  }
});

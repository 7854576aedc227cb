import assert from "node:assert/strict";
import type { Entry } from "./tree_entry.ts";
import { byName, encodeList, encodePage, endsPage, parseList, parsePage, splitContent } from "./tree_page.ts";
import { createRandom, testSeed } from "../../../tests/harness/random.ts";

const ID = "ab".repeat(32);
const file = (
  name: string,
): Entry => [name, "f", 0o644, 1, 2, -5, 999_999_999, 6, 7, "18446744073709551615", 3, [ID, 0]];

Deno.test("a page comes back as it was, names of any bytes included", () => {
  const names = ["a", "\n", "é", "\u{1f600}", "x\udc80y", " ", "\\x80", '"', "\u2028"].sort(byName);
  const page: Entry[] = names.map(file);
  page.push(["z1", "d", 0o7777, 0, 0, 1, 2, 3, 4, "5", [ID], { xattrs: [["user.x", "AA=="]] }]);
  page.push(["z2", "l", 0o777, 0, 0, 1, 2, 3, 4, "5", "../there\udcff"]);
  page.sort((a, b) => byName(a[0], b[0]));
  assert.deepEqual(parsePage(encodePage(page), ID), page);
});

Deno.test("a page that could lead elsewhere, or is out of order, is refused", () => {
  const wrong: unknown[] = [
    {},
    [1],
    [file("..")],
    [file(".")],
    [file("")],
    [file("a/b")],
    [file("a\0b")],
    [file("b"), file("a")],
    [file("a"), file("a")],
    [[...file("a").slice(0, 1), "x", ...file("a").slice(2)]],
    [[...file("a").slice(0, 10), -1, []]],
    [[...file("a").slice(0, 10), 1, ["zz"]]],
    [[...file("a").slice(0, 10), 1, [-1]]],
    [["a", "d", 0, 0, 0, 0, 0, 0, 0, "1", ["short"]]],
  ];
  for (const page of wrong) {
    assert.throws(() => parsePage(new TextEncoder().encode(JSON.stringify(page)), ID), { kind: "damaged" });
  }
  assert.throws(() => parsePage(Uint8Array.of(0xff), ID), { kind: "damaged" });
});

/** Cuts names into pages as a writer does. */
function pages(names: string[]): string[] {
  const all: string[] = [];
  let page: string[] = [];
  for (const name of names) {
    page.push(name);
    if (!endsPage(name, page.length)) continue;
    all.push(page.join());
    page = [];
  }
  return [...all, page.join()];
}

Deno.test("one more name changes one page of a large directory", () => {
  const random = createRandom(testSeed("pages"));
  const names = Array.from({ length: 50_000 }, (_, i) => `file ${i} ${random.below(1e9)}`).sort(byName);
  const before = pages(names);
  assert.ok(before.length > 10, `${before.length} pages`);
  const after = pages([...names, `file ${random.below(50_000)} more`].sort(byName));
  assert.ok(after.filter((page) => !before.includes(page)).length <= 2);
});

Deno.test("a long content is cut into lists that come back, and one more chunk changes few of them", () => {
  const random = createRandom(testSeed("lists"));
  const items = Array.from({ length: 20_000 }, () => random.oneIn(50) ? 4096 : random.bytes(32).toHex());
  assert.equal(splitContent(items.slice(0, 512), new Array(512).fill(1)), undefined);
  const parts = splitContent(items, new Array(items.length).fill(10)) ?? [];
  assert.deepEqual(parts.flatMap((part) => parseList(encodeList(part.items), ID)), items);
  assert.equal(parts.reduce((sum, { bytes }) => sum + bytes, 0), items.length * 10);
  const at = random.below(items.length);
  const more = [...items.slice(0, at), "11".repeat(32), ...items.slice(at)];
  const known = new Set(parts.map((part) => part.items.join()));
  const other = splitContent(more, new Array(more.length).fill(10)) ?? [];
  assert.ok(other.filter((part) => !known.has(part.items.join())).length <= 2);
});

/** Include and exclude patterns: those of .gitignore, and a protection from deletion. */
import assert from "node:assert/strict";
import { commandText, shell } from "../harness/command.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertNames, makePair, type Pair, sync, syncPartly } from "../harness/sync.ts";

const server = sharedServer();

const TREE = `mkdir -p src/deep/node_modules/lib build docs 'sp ace'
for f in keep.txt a.tmp b.bak src/main.ts src/main.tmp src/deep/x.ts src/deep/node_modules/lib/i.js build/out.o \
  docs/a.md docs/important.tmp 'sp ace/x.tmp' '#hash' '!bang' '[x]' 'x' build.txt; do printf '%s' "$f" >"$f"; done`;

async function filled(): Promise<Pair> {
  const pair = await makePair(server());
  await shell(TREE, [], { cwd: pair.source });
  return pair;
}

/** The files below a directory, sorted. */
async function files(directory: string): Promise<string[]> {
  const listed = await commandText("find", [".", "-type", "f", "-printf", "%P\n"], { cwd: directory });
  return listed.split("\n").filter((name) => name !== "").sort();
}

const without = (all: string[], pattern: RegExp) => all.filter((name) => !pattern.test(name));

const EXCLUDES: [string[], RegExp][] = [
  [["*.tmp", "*.bak"], /\.(tmp|bak)$/],
  [["node_modules/"], /node_modules\//],
  [["node_modules"], /node_modules\//],
  [["/build"], /^build\//],
  [["build/"], /^build\//],
  [["src/**/*.ts"], /^src\/.*\.ts$/],
  [["/src/*.ts"], /^src\/[^/]*\.ts$/],
  [["**/deep/**"], /\/deep\//],
  [["*.tmp", "!important.tmp"], /^(?!docs\/important).*\.tmp$/],
  [["\\#hash", "\\!bang"], /^[#!]/],
  [["\\[x\\]"], /^\[x\]$/],
  [["# a comment", "   "], /^never$/],
  [["sp ace/"], /^sp ace\//],
  [["[a-b].*"], /(^|\/)[ab]\.[^/]*$/],
  [["?.md"], /(^|\/).\.md$/],
];

for (const [excludePatterns, pattern] of EXCLUDES) {
  Deno.test(`excludePatterns ${JSON.stringify(excludePatterns)} are those of .gitignore`, async () => {
    const pair = await filled();
    await sync(server(), pair, { excludePatterns });
    assert.deepEqual(await files(pair.target), without(await files(pair.source), pattern));
  });
}

Deno.test("git itself agrees with what is excluded", async () => {
  const pair = await filled();
  const excludePatterns = ["*.tmp", "!docs/important.tmp", "/build/", "deep/**/lib", "sp*/", "[!a-z]hash"];
  await sync(server(), pair, { excludePatterns });
  await Deno.writeTextFile(`${server().outside}/patterns`, excludePatterns.join("\n"));
  const listed = await shell(
    `git init -q --separate-git-dir "$1/git" "$2"; cd "$2"
    git -c core.quotePath=false ls-files -z --others --exclude-from="$1/patterns" | tr '\\0' '\\n'; rm .git`,
    [server().outside, pair.source],
  );
  assert.deepEqual(await files(pair.target), listed.split("\n").filter((name) => name !== "").sort());
});

Deno.test("includePatterns choose, and excludePatterns still take away", async () => {
  const pair = await filled();
  await sync(server(), pair, { includePatterns: ["*.ts", "/docs/"], excludePatterns: ["deep/"] });
  assert.deepEqual(await files(pair.target), ["docs/a.md", "docs/important.tmp", "src/main.ts"]);
});

Deno.test("deletion never removes what a pattern excludes", async () => {
  const pair = await filled();
  await shell("mkdir -p build/old gone; : >build/old/x.o; : >mine.tmp; : >gone/y; : >gone/z.tmp", [], {
    cwd: pair.target,
  });
  await sync(server(), pair, { deleteMissingInTarget: true, excludePatterns: ["*.tmp", "build/"] });
  const left = await files(pair.target);
  for (const kept of ["build/old/x.o", "mine.tmp", "gone/z.tmp"]) assert.ok(left.includes(kept), kept);
  assert.ok(!left.includes("gone/y"));
  assert.deepEqual(without(left, /\.tmp$|^build\//), without(await files(pair.source), /\.tmp$|^build\//));
});

Deno.test("deletion never removes what the includePatterns leave out", async () => {
  const pair = await filled();
  await shell("mkdir src; : >other.txt; : >src/old.ts; : >src/note.md", [], { cwd: pair.target });
  await sync(server(), pair, { deleteMissingInTarget: true, includePatterns: ["*.ts"] });
  const left = await files(pair.target);
  assert.ok(left.includes("other.txt") && left.includes("src/note.md"), left.join());
  assert.ok(!left.includes("src/old.ts"));
});

Deno.test("an excluded file that the target has already is not updated", async () => {
  const pair = await filled();
  await Deno.writeTextFile(`${pair.target}/a.tmp`, "the target's own");
  await sync(server(), pair, { excludePatterns: ["*.tmp"] });
  assert.equal(await Deno.readTextFile(`${pair.target}/a.tmp`), "the target's own");
});

Deno.test("a path that is excluded after it was copied stays in the target", async () => {
  const pair = await filled();
  await sync(server(), pair);
  await sync(server(), pair, { deleteMissingInTarget: true, excludePatterns: ["*.ts", "docs/"] });
  assert.deepEqual(await files(pair.target), await files(pair.source));
});

Deno.test("a file does not take the place of a directory that holds something excluded", async () => {
  const pair = await filled();
  await shell("mkdir -p keep.txt/sub; printf mine >keep.txt/sub/mine.tmp", [], { cwd: pair.target });
  const fields = { deleteMissingInTarget: true, excludePatterns: ["*.tmp"] };
  const body = await syncPartly(server(), pair, fields);
  assertNames(body, "keep.txt");
  assert.equal(await Deno.readTextFile(`${pair.target}/keep.txt/sub/mine.tmp`), "mine");
  const other = (name: string) => !name.startsWith("keep.txt");
  assert.deepEqual((await files(pair.target)).filter(other), without(await files(pair.source), /\.tmp$/).filter(other));
});

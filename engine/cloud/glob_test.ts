import assert from "node:assert/strict";
import { globMatcher } from "./glob.ts";

Deno.test("a pattern matches names, or whole paths where it has a slash", () => {
  const cases: [pattern: string, path: string, matches: boolean][] = [
    ["*.zip", "backups/a.zip", true],
    ["*.zip", "backups/a.zip.txt", false],
    ["backup-???.zip", "x/backup-001.zip", true],
    ["backup-???.zip", "x/backup-0010.zip", false],
    ["[ab]*", "x/beta", true],
    ["[!ab]*", "x/beta", false],
    ["[a-c]1", "b1", true],
    ["a/*.txt", "a/b.txt", true],
    ["a/*.txt", "a/b/c.txt", false],
    ["a/**.txt", "a/b/c.txt", true],
    ["**/c", "a/b/c", true],
    ["a+b(1).{x}", "a+b(1).{x}", true],
    ["größe?", "größe😀", true],
    ["[", "[", true],
    ["x]", "x]", true],
    ["^$|.", "x/^$|.", true],
    ["line*", "line\nbreak", true],
    ["", "a", false],
    ["*", "a/", true],
    ["**", "a/b", true],
    ["a**b*c?", "a/x/bb/cc", false],
    ["a/**b*c?", "a/x/bb.ccd", true],
    ["[-a]", "-", true],
    ["[a-]", "-", true],
    ["[!-a]", "b", true],
    ["[^a]", "^", true],
    ["[]]", "[]]", true],
    ["?", "/", false],
  ];
  for (const [pattern, path, matches] of cases) assert.equal(globMatcher(pattern)(path), matches, `${pattern} ${path}`);
});

Deno.test("no pattern takes long", () => {
  const startedAt = performance.now();
  const key = "a".repeat(1024);
  for (const pattern of ["**a".repeat(300) + "b", "*a".repeat(400) + "b", "*".repeat(1000), "?*".repeat(500)]) {
    const isMatch = globMatcher(pattern);
    for (let i = 0; i < 20; i++) isMatch(key);
  }
  assert(performance.now() - startedAt < 5_000, `${performance.now() - startedAt} ms`);
});

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
  ];
  for (const [pattern, path, matches] of cases) assert.equal(globMatcher(pattern)(path), matches, `${pattern} ${path}`);
});

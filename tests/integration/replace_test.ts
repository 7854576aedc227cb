/** One type of entry in the place of another, both ways. */
import { assertSameTree, snapshot } from "../harness/compare.ts";
import { shell } from "../harness/command.ts";
import { sharedServer } from "../harness/suite.ts";
import { makePair, sync } from "../harness/sync.ts";
import assert from "node:assert/strict";

const server = sharedServer();

/** `$1` is a directory outside with things to lose. */
const KINDS: Record<string, string> = {
  "a file": "printf text >thing",
  "a large file": "head -c 2000000 /dev/zero >thing",
  "an empty directory": "mkdir thing",
  "a full directory":
    "mkdir -p thing/a/b; printf x >thing/x; printf y >thing/a/b/y; ln -s x thing/link; chmod 700 thing",
  "a link to a file": 'ln -s "$1/file" thing',
  "a link to a directory": 'ln -s "$1" thing',
  "a dangling link": "ln -s nowhere thing",
  "a hard link": "printf partner >partner; ln partner thing",
};
const TARGET_ONLY: Record<string, string> = { "a FIFO": "mkfifo thing", "nothing": "true" };

for (const [sourceKind, makeSource] of Object.entries(KINDS)) {
  for (const [targetKind, makeTarget] of Object.entries({ ...KINDS, ...TARGET_ONLY })) {
    Deno.test(`${sourceKind} takes the place of ${targetKind}`, async () => {
      const pair = await makePair(server());
      const outside = `${server().outside}/${crypto.randomUUID()}`;
      await Deno.mkdir(outside);
      await shell("printf mine >file; mkdir a; printf mine >a/x; printf mine >x", [], { cwd: outside });
      const before = await snapshot(outside);
      await shell(makeSource, [outside], { cwd: pair.source });
      await shell(makeTarget, [outside], { cwd: pair.target });
      await sync(server(), pair, { deleteMissingInTarget: true, maxDelete: 10 });
      await assertSameTree(pair.source, pair.target);
      assert.deepEqual(await snapshot(outside), before);
    });
  }
}

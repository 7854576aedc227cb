/** Directories that turn into links while a run is on its way never lead it outside. */
import assert from "node:assert/strict";
import { assertSameTree, snapshot } from "../harness/compare.ts";
import { shell } from "../harness/command.ts";
import { sessionEnd, startSync } from "../harness/sessions.ts";
import { filesIn } from "../harness/sessions.ts";
import { sharedServer } from "../harness/suite.ts";
import { makePair, type Pair, sync } from "../harness/sync.ts";

const server = sharedServer();
const MAKE =
  "mkdir -p sub/deep; for i in $(seq 60); do head -c 50000 /dev/zero >sub/file-$i; head -c 20000 /dev/zero >sub/deep/file-$i; done";

/** A directory outside with the same names as the pair's, each with a content to lose. */
async function lookalike(): Promise<string> {
  const outside = `${server().outside}/${crypto.randomUUID()}`;
  await Deno.mkdir(outside);
  await shell(
    "mkdir deep; for i in $(seq 60); do printf mine >file-$i; printf mine >deep/file-$i; done; printf mine >extra",
    [],
    {
      cwd: outside,
    },
  );
  return outside;
}

async function runAndReplace(pair: Pair, replace: () => Promise<unknown>, fields = {}): Promise<void> {
  const sessionId = await startSync(server(), pair, { bandwidthLimit: 1_500_000, ...fields });
  await filesIn(`${pair.target}/sub`, 3);
  await replace();
  await sessionEnd(server(), sessionId);
}

for (const swapped of ["sub", "sub/deep"]) {
  Deno.test(`the target's ${swapped} turns into a link to the outside midway`, async () => {
    const pair = await makePair(server());
    await shell(MAKE, [], { cwd: pair.source });
    const outside = await lookalike();
    const before = await snapshot(outside);
    const replace = () => shell('mv "$1" moved; ln -s "$2" "$1"', [swapped, outside], { cwd: pair.target });
    await Deno.mkdir(`${pair.target}/sub/deep`, { recursive: true });
    await runAndReplace(pair, replace);
    assert.deepEqual(await snapshot(outside), before);
    await sync(server(), pair, { deleteMissingInTarget: true });
    await assertSameTree(pair.source, pair.target);
    assert.deepEqual(await snapshot(outside), before);
  });
}

Deno.test("deletions do not follow a directory that turned into a link", async () => {
  const pair = await makePair(server());
  await shell(MAKE, [], { cwd: pair.source });
  await shell("mkdir -p doomed; for i in $(seq 60); do : >doomed/file-$i; done", [], { cwd: pair.target });
  const outside = await lookalike();
  const before = await snapshot(outside);
  const replace = () => shell('mv doomed moved; ln -s "$1" doomed', [outside], { cwd: pair.target });
  await runAndReplace(pair, replace, { deleteMissingInTarget: true });
  assert.deepEqual(await snapshot(outside), before);
  await sync(server(), pair, { deleteMissingInTarget: true });
  await assertSameTree(pair.source, pair.target);
  assert.deepEqual(await snapshot(outside), before);
});

Deno.test("a source directory that turns into a link midway brings nothing of the outside in", async () => {
  const pair = await makePair(server());
  await shell(MAKE, [], { cwd: pair.source });
  const outside = await lookalike();
  const replace = () => shell('mv sub ../moved; ln -s "$1" sub', [outside], { cwd: pair.source });
  await runAndReplace(pair, replace);
  const copied = [...await snapshot(pair.target)].filter(([, { type, size }]) => type === "f" && size === "4");
  assert.deepEqual(copied, [], "files of the outside were copied");
  await sync(server(), pair, { deleteMissingInTarget: true });
  await assertSameTree(pair.source, pair.target);
});

Deno.test("a source file that turns into a link midway is not followed", async () => {
  const pair = await makePair(server());
  await shell(MAKE, [], { cwd: pair.source });
  const outside = await lookalike();
  const replace = () => shell('for f in sub/file-*; do ln -sf "$1/extra" "$f"; done', [outside], { cwd: pair.source });
  await runAndReplace(pair, replace);
  const copied = [...await snapshot(pair.target)].filter(([, { type, size }]) => type === "f" && size === "4");
  assert.deepEqual(copied, [], "a file of the outside was copied");
});

Deno.test("the target itself, turned into a link midway, leads nowhere", async () => {
  const pair = await makePair(server());
  await shell(MAKE, [], { cwd: pair.source });
  const outside = await lookalike();
  const before = await snapshot(outside);
  const replace = () => shell('mv "$1" "$1-moved"; ln -s "$2" "$1"', [pair.target, outside]);
  await runAndReplace(pair, replace, { deleteMissingInTarget: true });
  assert.deepEqual(await snapshot(outside), before);
});

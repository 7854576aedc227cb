/** What keeps a mistake from costing data: dry runs, limits on deletion, the trash. */
import assert from "node:assert/strict";
import { assertSameTree, snapshot } from "../harness/compare.ts";
import { commandText, shell } from "../harness/command.ts";
import type { Json } from "../harness/server.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError, assertNames, makePair, type Pair, postSync, sync, syncPartly } from "../harness/sync.ts";

const server = sharedServer();

/** A pair in agreement, then changed in many ways on the source, with extras in the target. */
async function changedPair(): Promise<Pair> {
  const pair = await makePair(server());
  await shell(
    "mkdir a b; printf 1 >a/1; printf 2 >a/2; printf 3 >b/3; ln -s 1 a/link; ln a/1 hard; printf big >big; touch -d 2001-01-01 a b",
    [],
    { cwd: pair.source },
  );
  await sync(server(), pair);
  await shell(
    "printf one >a/1; rm a/2; rm a/link; ln -s 2 a/link; mv b c; chmod 600 big; mkdir -p n/e/w; : >n/e/w/x",
    [],
    {
      cwd: pair.source,
    },
  );
  await shell("printf extra >extra; mkdir extras; printf x >extras/x", [], { cwd: pair.target });
  return pair;
}

Deno.test("a dry run gives the figures and the plan of the real run, and touches nothing", async () => {
  for (
    const fields of [{}, { deleteMissingInTarget: true }, { deleteMissingInTarget: true, excludePatterns: ["extra*"] }]
  ) {
    const pair = await changedPair();
    const before = [await snapshot(pair.source), await snapshot(pair.target)];
    const planned = await sync(server(), pair, { ...fields, dryRun: true });
    assert.deepEqual([await snapshot(pair.source), await snapshot(pair.target)], before);
    assert.ok(Array.isArray(planned.plan) && planned.plan.length > 0);
    assert.deepEqual((await sync(server(), pair, { ...fields, dryRun: true })).plan, planned.plan);
    const applied = await sync(server(), pair, fields);
    for (const figure of ["changesApplied", "conflictsEncountered", "conflicts"]) {
      assert.deepEqual(applied[figure], planned[figure], figure);
    }
  }
});

Deno.test("a dry run makes no target directory and no baseline", async () => {
  const pair = await makePair(server());
  await Deno.writeTextFile(`${pair.source}/file`, "text");
  const fresh = { ...pair, target: `${pair.target}/new` };
  assert.equal((await sync(server(), fresh, { dryRun: true })).dryRun, true);
  await assert.rejects(Deno.stat(fresh.target), Deno.errors.NotFound);
});

Deno.test("an empty source does not empty a target", async () => {
  const pair = await makePair(server());
  await shell("mkdir d; printf 1 >d/1; printf 2 >2", [], { cwd: pair.target });
  const before = await snapshot(pair.target);
  const fields = { deleteMissingInTarget: true };
  assertError(await postSync(server(), pair, fields), 409, "CONFLICT");
  assertError(await postSync(server(), pair, { ...fields, maxDelete: 2 }), 409, "CONFLICT");
  assert.deepEqual(await snapshot(pair.target), before);
  await sync(server(), pair, { ...fields, maxDelete: 3 });
  assert.deepEqual([...(await snapshot(pair.target)).keys()], []);
});

Deno.test("an emptied source is not emptied into the target either, after good runs", async () => {
  const pair = await makePair(server());
  await shell("mkdir d; printf 1 >d/1", [], { cwd: pair.source });
  await sync(server(), pair);
  await shell("rm -r d", [], { cwd: pair.source });
  assertError(await postSync(server(), pair, { deleteMissingInTarget: true }), 409, "CONFLICT");
  assert.equal(await Deno.readTextFile(`${pair.target}/d/1`), "1");
});

Deno.test("a source that patterns leave empty counts as empty", async () => {
  const pair = await makePair(server());
  await shell("printf 1 >only.tmp", [], { cwd: pair.source });
  await shell("printf 1 >precious", [], { cwd: pair.target });
  const answer = await postSync(server(), pair, { deleteMissingInTarget: true, excludePatterns: ["*.tmp"] });
  assertError(answer, 409, "CONFLICT");
  assert.equal(await Deno.readTextFile(`${pair.target}/precious`), "1");
});

Deno.test("maxDelete refuses the whole run before its first change", async () => {
  const pair = await changedPair();
  const before = await snapshot(pair.target);
  const planned = await sync(server(), pair, { deleteMissingInTarget: true, dryRun: true });
  const deletions = planned.plan.filter(({ action }: Json) => action === "delete").length;
  assert.ok(deletions > 1);
  const fields = { deleteMissingInTarget: true, maxDelete: 0 };
  assertError(await postSync(server(), pair, fields), 409, "CONFLICT");
  assertError(await postSync(server(), pair, { ...fields, maxDelete: deletions - 1 }), 409, "CONFLICT");
  assert.deepEqual(await snapshot(pair.target), before);
  await sync(server(), pair, { ...fields, maxDelete: deletions });
  await assertSameTree(pair.source, pair.target);
});

/** The contents of all files below a directory, sorted. */
async function contents(directory: string): Promise<string[]> {
  const text = await commandText("find", [
    directory,
    "-type",
    "f",
    "-exec",
    "sh",
    "-c",
    'cat "$1"; echo',
    "sh",
    "{}",
    ";",
  ]);
  return text.split("\n").filter((line) => line !== "").sort();
}

Deno.test("the trash keeps what is overwritten and what is deleted", async () => {
  const pair = await makePair(server());
  const trashDirectory = `${server().root}/trash-1`;
  await shell("mkdir d; printf old >file; printf gone >d/gone; printf same >same", [], { cwd: pair.source });
  await sync(server(), pair, { trashDirectory });
  assert.deepEqual(await contents(server().root + "/trash-1").catch(notThere), []);
  await shell("printf new >file; rm -r d", [], { cwd: pair.source });
  await sync(server(), pair, { trashDirectory, deleteMissingInTarget: true });
  await assertSameTree(pair.source, pair.target);
  assert.deepEqual(await contents(trashDirectory), ["gone", "old"]);

  await shell("printf newer >file", [], { cwd: pair.source });
  await sync(server(), pair, { trashDirectory, deleteMissingInTarget: true });
  assert.deepEqual(await contents(trashDirectory), ["gone", "new", "old"]);
});

function notThere(error: unknown): string[] {
  if (error instanceof Error && /No such file/.test(error.message)) return [];
  throw error;
}

Deno.test("the trash keeps a whole directory that a file replaces", async () => {
  const pair = await makePair(server());
  const trashDirectory = `${server().root}/trash-2`;
  await shell("mkdir -p thing/deep; printf below >thing/deep/file", [], { cwd: pair.source });
  await sync(server(), pair);
  await shell("rm -r thing; printf above >thing", [], { cwd: pair.source });
  await sync(server(), pair, { trashDirectory, deleteMissingInTarget: true });
  await assertSameTree(pair.source, pair.target);
  assert.deepEqual(await contents(trashDirectory), ["below"]);
});

Deno.test("a trash inside the target is neither copied over nor emptied, or is refused", async () => {
  const pair = await makePair(server());
  await shell("printf old >file; printf x >x", [], { cwd: pair.source });
  await sync(server(), pair);
  const fields = { trashDirectory: `${pair.target}/.trash`, deleteMissingInTarget: true };
  for (const content of ["newer", "newest"]) {
    await shell('printf "$1" >file', [content], { cwd: pair.source });
    const answer = await postSync(server(), pair, fields);
    if (answer.status !== 200) return void assertError(answer, 400, "INVALID_REQUEST");
  }
  assert.deepEqual(await contents(`${pair.target}/.trash`), ["newer", "old"]);
  await assertSameTree(pair.source, pair.target, { ignore: (path) => path.startsWith(".trash") });
});

Deno.test("without deleteMissingInTarget no file takes the place of a directory with something of the target's own", async () => {
  const pair = await makePair(server());
  await shell("printf file >thing; printf 1 >other", [], { cwd: pair.source });
  await shell("mkdir thing; printf mine >thing/mine", [], { cwd: pair.target });
  const body = await syncPartly(server(), pair);
  assertNames(body, "thing");
  assert.equal(await Deno.readTextFile(`${pair.target}/thing/mine`), "mine");
  assert.equal(await Deno.readTextFile(`${pair.target}/other`), "1");
});

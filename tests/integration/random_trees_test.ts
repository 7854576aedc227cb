/** Properties: whatever the tree and its changes, after a run the source equals the target. */
import assert from "node:assert/strict";
import { assertSameTree, compareSnapshots, snapshot } from "../harness/compare.ts";
import { createRandom, testSeed } from "../harness/random.ts";
import { RandomTree } from "../harness/random_tree.ts";
import { sharedServer } from "../harness/suite.ts";
import { makePair, sync } from "../harness/sync.ts";

const server = sharedServer();
const seed = testSeed("random trees");
const TREES = 8;
const ROUNDS = 4;

for (let number = 0; number < TREES; number++) {
  Deno.test(`random tree ${number}: with deleteMissingInTarget the target is the source, whatever was in it`, async () => {
    const random = createRandom(seed + number);
    const pair = await makePair(server());
    const tree = new RandomTree(pair.source, random);
    const junk = new RandomTree(pair.target, random);
    tree.grow(150);
    if (random.oneIn(2)) junk.grow(50);
    for (let round = 0; round < ROUNDS; round++) {
      const fields = { deleteMissingInTarget: true, verifyIntegrity: random.oneIn(3) };
      const { changesApplied } = await sync(server(), pair, fields);
      await assertSameTree(pair.source, pair.target);
      if (round === 0) assert.ok(changesApplied > 0);
      assert.equal((await sync(server(), pair, fields)).changesApplied, 0, "a second run found something to do");
      tree.mutate(1 + random.below(80));
      if (random.oneIn(2)) {
        await junk.adopt();
        junk.mutate(1 + random.below(30));
      }
    }
  });
}

for (let number = 0; number < TREES / 2; number++) {
  Deno.test(`random tree ${number}: without deletion the source's paths are equal and the extras are untouched`, async () => {
    const random = createRandom(seed + 1_000 + number);
    const pair = await makePair(server());
    const tree = new RandomTree(pair.source, random);
    await Deno.mkdir(`${pair.target}/only in the target`);
    new RandomTree(`${pair.target}/only in the target`, random).grow(60);
    const extras = await snapshot(`${pair.target}/only in the target`);
    for (let round = 0; round < ROUNDS; round++) {
      tree.grow(40);
      await sync(server(), pair);
      const [source, target] = [await snapshot(pair.source), await snapshot(pair.target)];
      assert.deepEqual(compareSnapshots(source, target, { ignore: (path) => !source.has(path) }), []);
      assert.deepEqual(await snapshot(`${pair.target}/only in the target`), extras);
    }
  });
}

Deno.test("random trees: a dry run foretells the number of changes", async () => {
  const random = createRandom(seed + 2_000);
  const pair = await makePair(server());
  const tree = new RandomTree(pair.source, random);
  for (let round = 0; round < ROUNDS; round++) {
    tree.grow(30);
    tree.mutate(40);
    const before = await snapshot(pair.target);
    const planned = await sync(server(), pair, { deleteMissingInTarget: true, dryRun: true });
    assert.deepEqual(await snapshot(pair.target), before);
    const applied = await sync(server(), pair, { deleteMissingInTarget: true });
    assert.equal(applied.changesApplied, planned.changesApplied);
    await assertSameTree(pair.source, pair.target);
  }
});

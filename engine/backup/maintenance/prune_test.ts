import assert from "node:assert/strict";
import * as fs from "node:fs";
import { BackupWorld } from "../testing/backup_world.ts";
import { assertSound, create, prune } from "../testing/maintenance.ts";
import { planPrune, type UsedPack } from "./prune_plan.ts";
import { createRandom } from "../../../tests/harness/random.ts";

for (const password of [undefined, "secret"]) {
  const kind = password === undefined ? "plain" : "encrypted";

  Deno.test(`${kind}: prune takes away what only expired versions needed, and nothing else`, async () => {
    using world = await BackupWorld.make({ password });
    const random = createRandom(5);
    const states: Record<string, string>[] = [];
    const versions: { versionId: string }[] = [];
    for (let round = 0; round < 6; round++) {
      world.write("source/shared/file", "stays the same");
      world.write("source/changes", `version ${round}`);
      world.write(`source/only/${round}`, random.bytes(50_000));
      if (round > 0) fs.rmSync(`${world.source}/only/${round - 1}`);
      versions.push(await create(world));
      states.push(world.list(world.source));
    }
    const before = await assertSound(world);
    assert.equal(before.versions, 6);

    const planned = await prune(world, { keepLast: 2, dryRun: true });
    assert.deepEqual(planned.deletedVersions.toSorted(), versions.slice(0, 4).map((v) => v.versionId).toSorted());
    assert.equal((await assertSound(world)).versions, 6);
    const done = await prune(world, { keepLast: 2 });
    assert.deepEqual([done.deletedCount, done.keptVersions], [4, 2]);
    assert(done.reclaimedBytes > 190_000, `${done.reclaimedBytes}`);
    const after = await assertSound(world);
    assert.equal(after.versions, 2);
    assert(after.unusedBytes < 5_000, `${after.unusedBytes}`);
    for (const [i, version] of versions.entries()) {
      if (i < 4) await assert.rejects(world.restore(version), /not found/);
      else {
        await world.restore(version, { deleteExtra: true });
        assert.deepEqual(world.list(), states[i]);
      }
    }
    const again = await prune(world, { keepLast: 2 });
    assert.deepEqual([again.deletedCount, again.packsDeleted, again.packsRepacked, again.reclaimedBytes], [0, 0, 0, 0]);
    assert.equal((await create(world)).newBytes, 0);
  });

  Deno.test(`${kind}: many small packs and segments are merged`, async () => {
    using world = await BackupWorld.make({ password });
    for (let round = 0; round < 12; round++) {
      world.write(`source/${round}`, `content ${round}`);
      await create(world);
    }
    const state = world.list(world.source);
    const result = await prune(world, {});
    assert.deepEqual([result.deletedCount, result.keptVersions], [0, 12]);
    assert(result.packsRepacked >= 24, `${result.packsRepacked}`);
    const keys = [...world.store.snapshot().keys()];
    assert.equal(keys.filter((key) => key.startsWith("packs/")).length, 2);
    assert.equal(keys.filter((key) => key.startsWith("index/")).length, 1);
    await assertSound(world);
    const { versionId } = await create(world);
    await world.restore({ versionId });
    assert.deepEqual(world.list(), state);
  });

  Deno.test(`${kind}: what an interrupted backup left is taken away`, async () => {
    using world = await BackupWorld.make({ password });
    world.write("source/file", "content");
    await create(world);
    const before = world.store.snapshot();
    world.write("source/more", "more");
    await create(world);
    for (const key of world.store.snapshot().keys()) {
      if (!before.has(key) && !key.startsWith("packs/")) await world.store.delete(key);
    }
    const found = await assertSound(world);
    assert(found.unusedBytes > 0);
    const result = await prune(world);
    assert.equal(result.packsDeleted, 2);
    assert.equal((await assertSound(world)).unusedBytes, 0);
    assert.deepEqual([...world.store.snapshot().keys()], [...before.keys()]);
  });
}

const pack = (number: number, size: number, used: number, kind: UsedPack["kind"] = "data"): UsedPack => ({
  number,
  kind,
  size,
  stored: size,
  used,
});
const MIB = 1 << 20;
const plan = (packs: UsedPack[]) => {
  const { dead, repack, unusedBytes } = planPrune(packs);
  return [dead.map((p) => p.number), repack.map((p) => p.number).toSorted((a, b) => a - b), unusedBytes];
};

Deno.test("a plan deletes what is dead, writes anew what is mostly dead and leaves what is mostly needed", () => {
  assert.deepEqual(plan([]), [[], [], 0]);
  const packs = [pack(0, 32 * MIB, 0), pack(1, 32 * MIB, 10 * MIB), pack(2, 32 * MIB, 31 * MIB)];
  assert.deepEqual(plan(packs), [[0], [1], MIB]);
});

Deno.test("a plan writes the most wasteful anew until little waste is left", () => {
  const packs = [70, 80, 89, 95].map((percent, i) => pack(i, 32 * MIB, 32 * MIB * percent / 100));
  const [dead, repack] = plan(packs);
  assert.deepEqual([dead, repack], [[], [0, 1]]);
  const good = Array.from({ length: 100 }, (_, i) => pack(i, 32 * MIB, 32 * MIB));
  assert.deepEqual(plan([...good, pack(100, 32 * MIB, 20 * MIB)])[1], []);
});

Deno.test("a plan merges small packs of a kind where they are many", () => {
  const small = (count: number, kind: UsedPack["kind"], from = 0) =>
    Array.from({ length: count }, (_, i) => pack(from + i, MIB, MIB, kind));
  assert.deepEqual(plan(small(7, "data"))[1], []);
  assert.deepEqual(plan([...small(8, "data"), ...small(7, "tree", 8)])[1], [0, 1, 2, 3, 4, 5, 6, 7]);
});

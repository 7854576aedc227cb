/**
 * A crash at every single operation on the store: before it, after it, or with half an object under its key, which a store must never
 * leave. Whatever was committed restores byte for byte, a check finds nothing but the half object, and the operation run again
 * comes to its end.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { BackupWorld } from "./testing/backup_world.ts";
import { assertSound, check, create, prune, repair } from "./testing/maintenance.ts";
import { extendCatalogs } from "./versions/catalog_care.ts";
import { listHeads } from "./versions/version_heads.ts";
import { listVersions } from "./versions/version.ts";
import { type FaultMode, FaultyStore } from "../cloud/faulty_store.ts";
import { MemoryStore } from "../cloud/memory_store.ts";
import { EngineError } from "../errors.ts";
import { createRandom } from "../../tests/harness/random.ts";

type Files = Record<string, string>;

/** Operations that change nothing, so that it is all one whether they fail before or after. */
const READS = /^(read|get|head|list|writer|removeUnfinished)\b/;
/** A process that dies, and one that goes on after a single failure and cleans up. */
const FAULTS: { mode: FaultMode; isCrash: boolean }[] = [
  { mode: "before", isCrash: true },
  { mode: "after", isCrash: true },
  { mode: "half", isCrash: true },
  { mode: "before", isCrash: false },
];

interface Case {
  world: BackupWorld;
  /** What each version restores to. */
  states: Map<string, Files>;
  /** The keys of the objects that came with each version. */
  added: string[][];
}

/** @param more versions that change nothing, so that there are enough for catalogs. */
async function withVersions(password: string | undefined, more = 0): Promise<Case> {
  const world = await BackupWorld.make({ password });
  const random = createRandom(11);
  const states = new Map<string, Files>();
  const added: string[][] = [];
  const keep = async () => {
    const before = world.store.snapshot();
    states.set((await create(world)).versionId, world.list(world.source));
    added.push([...world.store.snapshot().keys()].filter((key) => !before.has(key)));
  };
  world.write("source/goes", random.bytes(30_000));
  world.write("source/stays", "stays");
  await keep();
  fs.rmSync(`${world.source}/goes`);
  world.write("source/d/once", random.bytes(5_000));
  await keep();
  fs.rmSync(`${world.source}/d/once`);
  world.write("source/d/new", random.bytes(2_000));
  await keep();
  for (let i = 0; i < more; i++) await keep();
  return { world, states, added };
}

async function assertRestores({ world }: Case, versionId: string, expected: Files): Promise<void> {
  fs.rmSync(world.target, { recursive: true, force: true });
  const result = await world.restore({ versionId });
  assert.deepEqual(result.errors, []);
  assert.deepEqual(world.list(), expected);
}

async function versionsOf(world: BackupWorld, store: MemoryStore): Promise<string[]> {
  return (await listVersions(world.access, store)).versions.map(({ versionId }) => versionId);
}

/** Runs an action with a fault at each operation in turn until there are no more, and looks at what each leaves. */
async function atEveryOperation(
  { world, states }: Case,
  action: () => Promise<unknown>,
  examine: (
    store: MemoryStore,
    fault: { failed: string; torn: string | undefined; succeeded: boolean },
  ) => Promise<void>,
): Promise<void> {
  const objects = world.store.snapshot();
  const known = new Map(states);
  const failures: string[] = [];
  let points = 0;
  for (const { mode, isCrash } of FAULTS) {
    for (let at = 1;; at++) {
      const store = MemoryStore.of(objects);
      const faulty = new FaultyStore(store, { fault: { at, mode, isCrash } });
      world.replaceStore(faulty);
      const succeeded = await action().then(() => true, (error) => {
        assert(error instanceof EngineError && error.kind === "storage-unavailable", error.stack);
        return false;
      });
      const { failed, torn } = faulty;
      if (failed === undefined) break;
      if (mode !== "before" && READS.test(failed) || mode === "half" && torn === undefined) continue;
      points++;
      // Half a lease cannot be judged until its time is over.
      if (torn?.startsWith("leases/")) await store.delete(torn);
      world.replaceStore(store);
      try {
        await examine(store, { failed, torn, succeeded });
      } catch (error) {
        failures.push(`${at} ${mode} ${failed}: ${error instanceof Error ? error.stack : error}`);
      }
      states.clear();
      for (const [versionId, files] of known) states.set(versionId, files);
    }
  }
  assert.deepEqual(failures, []);
  assert(points > 20, `only ${points} operations`);
}

/** Half an object and nothing else may be found, and what a repair does about it. */
async function assertSoundBut(world: BackupWorld, torn: string | undefined): Promise<void> {
  if (torn === undefined || torn.startsWith("leases/")) return void await assertSound(world);
  const { problems } = await check(world);
  assert(problems.every(({ object }) => object === torn), JSON.stringify(problems));
  if (problems.length > 0) await repair(world);
  await assertSound(world);
}

for (const password of [undefined, "secret"]) {
  const kind = password === undefined ? "plain" : "encrypted";

  Deno.test(`${kind}: a crash at every operation of a backup`, async () => {
    const backups = await withVersions(password);
    using world = backups.world;
    world.write("source/d/more", createRandom(12).bytes(9_000));
    const state = world.list(world.source);
    await atEveryOperation(backups, () => create(world), async (store, { torn, succeeded }) => {
      await assertSoundBut(world, torn);
      const fresh = (await versionsOf(world, store)).filter((versionId) => !backups.states.has(versionId));
      assert(fresh.length === 1 || fresh.length === 0 && !succeeded);
      for (const [versionId, files] of backups.states) await assertRestores(backups, versionId, files);
      for (const versionId of fresh) await assertRestores(backups, versionId, state);
      await assertRestores(backups, (await create(world)).versionId, state);
      await assertSound(world);
    });
  });

  Deno.test(`${kind}: a crash at every operation of a prune`, async () => {
    const backups = await withVersions(password, 3);
    using world = backups.world;
    const all = [...backups.states];
    const kept = new Set(all.slice(-4).map(([versionId]) => versionId));
    const { packsDeleted, packsRepacked } = await prune(world, { keepLast: 4, dryRun: true });
    assert(packsDeleted > 0 && packsRepacked > 0, `${packsDeleted} ${packsRepacked}`);
    await atEveryOperation(backups, () => prune(world, { keepLast: 4 }), async (store, { torn, succeeded }) => {
      await assertSoundBut(world, torn);
      const left = await versionsOf(world, store);
      for (const versionId of kept) assert(left.includes(versionId));
      if (succeeded) assert.equal(left.length, kept.size);
      for (const versionId of left) await assertRestores(backups, versionId, backups.states.get(versionId) as Files);
      await prune(world, { keepLast: 4 });
      const { unusedBytes, versions } = await assertSound(world);
      assert.deepEqual([versions, unusedBytes < 500], [4, true], `${unusedBytes}`);
      for (const [versionId, files] of all) if (kept.has(versionId)) await assertRestores(backups, versionId, files);
    });
  });

  Deno.test(`${kind}: a crash at every operation of a repair`, async () => {
    const backups = await withVersions(password);
    using world = backups.world;
    const [first, second, third] = [...backups.states.keys()];
    await extendCatalogs(world.access, world.store, await listHeads(world.access, world.store));
    await damage(backups);
    const before = await check(world);
    const objects = new Set(before.problems.map(({ object }) => object));
    const hurt = new Set(before.problems.flatMap(({ versions }) => versions));
    assert.deepEqual(hurt, new Set([second, third]));
    await atEveryOperation(backups, () => repair(world), async (store, { torn }) => {
      const { problems } = await check(world);
      for (const { object } of problems) assert(objects.has(object) || object === torn, object);
      // While a segment cannot be read, nothing is restored.
      if (!torn?.startsWith("index/")) await assertRestores(backups, first, backups.states.get(first) as Files);
      await repair(world);
      await assertSound(world);
      const left = await versionsOf(world, store);
      assert(left.length >= 3 && !left.includes(second));
      for (const versionId of left) {
        const files = backups.states.get(versionId) ?? withoutLost(backups.states.get(second) as Files);
        await assertRestores(backups, versionId, files);
      }
    });
  });
}

/** Damages the file that only the second version has, and takes the third one's index away, which its packs tell again. */
async function damage({ world, added }: Case): Promise<void> {
  const objects = world.store.snapshot();
  const packs = added[1].filter((key) => key.startsWith("packs/"));
  const [data] = packs.sort((a, b) => sizeOf(objects, b) - sizeOf(objects, a));
  const bytes = objects.get(data) as Uint8Array<ArrayBuffer>;
  bytes[1000] ^= 1;
  await world.store.put(data, bytes);
  for (const [key, content] of objects) if (key.startsWith("catalogs/")) await world.store.put(key, content.slice(1));
  for (const key of added[2]) if (key.startsWith("index/")) await world.store.delete(key);
}

function sizeOf(objects: Map<string, Uint8Array>, key: string): number {
  return objects.get(key)?.length ?? 0;
}

function withoutLost(files: Files): Files {
  return Object.fromEntries(Object.entries(files).filter(([path]) => path !== "d/once"));
}

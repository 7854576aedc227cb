/**
 * Whatever happens to an object, a check notices it and names what it costs, no restore gives wrong bytes, and a repair makes the
 * repository whole again without what is lost.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { BackupWorld } from "./testing/backup_world.ts";
import { type Damage, everyDamage } from "./testing/damage.ts";
import { assertSound, check, create, repair } from "./testing/maintenance.ts";
import { extendCatalogs } from "./versions/catalog_care.ts";
import { listHeads } from "./versions/version_heads.ts";
import { listVersions } from "./versions/version.ts";
import type { CheckResult } from "./types.ts";
import { MemoryStore } from "../cloud/memory_store.ts";
import { openStore } from "../cloud/open_store.ts";
import { EngineError } from "../errors.ts";
import { createRandom } from "../../tests/harness/random.ts";

type Files = Record<string, string>;

interface Backups {
  world: BackupWorld;
  /** What each version has to restore to. */
  states: Map<string, Files>;
}

async function makeBackups(password: string | undefined): Promise<Backups> {
  const world = await BackupWorld.make({ password });
  const random = createRandom(3);
  world.write("source/a/deep/er/file", "deep");
  world.write("source/a/text", "many words ".repeat(3000));
  world.write("source/listed", random.bytes(40_000));
  world.write("source/noise", random.bytes(70_000));
  world.write("source/empty", "");
  fs.symlinkSync("a/text", `${world.source}/link`);
  const states = new Map<string, Files>();
  const first = await world.backup({ chunk: 64, changes: [["added", "a"]] });
  states.set(first.versionId, world.list(world.source));
  world.write("source/noise", random.bytes(60_000));
  world.write("source/b/new", "new");
  const second = await create(world);
  states.set(second.versionId, world.list(world.source));
  await extendCatalogs(world.access, world.store, await listHeads(world.access, world.store), 1);
  return { world, states };
}

/** Restores a version and returns which paths are not right; undefined where it cannot be restored at all. */
async function damageSeen(
  world: BackupWorld,
  versionId: string,
  expected: Files,
): Promise<{ missing: string[]; success: boolean } | undefined> {
  fs.rmSync(world.target, { recursive: true, force: true });
  let success: boolean;
  try {
    const result = await world.restore({ versionId });
    success = result.success;
    assert.equal(success, result.errors.length === 0);
  } catch (error) {
    assert(error instanceof EngineError, `${error}`);
    return undefined;
  }
  const found = world.list();
  for (const [path, content] of Object.entries(found)) assert.equal(content, expected[path], `wrong bytes in ${path}`);
  return { missing: Object.keys(expected).filter((path) => !(path in found)), success };
}

async function tryCheck(world: BackupWorld): Promise<CheckResult | undefined> {
  try {
    return await check(world);
  } catch (error) {
    assert(error instanceof EngineError && ["damaged", "wrong-password", "not-found"].includes(error.kind), `${error}`);
    return undefined;
  }
}

/** @param repairs whether to see as well what a repair makes of it. */
async function examine({ world, states }: Backups, { objects, keys }: Damage, repairs: boolean): Promise<void> {
  world.replaceStore(MemoryStore.of(objects));
  const result = await tryCheck(world);
  if (result === undefined) {
    for (const [versionId, files] of states) assert.equal(await damageSeen(world, versionId, files), undefined);
    return;
  }
  assert(result.problemCount > 0, "the check found nothing");
  const isNamed = keys.length === 0 || result.problems.some(({ object }) => keys.includes(object));
  assert(isNamed, `no ${keys} in ${JSON.stringify(result.problems)}`);
  const costs = new Set(result.problems.flatMap(({ versions }) => versions));
  const files = new Set(result.problems.flatMap(({ files }) => files));
  for (const [versionId, expected] of states) {
    const seen = await damageSeen(world, versionId, expected);
    if (seen?.success) {
      assert.deepEqual(seen.missing, []);
      assert(!costs.has(versionId) || [...files].some((file) => file === `${versionId}:(list of changes)`));
    } else if (seen !== undefined) {
      assert(costs.has(versionId), `${versionId} is not whole and not named`);
      for (const path of seen.missing) {
        const parts = path.split("/").map((_, i, all) => all.slice(0, i).join("/") + "/");
        const isNamed = [`${versionId}:${path}`, ...parts.map((part) => `${versionId}:${part}`)].some((f) =>
          files.has(f)
        );
        assert(isNamed, `${path} is lost and not named`);
      }
    }
  }
  if (repairs) await examineRepair({ world, states });
}

async function examineRepair({ world, states }: Backups): Promise<void> {
  const planned = await repair(world, true);
  const done = await repair(world);
  assert.deepEqual([planned.lostFiles, planned.success], [done.lostFiles, done.success]);
  const after = await check(world);
  const left = after.problems.filter(({ kind, object }) => kind !== "foreign" && !object.startsWith("keys/"));
  assert.deepEqual(left, []);
  const old = new Map(Object.entries(done.versionsSalvaged).map(([before, fresh]) => [fresh, before]));
  const { versions } = await listVersions(world.access, openStore(world.location));
  for (const { versionId } of versions) {
    const origin = old.get(versionId) ?? versionId;
    const expected = states.get(origin) as Files;
    const seen = await damageSeen(world, versionId, expected);
    assert(seen?.success, "what a repair left cannot be restored");
    const lost = done.lostFiles.filter((file) => file.startsWith(origin)).map((file) => file.slice(origin.length + 1));
    for (const path of seen.missing) {
      assert(
        lost.some((file) => file === path || file === "/" || file.endsWith("/") && `${path}/`.startsWith(file)),
        path,
      );
    }
  }
}

for (const password of [undefined, "secret"]) {
  const kind = password === undefined ? "plain" : "encrypted";

  Deno.test(`${kind}: every damage to every object is noticed, costs what is named, and is repaired`, async () => {
    const backups = await makeBackups(password);
    using world = backups.world;
    const objects = world.store.snapshot();
    await assertSound(world);
    const failures: string[] = [];
    let number = 0;
    for (const damage of everyDamage(objects)) {
      // Repairs know little of encryption, so a third of them is enough there.
      const repairs = password === undefined || number++ % 3 === 0;
      try {
        await examine(backups, damage, repairs);
      } catch (error) {
        failures.push(`${damage.name}: ${error instanceof Error ? error.stack : error}`);
      }
    }
    assert.deepEqual(failures, []);
  });
}

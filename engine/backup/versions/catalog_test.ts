import assert from "node:assert/strict";
import { headOf, readCatalogs } from "./catalog.ts";
import { BackupWorld } from "../testing/backup_world.ts";
import { assertSound, check, create, prune, repair } from "../testing/maintenance.ts";
import { listVersions, versionObject } from "./version.ts";
import { listHeads } from "./version_heads.ts";
import type { ObjectStore } from "../../cloud/object_store.ts";

/** A store that counts what is asked of it, and calls `before` ahead of each request. */
function watched(store: ObjectStore, requests: string[], before?: (request: string) => Promise<void>): ObjectStore {
  const tell = (name: string, key: string) => {
    requests.push(`${name} ${key}`);
    return before?.(`${name} ${key}`);
  };
  return new Proxy(store, {
    get(target, property) {
      const value = Reflect.get(target, property);
      if (typeof value !== "function") return value;
      if (property === "list") {
        return async function* (...args: Parameters<ObjectStore["list"]>) {
          await tell("list", args[0]);
          yield* target.list(...args);
        };
      }
      return async (key: string, ...rest: unknown[]) => {
        await tell(String(property), key);
        return await value.call(target, key, ...rest);
      };
    },
  });
}

/** That what catalogs tell is what the versions say themselves. */
async function assertTold(world: BackupWorld): Promise<void> {
  const { versions } = await listVersions(world.access, world.store);
  const { heads, damaged } = await listHeads(world.access, world.store);
  const byId = (a: { versionId: string }, b: { versionId: string }) => a.versionId < b.versionId ? -1 : 1;
  assert.deepEqual(heads.toSorted(byId), versions.map(headOf).toSorted(byId));
  assert.deepEqual(damaged, []);
}

for (const password of [undefined, "secret"]) {
  const kind = password === undefined ? "plain" : "encrypted";

  Deno.test(`${kind}: a list of many versions costs few requests, and says what the versions say`, async () => {
    using world = await BackupWorld.make({ password });
    world.write("source/file", "content");
    for (let made = 1; made <= 100; made++) {
      const { versionId } = await create(world, { description: `number ${made}` });
      const requests: string[] = [];
      const { heads } = await listHeads(world.access, watched(world.store, requests));
      assert.equal(heads.length, made);
      assert(heads.some((head) => head.versionId === versionId), `number ${made} is not shown`);
      assert(requests.length <= 9, `${made} versions: ${requests}`);
    }
    await assertTold(world);
    await assertSound(world);
    const requests: string[] = [];
    world.replaceStore(watched(world.store, requests));
    await create(world);
    const reads = requests.filter((request) => request.startsWith("read versions/"));
    assert(reads.length <= 4, `a backup read ${reads.length} versions`);
  });

  Deno.test(`${kind}: prune leaves one catalog, of what it left`, async () => {
    using world = await BackupWorld.make({ password });
    world.write("source/file", "content");
    for (let made = 0; made < 30; made++) await create(world);
    await prune(world, { keepLast: 20 });
    const { catalogs } = await readCatalogs(world.access, world.store);
    assert.deepEqual(catalogs.map(({ entries }) => entries.size), [20]);
    await assertTold(world);
    const before = [...world.store.snapshot().keys()];
    await prune(world, { keepLast: 20 });
    assert.deepEqual([...world.store.snapshot().keys()], before, "nothing to do");
    await prune(world, { keepLast: 1 });
    assert.deepEqual(await readCatalogs(world.access, world.store), { catalogs: [], damaged: [] });
    await assertTold(world);
    await assertSound(world);
  });

  Deno.test(`${kind}: a catalog neither shows what is gone nor hides what is there`, async () => {
    using world = await BackupWorld.make({ password });
    world.write("source/file", "content");
    for (let made = 0; made < 9; made++) await create(world);
    const { catalogs } = await readCatalogs(world.access, world.store);
    const listed = catalogs.flatMap(({ entries }) => [...entries.keys()]);
    assert.equal(listed.length, 6);
    await world.store.delete(versionObject(listed[0]));
    await assertTold(world);
    const cut = (await world.store.read(versionObject(listed[1]))).slice(1);
    await world.store.put(versionObject(listed[1]), cut);
    const { versions, damaged } = await world.operations.versions(world.location);
    assert.deepEqual([versions.length, damaged], [7, [listed[1]]]);
    assert(!versions.some(({ versionId }) => listed.slice(0, 2).includes(versionId)));
    await world.store.delete(versionObject(listed[1]));

    const [name] = [...world.store.snapshot().keys()].filter((key) => key.startsWith("catalogs/"));
    await world.store.put(name, new Uint8Array(100));
    await assertTold(world);
    assert.deepEqual((await check(world)).problems.map(({ object }) => object), [name]);
    assert.deepEqual((await repair(world)).actions.length, 1);
    await assertSound(world);
    await assertTold(world);
  });

  Deno.test(`${kind}: a catalog that another process replaces meanwhile is found`, async () => {
    using world = await BackupWorld.make({ password });
    world.write("source/file", "content");
    for (let made = 0; made < 8; made++) await create(world);
    const requests: string[] = [];
    const store = watched(world.store, requests, async (request) => {
      if (request.startsWith("read catalogs/") && requests.filter((one) => one === "list catalogs/").length === 1) {
        await prune(world, { keepLast: 7 });
      }
    });
    const { heads } = await listHeads(world.access, store);
    assert.equal(heads.length, 7);
    const reads = requests.filter((request) => request.startsWith("read versions/"));
    assert.equal(reads.length, 1, `only the one that is gone: ${requests}`);
  });
}

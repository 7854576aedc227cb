/** Random actions on a repository against a model that remembers what each version must restore to. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { BackupWorld } from "./testing/backup_world.ts";
import { assertSound, create, prune, repair } from "./testing/maintenance.ts";
import type { CreateResult, PruneResult } from "./types.ts";
import { listVersions } from "./versions/version.ts";
import { FaultyStore } from "../cloud/faulty_store.ts";
import { EngineError } from "../errors.ts";
import { createRandom, type Random, testSeed } from "../../tests/harness/random.ts";

type Files = Record<string, string>;

interface Kept {
  source: string;
  createdAt: string;
  files: Files;
}

const NAMES = ["a", "b", "c", "dir/a", "dir/b", "dir/sub/c", "ü", "with space"];

class Model {
  readonly versions = new Map<string, Kept>();
  readonly sources: string[];
  readonly log: string[] = [];

  constructor(readonly world: BackupWorld, readonly random: Random) {
    this.sources = [world.source, `${world.path}/other`];
    fs.mkdirSync(this.sources[1]);
  }

  async step(): Promise<void> {
    const { random } = this;
    const actions: [number, () => unknown][] = [
      [8, () => this.edit()],
      [5, () => this.backup(random.pick(this.sources))],
      [2, () => Promise.all(this.sources.map((source) => this.backup(source)))],
      [4, () => this.restore(random.pick([...this.versions.keys()]))],
      [2, () => this.prune()],
      [2, () => this.crash("backup")],
      [2, () => this.crash("prune")],
      [1, () => assertSound(this.world)],
      [1, () => this.repair()],
    ];
    let at = random.below(actions.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, action] of actions) {
      if ((at -= weight) < 0) return void await action();
    }
  }

  edit(): void {
    const { random } = this;
    const source = random.pick(this.sources);
    const path = `${source}/${random.pick(NAMES)}`;
    this.log.push(`edit ${path}`);
    const kind = random.below(6);
    if (kind === 0) return fs.rmSync(path, { recursive: true, force: true });
    if (kind === 1 && fs.existsSync(path)) {
      const text = fs.readFileSync(path, "utf8");
      const cut = random.below(text.length + 1);
      return fs.writeFileSync(path, text.slice(0, cut) + random.bytes(9).toBase64() + text.slice(cut));
    }
    fs.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    fs.rmSync(path, { force: true });
    if (kind === 2) return fs.symlinkSync(random.bytes(6).toBase64(), path);
    fs.writeFileSync(path, random.bytes(random.pick([0, 10, 3_000, 80_000])).toBase64());
  }

  async backup(source: string): Promise<void> {
    const files = this.world.list(source);
    this.log.push(`backup ${source}`);
    const result = await create(this.world, { sourceDirectory: source, isFullBackup: this.random.oneIn(5) });
    this.#created(result, source, files);
  }

  #created(result: CreateResult, source: string, files: Files): void {
    assert(result.success, JSON.stringify(result.errors));
    this.versions.set(result.versionId, { source, createdAt: result.createdAt, files });
  }

  async restore(versionId: string | undefined): Promise<void> {
    if (versionId === undefined) return;
    this.log.push(`restore ${versionId}`);
    // Now and then over what is there already; without `verify`, size and modification time would say what is right there, and two
    // edits within one tick of the kernel's clock have the same.
    const verify = this.random.oneIn(3);
    if (!verify) fs.rmSync(this.world.target, { recursive: true, force: true });
    const result = await this.world.restore({ versionId }, { deleteExtra: true, verify });
    assert.deepEqual(result.errors, []);
    assert.deepEqual(this.world.list(), this.versions.get(versionId)?.files);
  }

  async prune(): Promise<void> {
    const keepLast = this.random.below(4);
    this.log.push(`prune ${keepLast}`);
    this.#pruned(await prune(this.world, { keepLast }), keepLast);
  }

  #pruned({ deletedVersions }: PruneResult, keepLast: number): void {
    const gone = new Set(deletedVersions);
    for (const source of this.sources) {
      const all = [...this.versions].filter(([, kept]) => kept.source === source);
      const left = all.filter(([versionId]) => !gone.has(versionId));
      assert.equal(left.length, Math.min(all.length, Math.max(1, keepLast)));
      const oldest = left.map(([, { createdAt }]) => createdAt).sort()[0];
      for (const [versionId, { createdAt }] of all) assert(!gone.has(versionId) || createdAt <= oldest);
    }
    for (const versionId of gone) this.versions.delete(versionId);
  }

  async crash(what: "backup" | "prune"): Promise<void> {
    const { random, world } = this;
    const fault = {
      at: 1 + random.below(40),
      mode: random.pick(["before", "after"] as const),
      isCrash: !random.oneIn(3),
    };
    const faulty = new FaultyStore(world.store, { fault });
    const source = random.pick(this.sources);
    const files = world.list(source);
    const keepLast = random.below(4);
    this.log.push(`crash of ${what} ${JSON.stringify(fault)}`);
    world.replaceStore(faulty);
    try {
      if (what === "prune") this.#pruned(await prune(world, { keepLast }), keepLast);
      else this.#created(await create(world, { sourceDirectory: source }), source, files);
    } catch (error) {
      const isOurs = error instanceof EngineError && error.kind === "storage-unavailable" &&
        faulty.failed !== undefined;
      if (!isOurs) throw error;
    } finally {
      world.replaceStore(world.store);
    }
    await this.#reconcile(source, files, what, keepLast);
  }

  /** After a crash the operation may have been done, or, of a prune, some of it. */
  async #reconcile(source: string, files: Files, what: string, keepLast: number): Promise<void> {
    const { versions } = await listVersions(this.world.access, this.world.store);
    const there = new Set(versions.map(({ versionId }) => versionId));
    for (const { versionId, createdAt } of versions) {
      if (this.versions.has(versionId)) continue;
      assert.equal(what, "backup");
      this.versions.set(versionId, { source, createdAt, files });
    }
    const newest = new Map(this.sources.map((of) => [
      of,
      [...this.versions].filter(([, kept]) => kept.source === of)
        .sort(([a, x], [b, y]) => x.createdAt < y.createdAt ? 1 : x.createdAt > y.createdAt ? -1 : a < b ? -1 : 1)
        .slice(0, Math.max(1, keepLast)).map(([versionId]) => versionId),
    ]));
    for (const versionId of [...this.versions.keys()]) {
      if (there.has(versionId)) continue;
      assert(what === "prune" && ![...newest.values()].flat().includes(versionId), `${versionId} is gone`);
      this.versions.delete(versionId);
    }
  }

  async repair(): Promise<void> {
    this.log.push("repair");
    const result = await repair(this.world);
    assert.deepEqual([result.success, result.lostFileCount, result.packsSalvaged], [true, 0, 0]);
  }
}

for (const [password, steps] of [[undefined, 300], ["secret", 150]] as const) {
  const name = `${password === undefined ? "plain" : "encrypted"}: random actions`;

  Deno.test(`${name} agree with a model`, async () => {
    const random = createRandom(testSeed(name));
    using world = await BackupWorld.make(password === undefined ? {} : { password });
    const model = new Model(world, random);
    try {
      for (let step = 0; step < steps; step++) await model.step();
      await assertSound(world);
      const { versions } = await listVersions(world.access, world.store);
      assert.deepEqual(new Set(versions.map(({ versionId }) => versionId)), new Set(model.versions.keys()));
      for (const versionId of model.versions.keys()) await model.restore(versionId);
      await prune(world);
      const { unusedBytes } = await assertSound(world);
      for (const versionId of model.versions.keys()) await model.restore(versionId);
      assert(unusedBytes < 300_000, `${unusedBytes} bytes of waste after a prune`);
    } catch (error) {
      throw new Error(`After ${model.log.join("; ")}`, { cause: error });
    }
  });
}

import type { RepositoryAccess } from "../repository/access.ts";
import { Bitmap } from "./bitmap.ts";
import type { Blame } from "./blame.ts";
import { catalogFaults } from "../versions/catalog_care.ts";
import { asEngineError } from "../repository/failure.ts";
import { parseKey } from "../repository/key_object.ts";
import { acquireLease } from "../repository/lease.ts";
import { decodeLease } from "../repository/lease_object.ts";
import { Losses } from "./losses.ts";
import type { LostChunk } from "./lost_chunk.ts";
import { isLoss, lossOf } from "./loss.ts";
import { markVersions } from "./mark_versions.ts";
import { packObject } from "../packs/pack_table.ts";
import { Problems } from "./problems.ts";
import { openRepository } from "../repository/repository.ts";
import { packsThere, type Survey, survey, verifyInPool } from "./repository_survey.ts";
import type { StoredObjects } from "../repository/stored_objects.ts";
import type { BackupServices, CheckRequest, CheckResult } from "../types.ts";
import type { PackToVerify } from "./verify_pack.ts";
import type { Version } from "../versions/version.ts";
import { type ObjectStore, StoreError } from "../../cloud/object_store.ts";
import { openStore } from "../../cloud/open_store.ts";
import { forEachAtOnce } from "../../at_once.ts";
import type { JobContext } from "../../jobs/types.ts";
import type { PoolJob } from "../../../workers/types.ts";

/**
 * Looks for whatever in a repository is not as FORMAT says, and names the versions and files that it costs. Always: that every version,
 * page of a tree and index segment can be read, that every chunk that is needed is in the index and its pack in the store, in its
 * size. With `readData` also every byte of all packs, or of a share of them. Changes nothing.
 * @throws EngineError `not-found`, `wrong-password`, `damaged` (of `config`), `conflict`, `storage-unavailable`
 */
export async function checkRepository(
  request: CheckRequest,
  services: BackupServices,
  job: JobContext,
): Promise<CheckResult> {
  const started = performance.now();
  try {
    const access = await openRepository(request.repository, services.password);
    const store = openStore(access.location);
    const { host } = services;
    await using lease = await acquireLease(access, store, {
      mode: "shared",
      purpose: "check",
      host,
      signal: job.signal,
    });
    const signal = AbortSignal.any([job.signal, lease.signal]);
    await using tasks = services.pool.job({ name: job.sessionId, signal });
    const result = await new Checking(access, store, signal, tasks, services.pool.size, job).run(request);
    return { ...result, executionTimeMs: Math.round(performance.now() - started) };
  } catch (error) {
    throw asEngineError(error);
  }
}

class Checking {
  readonly #problems = new Problems();
  #bytesRead = 0;

  constructor(
    private readonly access: RepositoryAccess,
    private readonly store: ObjectStore,
    private readonly signal: AbortSignal,
    private readonly tasks: PoolJob,
    private readonly workers: number,
    private readonly job: JobContext,
  ) {}

  async run(request: CheckRequest): Promise<Omit<CheckResult, "executionTimeMs">> {
    this.#report(0, "Reading the index");
    const found = await survey(this.access, this.store, this.tasks, this.signal);
    const { list, stored, index } = found;
    await this.#objects(found);

    this.#report(5, "Walking the versions");
    const { used, lost } = await markVersions(this.access, index, list.versions, this.tasks, this.workers);
    const losses = Losses.create(index);
    const unindexed = await this.#packs(request, found, losses);
    for (const chunk of lost.values()) this.#lost(chunk);
    if (lost.size > 0 || !losses.areNone) await this.#blame(found, losses);

    const usage = await this.tasks.run("backup.packUsage", { index: index.data, used: used.data });
    const unused = usage.stored.reduce((sum, bytes, pack) => sum + Math.max(0, bytes - usage.used[pack]), 0);
    return {
      success: this.#problems.count === 0,
      problems: this.#problems.list,
      problemCount: this.#problems.count,
      versions: list.versions.length,
      packs: stored.packs.size,
      chunks: index.size,
      bytesRead: this.#bytesRead,
      unusedBytes: Math.round(unused) + unindexed,
    };
  }

  /** What can be said of each object by itself. */
  async #objects({ list, stored, faults }: Survey): Promise<void> {
    for (const key of stored.foreign) this.#problems.add("foreign", key, "FORMAT knows no such object");
    for (const { key, error } of list.damaged) {
      this.#problems.add("damaged", key, error.details, [key.slice("versions/".length)]);
    }
    for (const { key, isMissing, reason } of faults) {
      this.#problems.add(isMissing ? "missing" : "damaged", key, reason);
    }
    for (const { key, reason } of await catalogFaults(this.access, this.store, stored.catalogs, list.versions)) {
      this.#problems.add("damaged", key, reason);
    }
    await this.#each(stored.keys, parseKey);
    await this.#each(stored.leases, (key, bytes) => decodeLease(this.access, key, bytes));
  }

  async #each(keys: string[], parse: (key: string, bytes: Uint8Array) => unknown): Promise<void> {
    for (const key of keys) {
      try {
        parse(key, await this.store.read(key, { signal: this.signal }));
      } catch (error) {
        if (isLoss(error)) this.#problems.add("damaged", key, lossOf(error));
        // One that was removed meanwhile is none.
        else if (!(error instanceof StoreError && error.kind === "not-found")) throw error;
      }
    }
  }

  /** Looks at the packs and returns the bytes of those that no segment names. */
  async #packs(request: CheckRequest, { index, stored }: Survey, losses: Losses): Promise<number> {
    const { there, missing } = packsThere(index, stored);
    for (const number of missing) {
      losses.packs.add(number);
      this.#problems.add("missing", packObject(index.packName(number)), "an index segment names it, and it is missing");
    }
    // What is of another size is read in any case: only that tells what is lost.
    const suspect = there.filter(({ number, size }) => size !== index.packSize(number));
    const others = there.filter(({ number, size }) => size === index.packSize(number));
    const chosen = [...suspect, ...request.readData ? sample(others, request.subset) : []];
    const total = chosen.reduce((sum, { size }) => sum + size, 0);
    const report = (bytes: number) => this.#report(20 + 75 * bytes / total, "Reading the packs");
    const faults = await verifyInPool(this.access, index, losses, chosen, this.tasks, this.workers, report);
    for (const { number, reason } of faults) {
      this.#problems.add("damaged", packObject(index.packName(number)), reason);
    }
    this.#bytesRead += total;
    return await this.#unindexed(request, stored, new Set(there.map(({ number }) => index.packName(number))));
  }

  async #unindexed({ readData }: CheckRequest, stored: StoredObjects, indexed: Set<string>): Promise<number> {
    const packs = [...stored.packs].filter(([name]) => !indexed.has(name));
    const bytes = packs.reduce((sum, [, size]) => sum + size, 0);
    if (!readData || packs.length === 0) return bytes;
    const input = { location: this.access.location, names: packs.map(([name]) => name) };
    for (const name of await this.tasks.run("backup.hashPacks", input)) {
      this.#problems.add("foreign", packObject(name), "no index segment names it, and its name is not its SHA-256");
    }
    this.#bytesRead += bytes;
    return bytes;
  }

  #lost({ id, pack, reason }: LostChunk): void {
    if (pack !== undefined) this.#problems.add("damaged", pack, reason);
    else this.#problems.add("dangling", id, reason);
  }

  /** Names what the losses cost. */
  async #blame({ list, index }: Survey, losses: Losses): Promise<void> {
    this.#report(95, "Looking for what the damage costs");
    const sound = Bitmap.create(index.size).data;
    const input = { access: this.access, index: index.data, losses: losses.data, sound };
    await forEachAtOnce(list.versions.toReversed(), this.workers, async (version) => {
      for (const found of await this.tasks.run("backup.blame", { ...input, version })) this.#costs(version, found);
    });
  }

  #costs({ versionId }: Version, { object, reason, files }: Blame): void {
    const kind = object.startsWith("packs/") ? "damaged" : "dangling";
    this.#problems.add(kind, object, reason, [versionId], files.map((path) => `${versionId}:${path}`));
  }

  #report(percentage: number, message: string): void {
    this.job.progress({ percentage, message });
  }
}

/** So many percent of some packs, at least one, chosen at random. */
function sample(packs: PackToVerify[], percent: number): PackToVerify[] {
  if (percent >= 100) return packs;
  const rest = [...packs];
  const count = Math.ceil(packs.length * percent / 100);
  return Array.from({ length: count }, () => rest.splice(Math.floor(Math.random() * rest.length), 1)[0]);
}

import type { RepositoryAccess } from "../repository/access.ts";
import { type CatalogEntry, headOf } from "../versions/catalog.ts";
import { renewCatalogs } from "../versions/catalog_care.ts";
import type { ChunkIndex } from "../packs/chunk_index.ts";
import { damaged } from "../repository/damaged.ts";
import { asEngineError } from "../repository/failure.ts";
import { loadIndex, segmentObject } from "../packs/index_segment.ts";
import { acquireLease, type Lease } from "../repository/lease.ts";
import { type Marked, markVersions } from "./mark_versions.ts";
import { packObject, type StoredPack } from "../packs/pack_table.ts";
import { planPrune, type PrunePlan, type UsedPack, wasteOf } from "./prune_plan.ts";
import type { Segment } from "./reindex.ts";
import { openRepository } from "../repository/repository.ts";
import { expiredVersions } from "./retention.ts";
import { listStored } from "../repository/stored_objects.ts";
import type { BackupServices, PruneRequest, PruneResult } from "../types.ts";
import { listVersions, type Version, versionObject } from "../versions/version.ts";
import type { ObjectStore } from "../../cloud/object_store.ts";
import { openStore } from "../../cloud/open_store.ts";
import { forEachAtOnce } from "../../at_once.ts";
import type { JobContext } from "../../jobs/types.ts";
import type { PoolJob } from "../../../workers/types.ts";

/** Deletions at once; a distant store's delay is hidden. */
const DELETIONS = 16;
/** Bytes in packs that one task writes anew. */
const SHARE = 256 << 20;
/** What a writer left so long ago belongs to nobody: its lease is over. */
const UNFINISHED_MS = 3_600_000;

/**
 * Deletes versions that no rule keeps, and what nothing needs after that, in the order of FORMAT section 9: a crash at any moment
 * leaves waste at most, which the next prune takes away.
 * @throws EngineError `damaged` where something that is needed is lost: nothing is deleted then, repair comes first; `conflict`,
 * `not-found`, `wrong-password`, `storage-unavailable`, `backup-failed`
 */
export async function pruneBackups(
  request: PruneRequest,
  services: BackupServices,
  job: JobContext,
): Promise<PruneResult> {
  const started = performance.now();
  try {
    const access = await openRepository(request.repository, services.password);
    const store = openStore(access.location);
    await using lease = await acquireLease(access, store, {
      mode: request.dryRun ? "shared" : "exclusive",
      purpose: "prune",
      host: services.host,
      signal: job.signal,
    });
    const signal = AbortSignal.any([job.signal, lease.signal]);
    await using tasks = services.pool.job({ name: job.sessionId, signal });
    const result = await new Pruning(access, store, lease, signal, tasks, services.pool.size, job).run(request);
    return { ...result, executionTimeMs: Math.round(performance.now() - started) };
  } catch (error) {
    throw asEngineError(error);
  }
}

class Pruning {
  #segments: Segment[] = [];
  #reclaimed = 0;

  constructor(
    private readonly access: RepositoryAccess,
    private readonly store: ObjectStore,
    private readonly lease: Lease,
    private readonly signal: AbortSignal,
    private readonly tasks: PoolJob,
    private readonly workers: number,
    private readonly job: JobContext,
  ) {}

  async run(request: PruneRequest): Promise<Omit<PruneResult, "executionTimeMs">> {
    this.#report(0, "Reading the index");
    const list = await listVersions(this.access, this.store);
    if (list.damaged.length > 0) throw list.damaged[0].error;
    const expired = new Set(expiredVersions(list.versions, request, new Date()));
    const kept = list.versions.filter(({ versionId }) => !expired.has(versionId));
    const { index } = await loadIndex(this.access, this.store);
    const { packs, segments, versions: sizes } = await listStored(this.store, this.signal);
    this.#segments = segments;

    this.#report(10, "Looking for what is needed");
    const marked = await this.#mark(index, kept);
    const used = await this.#usedPacks(index, marked, packs);
    const plan = planPrune(used);
    for (const { number } of used) packs.delete(index.packName(number));
    const unindexed = [...packs].map(([name, size]) => ({ name, size }));

    if (request.dryRun) this.#reclaimed = estimate(plan, unindexed);
    else {
      this.#report(40, "Deleting versions");
      await this.#delete([...expired].map(versionObject));
      await this.#renewCatalogs(kept, sizes);
      await this.#apply(index, marked, plan, unindexed);
    }
    return {
      deletedCount: expired.size,
      reclaimedBytes: Math.max(0, Math.round(this.#reclaimed)),
      dryRun: request.dryRun,
      deletedVersions: [...expired],
      keptVersions: kept.length,
      packsDeleted: plan.dead.length + unindexed.length,
      packsRepacked: plan.repack.length,
      unusedBytes: plan.unusedBytes,
    };
  }

  async #mark(index: ChunkIndex, kept: Version[]): Promise<Marked> {
    const marked = await markVersions(this.access, index, kept, this.tasks, this.workers);
    const [lost] = marked.lost.values();
    if (lost !== undefined) throw damaged(lost.pack ?? lost.id, `${lost.reason}; repair the repository first`);
    return marked;
  }

  /** @throws EngineError `damaged` where a needed pack is missing or cut. */
  async #usedPacks(index: ChunkIndex, marked: Marked, packs: Map<string, number>): Promise<UsedPack[]> {
    const usage = await this.tasks.run("backup.packUsage", { index: index.data, used: marked.used.data });
    return Array.from(usage.used, (used, number) => {
      const [name, size] = [index.packName(number), index.packSize(number)];
      const found = packs.get(name);
      if (used > 0 && found !== size) {
        const reason = found === undefined ? "it is missing" : `it has ${found} bytes instead of ${size}`;
        throw damaged(packObject(name), `${reason}; repair the repository first`);
      }
      return { number, kind: index.packKind(number), size: found ?? 0, stored: usage.stored[number], used };
    });
  }

  async #renewCatalogs(versions: Version[], sizes: Map<string, number>): Promise<void> {
    const entries = versions.map((version): CatalogEntry => ({
      size: sizes.get(version.versionId) as number,
      head: headOf(version),
    }));
    await this.#delete(await renewCatalogs(this.access, this.store, entries));
  }

  async #apply(
    index: ChunkIndex,
    marked: Marked,
    plan: PrunePlan,
    unindexed: { name: string; size: number }[],
  ): Promise<void> {
    this.#reclaimed += await this.store.removeUnfinished(new Date(Date.now() - UNFINISHED_MS));
    await this.#deletePacks(unindexed);
    // What is dead goes first, so that a full disk has room for what is written anew.
    await this.#replace(index, plan.dead, []);
    if (plan.repack.length === 0) return;
    const written = await this.#repack(index, marked, plan.repack);
    this.#reclaimed -= written.reduce((sum, { size }) => sum + size, 0);
    await this.#replace(index, plan.repack, written);
  }

  async #repack(index: ChunkIndex, marked: Marked, packs: UsedPack[]): Promise<StoredPack[]> {
    const shares = shareOut(packs);
    const written: StoredPack[] = [];
    let done = 0;
    await forEachAtOnce(shares, this.workers, async (share) => {
      const [{ kind }] = share;
      const numbers = share.map(({ number }) => number);
      const input = { access: this.access, index: index.data, chosen: marked.used.data, kind, packs: numbers };
      written.push(...await this.tasks.run("backup.repack", input));
      this.#report(45 + 45 * ++done / shares.length, "Writing packs anew");
    });
    return written;
  }

  /** Takes packs out of the index and then away; the index names others besides. */
  async #replace(index: ChunkIndex, packs: UsedPack[], others: StoredPack[]): Promise<void> {
    const kept = new Set(others.map(({ name }) => name));
    const gone = packs.map(({ number, size }) => ({ name: index.packName(number), size }))
      .filter(({ name }) => !kept.has(name));
    const { written, replaced } = await this.tasks.run("backup.reindex", {
      access: this.access,
      segments: this.#segments,
      without: gone.map(({ name }) => name),
      packs: others,
    });
    await this.#delete(replaced.map(segmentObject));
    const old = new Set(replaced);
    this.#segments = [...this.#segments.filter(({ name }) => !old.has(name)), ...written];
    await this.#deletePacks(gone);
  }

  async #deletePacks(packs: { name: string; size: number }[]): Promise<void> {
    await this.#delete(packs.map(({ name }) => packObject(name)));
    this.#reclaimed += packs.reduce((sum, { size }) => sum + size, 0);
  }

  async #delete(keys: string[]): Promise<void> {
    await forEachAtOnce(keys, DELETIONS, async (key) => {
      this.lease.assertValid();
      await this.store.delete(key, { signal: this.signal });
    });
  }

  #report(percentage: number, message: string): void {
    this.job.progress({ percentage, message });
  }
}

function estimate(plan: PrunePlan, unindexed: { size: number }[]): number {
  return [...plan.dead, ...unindexed].reduce((sum, { size }) => sum + size, 0) +
    plan.repack.reduce((sum, pack) => sum + wasteOf(pack), 0);
}

/** Packs of one kind together, so many that the new ones are full. */
function shareOut(packs: UsedPack[]): UsedPack[][] {
  const shares: UsedPack[][] = [];
  for (const ofKind of Map.groupBy(packs, ({ kind }) => kind).values()) {
    let share: UsedPack[] = [];
    let bytes = 0;
    for (const pack of ofKind) {
      if (bytes >= SHARE) {
        shares.push(share);
        [share, bytes] = [[], 0];
      }
      share.push(pack);
      bytes += pack.used;
    }
    shares.push(share);
  }
  return shares;
}

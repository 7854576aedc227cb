import type { RepositoryAccess } from "../repository/access.ts";
import { asEngineError } from "../repository/failure.ts";
import { acquireLease, type Lease } from "../repository/lease.ts";
import { packObject } from "../packs/pack_table.ts";
import { openRepository } from "../repository/repository.ts";
import { assess, type Assessment } from "./repair_assessment.ts";
import { Salvaging } from "./repair_salvage.ts";
import type { BackupServices, RepairRequest, RepairResult } from "../types.ts";
import { versionObject } from "../versions/version.ts";
import type { ObjectStore } from "../../cloud/object_store.ts";
import { openStore } from "../../cloud/open_store.ts";
import type { JobContext } from "../../jobs/types.ts";
import type { PoolJob } from "../../../workers/types.ts";

/** What the parts of a repair share. */
export interface RepairRun {
  access: RepositoryAccess;
  store: ObjectStore;
  lease: Lease;
  signal: AbortSignal;
  tasks: PoolJob;
  workers: number;
  report(percentage: number, message: string): void;
}

/**
 * Reads all of a repository and makes it whole again: builds the index from the packs, moves what can be had of damaged packs into new
 * ones, and puts versions without what is lost in the place of those that lost something. Writes before it deletes, in the order
 * of FORMAT section 9, so that it can be run again after a crash at any moment. In memory it takes the tables of the packs that no
 * readable segment names.
 * @throws EngineError `not-found`, `wrong-password`, `damaged` (of `config`), `conflict`, `storage-unavailable`, `backup-failed`
 */
export async function repairRepository(
  request: RepairRequest,
  services: BackupServices,
  job: JobContext,
): Promise<RepairResult> {
  const started = performance.now();
  const { dryRun } = request;
  try {
    const access = await openRepository(request.repository, services.password);
    const store = openStore(access.location);
    const mode = dryRun ? "shared" : "exclusive";
    await using lease = await acquireLease(access, store, {
      mode,
      purpose: "repair",
      host: services.host,
      signal: job.signal,
    });
    const signal = AbortSignal.any([job.signal, lease.signal]);
    await using tasks = services.pool.job({ name: job.sessionId, signal });
    const report = (percentage: number, message: string) => job.progress({ percentage, message });
    const run: RepairRun = { access, store, lease, signal, tasks, workers: services.pool.size, report };
    const found = await assess(run);
    const replaced = dryRun ? planned(found) : await new Salvaging(run, found).run();
    return {
      ...describe(found, replaced),
      dryRun,
      executionTimeMs: Math.round(performance.now() - started),
    };
  } catch (error) {
    throw asEngineError(error);
  }
}

/** New ids by old ones; an empty one for a version of which nothing is left. */
export type Replaced = Map<string, string>;

function planned(found: Assessment): Replaced {
  return new Map(found.affected.map(({ version }) => [version.versionId, "(a new version)"]));
}

const MOST_LOST_FILES = 1_000;

function describe(found: Assessment, replaced: Replaced): Omit<RepairResult, "dryRun" | "executionTimeMs"> {
  const lost = found.affected.flatMap(({ version, blames }) =>
    blames.flatMap(({ files }) => files.map((path) => `${version.versionId}:${path}`))
  );
  const lostFileCount = found.affected.reduce(
    (sum, { blames }) => sum + blames.reduce((files, { fileCount }) => files + fileCount, 0),
    0,
  );
  return {
    success: lostFileCount === 0 && found.damagedVersions.length === 0,
    actions: [...actionsOf(found), ...[...replaced].map(([old, fresh]) => replacement(old, fresh))],
    indexRebuilt: found.needsIndex,
    packsSalvaged: found.damaged.length,
    versionsSalvaged: Object.fromEntries([...replaced].filter(([, fresh]) => fresh !== "")),
    lostFiles: lost.slice(0, MOST_LOST_FILES),
    lostFileCount,
  };
}

function replacement(old: string, fresh: string): string {
  return fresh === ""
    ? `${versionObject(old)}: removed, since nothing of it is left`
    : `${versionObject(old)}: replaced by ${fresh}, which is without what is lost`;
}

function actionsOf(found: Assessment): string[] {
  const actions: string[] = [];
  for (const { key, reason } of found.faults) actions.push(`${key}: removed: ${reason}`);
  for (const name of found.missing) actions.push(`${packObject(name)}: taken out of the index: it is missing`);
  for (const { name, reason } of found.damaged) {
    actions.push(`${packObject(name)}: what is sound moved to a new pack: ${reason}`);
  }
  for (const { name, reason } of found.unreadable) actions.push(`${packObject(name)}: removed: ${reason}`);
  if (found.unindexed.length > 0) actions.push(`${found.unindexed.length} packs that no index segment named: taken in`);
  if (found.needsIndex) actions.push(`The index: built anew from ${found.sound.length} packs`);
  for (const { key, error } of found.damagedVersions) actions.push(`${key}: removed: ${error.details}`);
  for (const { key, reason } of found.damagedCatalogs) actions.push(`${key}: removed: ${reason}`);
  for (const key of found.foreign) actions.push(`${key}: left alone, it is none of the repository's objects`);
  return actions;
}

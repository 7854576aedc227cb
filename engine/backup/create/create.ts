import * as fs from "node:fs/promises";
import { ClaimSet } from "./claim_set.ts";
import { CreateRun } from "./create_run.ts";
import { asEngineError } from "../repository/failure.ts";
import { acquireLease } from "../repository/lease.ts";
import { summarise } from "../versions/list_versions.ts";
import { openOrInit } from "../repository/repository.ts";
import { RunCounter } from "./run_counter.ts";
import { emptyReport } from "./run_report.ts";
import { scanPhase } from "./scan_phase.ts";
import type { Segment } from "./scan_record.ts";
import { storePhase } from "./store_phase.ts";
import { At, type DirectoryEntry } from "../trees/tree_entry.ts";
import { type BuiltTrees, treesPhase } from "./trees_phase.ts";
import type { BackupServices, CreateRequest, CreateResult } from "../types.ts";
import { type Version, writeVersion } from "../versions/version.ts";
import { openStore } from "../../cloud/open_store.ts";
import { EngineError } from "../../errors.ts";
import { isWithin } from "../../files/locks.ts";
import type { JobContext } from "../../jobs/types.ts";

const SOFTWARE = "Syncline";

/**
 * Backs a directory up into a repository, which is made where there is none: compares the source with the newest version of it, stores
 * what changed, and writes a new version last of all. A run that failed or was killed leaves nothing that counts; the next one
 * finds what it had stored.
 *
 * @throws EngineError `backup-failed`, `invalid`, `conflict`, `wrong-password`, `damaged`, `storage-unavailable`. Whatever
 * concerns single files is in the result's `errors`.
 */
export async function createBackup(
  request: CreateRequest,
  services: BackupServices,
  job: JobContext,
): Promise<CreateResult> {
  const started = performance.now();
  const { sourceDirectory, repository } = request;
  if (repository.type === "directory" && isWithin(sourceDirectory, repository.path)) {
    const details = `sourceDirectory lies in the repository: ${sourceDirectory}`;
    throw new EngineError("invalid", "The request cannot be carried out", details);
  }
  const spool = `${services.dataDir}/tmp/${job.sessionId}.backup`;
  const reads = repository.type === "directory" ? [sourceDirectory, repository.path] : [sourceDirectory];
  using _lock = services.locks.acquire(job.sessionId, reads, []);
  try {
    const access = await openOrInit(repository, { password: services.password });
    const store = openStore(repository);
    const { host, pool } = services;
    await using lease = await acquireLease(access, store, {
      mode: "shared",
      purpose: "backup",
      host,
      signal: job.signal,
    });
    const signal = AbortSignal.any([job.signal, lease.signal]);
    await using tasks = pool.job({ name: job.sessionId, signal });
    const prepared = await tasks.run("backup.create.prepare", { access, source: sourceDirectory, host, spool });
    const run = new CreateRun(request, services, job, tasks, access, store, lease, prepared, emptyReport(), spool);
    try {
      return await create(run, started);
    } catch (error) {
      // Where this fails as well, the storage is what failed first.
      await Promise.allSettled([run.saveIndex()]);
      throw error;
    }
  } catch (error) {
    throw asEngineError(error);
  } finally {
    await fs.rm(spool, { force: true });
  }
}

async function create(run: CreateRun, started: number): Promise<CreateResult> {
  const { request, services, tasks, access, store, lease, report } = run;
  // The source itself has the number 0.
  Atomics.store(tasks.counters, RunCounter.directories, 1n);
  const segments = await scanPhase(run, {
    exclude: request.excludePatterns,
    include: [],
    protected: { source: ownPlaces(request, services), target: [] },
  });
  const directories = run.counter(RunCounter.directories);
  const claims = ClaimSet.create(expectedChunks(segments, access.chunking.average) + 2 * directories).data;
  const stored = await storePhase(run, segments, claims);
  const trees = await treesPhase(run, stored, claims, directories);
  await run.writeIndex();
  run.job.signal.throwIfAborted();
  lease.assertValid();
  const version = makeVersion(run, trees, started);
  await writeVersion(access, store, version);
  const { errorCount, errors, skipped } = report;
  return {
    ...summarise(version),
    success: errorCount === 0,
    changedFiles: trees.changedFiles,
    errors,
    skipped,
    executionTimeMs: Math.round(performance.now() - started),
  };
}

/** Paths below the source that are the server's own: its data and the repository. */
function ownPlaces({ sourceDirectory, repository }: CreateRequest, { dataDir }: BackupServices): string[] {
  const places = repository.type === "directory" ? [dataDir, repository.path] : [dataDir];
  return places.filter((path) => path !== sourceDirectory && isWithin(path, sourceDirectory))
    .map((path) => path.slice(sourceDirectory === "/" ? 1 : sourceDirectory.length + 1));
}

function expectedChunks(segments: Segment[], average: number): number {
  let count = 0;
  for (const { files, bytes, large } of segments) {
    count += files + bytes / average * 2;
    for (const { size } of large) count += size / average * 2;
  }
  return count;
}

function makeVersion(run: CreateRun, trees: BuiltTrees, started: number): Version {
  const { prepared, report, request, services } = run;
  const { parent } = prepared;
  const root: DirectoryEntry = [...prepared.entry];
  root[At.pages] = trees.pages ?? parent?.root[At.pages] ?? [];
  return {
    format: 1,
    versionId: crypto.randomUUID(),
    createdAt: new Date().toISOString(),
    host: services.host,
    source: request.sourceDirectory,
    root,
    description: request.description,
    isFullBackup: request.isFullBackup || parent === null,
    parentVersionId: request.isFullBackup ? null : parent?.versionId ?? null,
    totalSize: report.size,
    fileCount: report.files,
    directoryCount: report.directories,
    linkCount: report.symlinks,
    newBytes: run.newBytes,
    storedBytes: run.storedBytes,
    changedFileCount: trees.changed,
    deletedFileCount: report.deleted + trees.lost,
    changes: trees.changes,
    errors: report.errors,
    errorCount: report.errorCount,
    skippedCount: report.skippedCount,
    durationMs: Math.round(performance.now() - started),
    software: SOFTWARE,
  };
}

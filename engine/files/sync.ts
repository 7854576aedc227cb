import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import { applyPlan } from "./applying.ts";
import { timeStamp } from "./conflict.ts";
import { isDamage } from "./damage.ts";
import { isWithin } from "./locks.ts";
import type { Plan } from "./planned.ts";
import { makePlan } from "./planning.ts";
import { addError, listErrors, type Report } from "./report.ts";
import type { FileServices, Run } from "./run.ts";
import type { PlanEntry, SyncFilesRequest, SyncFilesResult } from "./types.ts";
import { EngineError } from "../errors.ts";
import type { JobContext } from "../jobs/types.ts";
import type { PoolJob } from "../../workers/types.ts";

const MOST_PREVIEWED = 10_000;

/**
 * Makes the places in the data directory that runs use, and removes the plans of runs that were killed. Call it at the start,
 * before the first run.
 */
export async function prepareDataDirectory(dataDir: string): Promise<void> {
  await fs.rm(`${dataDir}/tmp`, { recursive: true, force: true });
  await fs.mkdir(`${dataDir}/tmp`, { mode: 0o700 });
  await fs.mkdir(`${dataDir}/baselines`, { recursive: true, mode: 0o700 });
}

/**
 * Makes the target agree with the source: scan of both sides, plan, safety checks, then the plan's steps in the order that
 * loses nothing. Repeating a run that failed or was killed at any moment brings it to its end. When it resolves, everything
 * is on the disk.
 *
 * @throws EngineError `sync-failed` where it cannot start or go on, `invalid` for directories that cannot be a pair, `conflict`
 * where a safety limit or another run forbids it. Whatever concerns single paths is in the result's `errors`.
 */
export async function syncFiles(
  request: SyncFilesRequest,
  services: FileServices,
  job: JobContext,
): Promise<SyncFilesResult> {
  const started = performance.now();
  const { sourceDirectory, targetDirectory, trashDirectory: trash } = request;
  if (trash !== undefined && (trash === targetDirectory || isWithin(trash, sourceDirectory))) {
    const details = `trashDirectory must be neither targetDirectory nor in sourceDirectory: ${trash}`;
    throw new EngineError("invalid", "The request cannot be carried out", details);
  }
  const writes = trash === undefined ? [targetDirectory] : [targetDirectory, trash];
  using _lock = services.locks.acquire(job.sessionId, [sourceDirectory], writes);
  await using tasks = services.pool.job({ name: job.sessionId, signal: job.signal });
  const spool = `${services.dataDir}/tmp/${job.sessionId}.plan`;
  try {
    const run = await open(request, services, job, tasks, spool);
    const plan = await makeSoundPlan(run);
    const refusal = refuse(request, plan.report);
    if (request.dryRun) return await dryRun(run, plan, refusal, started);
    if (refusal !== undefined) throw new EngineError("conflict", "A safety limit forbids the synchronisation", refusal);
    const done = await applyPlan(run, plan);
    return result(plan.report, done, false, started);
  } catch (error) {
    throw revive(error);
  } finally {
    await fs.rm(spool, { force: true });
  }
}

/** A baseline that is found damaged on the way is none. */
async function makeSoundPlan(run: Run): Promise<Plan> {
  try {
    return await makePlan(run);
  } catch (error) {
    if (!isDamage(error)) throw error;
    await run.tasks.run("files.forget", { baseline: run.baseline, clean: true });
    run.prepared = { ...run.prepared, baseline: "none", interrupted: true };
    return await makePlan(run);
  }
}

/** An engine's error that crossed from a worker comes as a plain one with the same properties. */
function revive(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== "EngineError" || error instanceof EngineError) return error;
  const { kind, details } = error as EngineError;
  return new EngineError(kind, error.message, details, { cause: error });
}

async function open(
  request: SyncFilesRequest,
  services: FileServices,
  job: JobContext,
  tasks: PoolJob,
  spool: string,
): Promise<Run> {
  const { sourceDirectory: source, targetDirectory: target } = request;
  const rules = {
    exclude: request.excludePatterns,
    include: request.includePatterns,
    protected: {
      source: below(source, services.dataDir, request.trashDirectory),
      target: below(target, services.dataDir, request.trashDirectory),
    },
  };
  const rulesKey = digest([request.excludePatterns, request.includePatterns]);
  const baseline = `${services.dataDir}/baselines/${digest([source, target]).slice(0, 32)}.db`;
  // The same place in the source is left out too.
  const trash = below(target, request.trashDirectory).flatMap((path) => [`${target}/${path}`, `${source}/${path}`]);
  const prepared = await tasks.run("files.prepare", { source, target, baseline, rulesKey, trash, spool });
  return {
    request,
    job,
    tasks,
    cleanUp: () => services.pool.job({ name: `${job.sessionId} (clean-up)` }),
    workers: services.pool.size,
    spool,
    baseline,
    rules,
    rulesKey,
    id: randomBytes(6).toString("hex"),
    stamp: timeStamp(new Date()),
    roots: { source, target, sourceIdentity: prepared.sourceIdentity },
    prepared,
  };
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/** Paths that lie below a root, relative to it: the server's own data and the trash are never looked at. */
function below(root: string, ...paths: (string | undefined)[]): string[] {
  return paths.filter((path) => path !== undefined && path !== root && isWithin(path, root))
    .map((path) => (path as string).slice(root === "/" ? 1 : root.length + 1));
}

/** Why a plan must not be carried out, or undefined. */
function refuse(request: SyncFilesRequest, plan: Report): string | undefined {
  const { maxDelete, sourceDirectory } = request;
  if (maxDelete !== undefined) {
    if (plan.deleted <= maxDelete) return undefined;
    return `${plan.deleted} entries would be deleted, and maxDelete is ${maxDelete}`;
  }
  if (plan.sourceFiles > 0 || plan.deleted === 0) return undefined;
  return `The source directory ${sourceDirectory} holds no file and ${plan.deleted} entries of the target would be deleted; ` +
    `set maxDelete to ${plan.deleted} or more if that is meant`;
}

async function dryRun(run: Run, plan: Plan, refusal: string | undefined, started: number): Promise<SyncFilesResult> {
  const segments = [
    ...plan.stream("first"),
    ...plan.stream("copy"),
    ...plan.stream("large"),
    ...plan.stream("over"),
    ...plan.stream("join"),
    ...plan.stream("delete").reverse(),
    ...plan.stream("finish"),
  ];
  const made = [...plan.needed].slice(0, MOST_PREVIEWED).map((path): PlanEntry => {
    return { action: "create", type: "directory", path, size: 0 };
  });
  const shown = await run.tasks.run("files.preview", {
    spool: run.spool,
    segments,
    kept: [...plan.kept],
    limit: MOST_PREVIEWED - made.length,
  });
  if (refusal !== undefined) addError(plan.report, "", `would be refused: ${refusal}`);
  const answer = result(plan.report, plan.report, true, started);
  return { ...answer, plan: [...made, ...shown.plan], planTruncated: shown.truncated };
}

/** The answer: conflicts and entries are the plan's, what was done is the application's. */
function result(plan: Report, done: Report, dryRun: boolean, started: number): SyncFilesResult {
  return {
    success: done.errorCount === 0,
    changesApplied: done.created + done.updated + done.renamed + done.deleted,
    conflictsEncountered: plan.conflictCount,
    errors: listErrors(done),
    syncedAt: new Date().toISOString(),
    executionTimeMs: Math.round(performance.now() - started),
    conflicts: plan.conflicts,
    dryRun,
    statistics: {
      entriesCompared: plan.entries,
      created: done.created,
      updated: done.updated,
      renamed: done.renamed,
      deleted: done.deleted,
      bytesTransferred: done.bytes,
    },
  };
}

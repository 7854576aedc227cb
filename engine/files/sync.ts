import * as fs from "node:fs/promises";
import { dryRun, refuse, result } from "./answer.ts";
import { applyPlan } from "./applying.ts";
import { syncBothWays } from "./both_ways.ts";
import { isDamage } from "../sqlite_damage.ts";
import { isWithin } from "./locks.ts";
import { openRun } from "./opening.ts";
import type { Plan } from "./planned.ts";
import { makePlans } from "./planning.ts";
import type { FileServices, Run } from "./run.ts";
import type { SyncFilesRequest, SyncFilesResult } from "./types.ts";
import { EngineError } from "../errors.ts";
import type { JobContext } from "../jobs/types.ts";

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
  const isBothWays = request.direction === "two-way";
  const writes = [targetDirectory, ...isBothWays ? [sourceDirectory] : [], ...trash === undefined ? [] : [trash]];
  using _lock = services.locks.acquire(job.sessionId, isBothWays ? [] : [sourceDirectory], writes);
  await using tasks = services.pool.job({ name: job.sessionId, signal: job.signal });
  const spool = `${services.dataDir}/tmp/${job.sessionId}.plan`;
  try {
    if (isBothWays) return await syncBothWays(request, services, { job, tasks, spool });
    const run = await openRun(request, services, { job, tasks, spool });
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
    return (await makePlans([run]))[0];
  } catch (error) {
    if (!isDamage(error)) throw error;
    await run.tasks.run("files.forget", { baseline: run.baseline, clean: true });
    run.prepared = { ...run.prepared, baseline: "none", interrupted: true };
    return (await makePlans([run]))[0];
  }
}

/** An engine's error that crossed from a worker comes as a plain one with the same properties. */
function revive(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== "EngineError" || error instanceof EngineError) return error;
  const { kind, details } = error as EngineError;
  return new EngineError(kind, error.message, details, { cause: error });
}

import * as fs from "node:fs/promises";
import { dryRun, refuse, result } from "./answer.ts";
import { applyPlan } from "./applying.ts";
import { isDamage } from "../sqlite_damage.ts";
import { type OpenOptions, openRun, OWN_TRASH } from "./opening.ts";
import type { Plan } from "./planned.ts";
import { makePlans } from "./planning.ts";
import type { FileServices, Run } from "./run.ts";
import type { SyncFilesRequest, SyncFilesResult } from "./types.ts";
import { EngineError } from "../errors.ts";
import type { JobContext } from "../jobs/types.ts";

/** A run from one side to the other, and what it is to do. */
interface Pass {
  run: Run;
  plan: Plan;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * Makes both directories agree: what changed on one side since the pair's last run goes to the other, by two passes of the
 * one-way synchronisation that share a baseline and act where only their source has changed (`reconcile.ts`). Both are planned and
 * checked against limits before the first change. Whatever is overwritten or deleted is kept in a trash.
 *
 * A pair without a baseline (its first run, or one that lost it) deletes nothing, and takes files of one size and time for one version.
 * Later runs read what changed under the same size and time, and know a file again that was only touched (`fingerprint.ts`).
 *
 * @throws as `syncFiles`
 */
export async function syncBothWays(
  request: SyncFilesRequest,
  services: FileServices,
  options: OpenOptions,
): Promise<SyncFilesResult> {
  const [started, startedAt] = [performance.now(), Date.now()];
  const { sourceDirectory, targetDirectory } = request;
  const back = { ...request, sourceDirectory: targetDirectory, targetDirectory: sourceDirectory };
  const backSpool = `${options.spool}-back`;
  try {
    const open = (pass: "forward" | "back") =>
      openRun(withTrash(pass === "forward" ? request : back), services, {
        ...options,
        // Both give the same names to versions that are kept aside.
        startedAt,
        job: halved(options.job, pass),
        spool: pass === "forward" ? options.spool : backSpool,
        pass,
      });
    const runs = [await open("forward")];
    if (runs[0].prepared.targetExists) runs.push(await open("back"));
    else if (runs[0].prepared.baseline !== "none") {
      const details = `${targetDirectory} is gone, and it was there after the last run: is its disk mounted?`;
      throw new EngineError("conflict", "A safety limit forbids the synchronisation", details);
    }
    const passes = await planPasses(runs);
    const refusals = passes.map(({ run, plan }) => refuse(run.request, plan.report));
    const deletions = passes.reduce((sum, { plan }) => sum + plan.report.deleted, 0);
    if (request.maxDelete !== undefined && deletions > request.maxDelete) {
      refusals.push(`${deletions} entries would be deleted, and maxDelete is ${request.maxDelete}`);
    }
    const refusal = refusals.find((words) => words !== undefined);
    if (request.dryRun) return await preview(passes, refusal, started);
    if (refusal !== undefined) throw new EngineError("conflict", "A safety limit forbids the synchronisation", refusal);
    const results = [await apply(passes[0], started)];
    if (passes.length > 1) {
      // The second plan knows neither merges nor the names of versions that are kept aside.
      const isNews = ["KeepBoth", "Merge"].includes(request.conflictStrategy) &&
        passes[0].plan.report.conflictCount > 0;
      if (isNews) [passes[1].plan] = await makePlans([passes[1].run]);
      results.push(await apply(passes[1], started));
    }
    return joined(withErrors(results, await emptyTrash(request, runs)), started);
  } finally {
    await fs.rm(backSpool, { force: true });
  }
}

/** A trash of the target's own, where the request names none. */
function withTrash(request: SyncFilesRequest): SyncFilesRequest {
  const { trashDirectory = `${request.targetDirectory}/${OWN_TRASH}` } = request;
  return { ...request, trashDirectory };
}

/** Each pass is half of the work. */
function halved(job: JobContext, pass: "forward" | "back"): JobContext {
  return {
    sessionId: job.sessionId,
    signal: job.signal,
    progress: (update) =>
      job.progress({
        ...update,
        ...update.percentage === undefined ? {} : { percentage: update.percentage / 2 + (pass === "back" ? 50 : 0) },
      }),
  };
}

/** A baseline that is found damaged on the way is none, for both passes. */
async function planPasses(runs: Run[]): Promise<Pass[]> {
  const make = async () => (await makePlans(runs)).map((plan, index): Pass => ({ run: runs[index], plan }));
  try {
    return await make();
  } catch (error) {
    if (!isDamage(error)) throw error;
    await runs[0].tasks.run("files.forget", { baseline: runs[0].baseline, clean: true });
    for (const run of runs) run.prepared = { ...run.prepared, baseline: "none", interrupted: true };
    return await make();
  }
}

async function apply({ run, plan }: Pass, started: number): Promise<SyncFilesResult> {
  const done = await applyPlan(run, plan);
  return result(plan.report, done, false, started);
}

async function preview(passes: Pass[], refusal: string | undefined, started: number): Promise<SyncFilesResult> {
  const results: SyncFilesResult[] = [];
  for (const { run, plan } of passes) {
    const answer = await dryRun(run, plan, results.length === 0 ? refusal : undefined, started);
    const side = run.pass === "back" ? "source" : "target";
    results.push({ ...answer, plan: answer.plan?.map((entry) => ({ ...entry, side })) });
  }
  return joined(results, started);
}

/** The answers of both passes as one. */
function joined(results: SyncFilesResult[], started: number): SyncFilesResult {
  const [first, second] = results;
  if (second === undefined) return first;
  const sum = (key: "created" | "updated" | "renamed" | "deleted" | "bytesTransferred") =>
    first.statistics[key] + second.statistics[key];
  return {
    ...first,
    success: first.success && second.success,
    changesApplied: first.changesApplied + second.changesApplied,
    errors: [...new Set([...first.errors, ...second.errors])],
    syncedAt: new Date().toISOString(),
    executionTimeMs: Math.round(performance.now() - started),
    ...first.plan === undefined ? {} : {
      plan: [...first.plan, ...second.plan ?? []],
      planTruncated: first.planTruncated || second.planTruncated,
    },
    statistics: {
      entriesCompared: Math.max(first.statistics.entriesCompared, second.statistics.entriesCompared),
      created: sum("created"),
      updated: sum("updated"),
      renamed: sum("renamed"),
      deleted: sum("deleted"),
      bytesTransferred: sum("bytesTransferred"),
    },
  };
}

/** Removes what the sides' own trashes have kept for longer than is asked; what could not be removed. */
async function emptyTrash(request: SyncFilesRequest, runs: Run[]): Promise<string[]> {
  if (request.trashDirectory !== undefined) return [];
  const before = Date.now() - request.trashRetentionDays * DAY_MS;
  const errors: string[] = [];
  for (const { tasks, roots } of runs) {
    const report = await tasks.run("files.emptyTrash", { root: roots.target, trash: OWN_TRASH, before });
    errors.push(...report.errors);
  }
  return errors;
}

function withErrors([first, ...others]: SyncFilesResult[], errors: string[]): SyncFilesResult[] {
  return [{ ...first, success: first.success && errors.length === 0, errors: [...first.errors, ...errors] }, ...others];
}

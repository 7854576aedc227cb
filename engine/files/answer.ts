import type { Plan } from "./planned.ts";
import { addError, listErrors, type Report } from "./report.ts";
import type { Run } from "./run.ts";
import type { PlanEntry, SyncFilesRequest, SyncFilesResult } from "./types.ts";

const MOST_PREVIEWED = 10_000;

/** Why a plan must not be carried out, or undefined. */
export function refuse(request: SyncFilesRequest, plan: Report): string | undefined {
  const { maxDelete, sourceDirectory } = request;
  if (maxDelete !== undefined) {
    if (plan.deleted <= maxDelete) return undefined;
    return `${plan.deleted} entries would be deleted, and maxDelete is ${maxDelete}`;
  }
  if (plan.sourceFiles > 0 || plan.deleted === 0) return undefined;
  return `The source directory ${sourceDirectory} holds no file and ${plan.deleted} entries of the target would be deleted; ` +
    `set maxDelete to ${plan.deleted} or more if that is meant`;
}

/** What a dry run answers. */
export async function dryRun(
  run: Run,
  plan: Plan,
  refusal: string | undefined,
  started: number,
): Promise<SyncFilesResult> {
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
export function result(plan: Report, done: Report, dryRun: boolean, started: number): SyncFilesResult {
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

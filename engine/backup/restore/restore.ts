import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import { asEngineError } from "../repository/failure.ts";
import { loadSource, openReading } from "../reading/reading.ts";
import { applyRestorePlan } from "./restore_applying.ts";
import { makeRestorePlan, type RestorePlan } from "./restore_planning.ts";
import type { RestoreRun } from "./restore_run.ts";
import type { RestoreReport } from "./restore_steps.ts";
import { isName } from "../trees/tree_page.ts";
import type { BackupServices, RestoreRequest, RestoreResult } from "../types.ts";
import { readVersion } from "../versions/version.ts";
import { EngineError } from "../../errors.ts";
import { isWithin } from "../../files/locks.ts";
import { listErrors } from "../../files/report.ts";
import type { JobContext } from "../../jobs/types.ts";
import { displayName } from "../../posix/mod.ts";

/**
 * Makes a directory what a version says, or the chosen paths in it. Every chunk is checked against its id before its bytes are written; each file
 * is made under a temporary name and renamed, so whoever opens a path gets its old or its new content, whole. In place:
 * what has the same size, time and permissions is left alone; of other files of the same size (of all, with `verify`) the content is
 * compared first, and what of it is right already is taken from there. Nothing is written through a link, and nothing outside of
 * `restorePath` is touched. Repeating a restore that failed or was killed at any moment brings it to its end. When it resolves, everything is on
 * the disk.
 *
 * A restore without any `paths` also gives `restorePath` itself the metadata of the version's root.
 *
 * @throws EngineError where it cannot start or go on, or where a path is not in the version: then nothing was changed. Whatever concerns single
 * paths is in the result's `errors`.
 */
export async function restoreBackup(
  request: RestoreRequest,
  services: BackupServices,
  job: JobContext,
): Promise<RestoreResult> {
  const started = performance.now();
  const paths = request.paths.map(checkPath);
  refuseOwnDirectories(request, services);
  using _lock = services.locks.acquire(job.sessionId, [], [request.restorePath]);
  const spool = `${services.dataDir}/tmp/${job.sessionId}.plan`;
  try {
    await using reading = await openReading(request.repository, services, "restore", job.signal);
    const version = await readVersion(reading.access, reading.store, request.versionId);
    await using tasks = services.pool.job({ name: job.sessionId, signal: reading.signal });
    const target = await tasks.run("backup.restore.prepare", { target: request.restorePath, spool });
    const run: RestoreRun = {
      request: { ...request, paths },
      version,
      source: await loadSource(reading.access, tasks),
      job,
      pool: services.pool,
      tasks,
      workers: services.pool.size,
      spool,
      id: randomBytes(6).toString("hex"),
      ...target,
      protected: protectedPaths(request, services),
    };
    const plan = await makeRestorePlan(run);
    refuseMissing(plan);
    return result(request, plan, request.dryRun ? undefined : await applyRestorePlan(run, plan), started);
  } catch (error) {
    throw asEngineError(error);
  } finally {
    await fs.rm(spool, { force: true });
  }
}

/** A path within a version, without a `/` at its end. @throws EngineError `invalid` */
function checkPath(path: string): string {
  const bare = path.replace(/\/+$/, "");
  if (bare.split("/").every(isName)) return bare;
  const details = `paths must be relative, without empty, . or .. parts: ${JSON.stringify(path)}`;
  throw new EngineError("invalid", "The request cannot be carried out", details);
}

/** The directories that a restore leaves alone wherever they are. */
function ownDirectories(request: RestoreRequest, services: BackupServices): string[] {
  const { repository } = request;
  return repository.type === "directory" ? [services.dataDir, repository.path] : [services.dataDir];
}

/** @throws EngineError `forbidden` */
function refuseOwnDirectories(request: RestoreRequest, services: BackupServices): void {
  const { restorePath } = request;
  const own = ownDirectories(request, services).find((directory) => isWithin(restorePath, directory));
  if (own === undefined) return;
  const details = `restorePath lies in the server's own directory or in the repository: ${restorePath}`;
  throw new EngineError("forbidden", "The request cannot be carried out", details);
}

/** Of those the ones below the target, relative to it. */
function protectedPaths(request: RestoreRequest, services: BackupServices): string[] {
  const { restorePath } = request;
  return ownDirectories(request, services).filter((path) => isWithin(path, restorePath))
    .map((path) => path.slice(restorePath === "/" ? 1 : restorePath.length + 1));
}

const MOST_NAMED = 10;

/** @throws EngineError `not-found` */
function refuseMissing({ missing }: RestorePlan): void {
  if (missing.length === 0) return;
  const named = missing.toSorted().slice(0, MOST_NAMED).map(displayName).join(", ");
  const more = missing.length > MOST_NAMED ? ` and ${missing.length - MOST_NAMED} more` : "";
  throw new EngineError("not-found", "Not in the version", `The version does not have these paths: ${named}${more}`);
}

/** @param done undefined for a dry run. */
function result(
  request: RestoreRequest,
  plan: RestorePlan,
  done: RestoreReport | undefined,
  started: number,
): RestoreResult {
  const report = done ?? plan.report;
  return {
    success: report.errorCount === 0,
    versionId: request.versionId,
    filesRestored: report.restored,
    bytesRestored: report.bytes,
    unchanged: report.unchanged + (done === undefined ? plan.report.compared : 0),
    skippedExisting: report.skippedExisting,
    deleted: report.deleted,
    dryRun: request.dryRun,
    errors: listErrors(report),
    executionTimeMs: Math.round(performance.now() - started),
  };
}

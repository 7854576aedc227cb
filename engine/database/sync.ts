import * as fs from "node:fs/promises";
import { EngineError } from "../errors.ts";
import type { JobContext } from "../jobs/types.ts";
import type { DatabaseDiff, DiffPageRequest, SyncDatabaseRequest, SyncDatabaseResult } from "./request.ts";
import type { RunInput, RunOutput } from "./run/run_task.ts";
import type { DatabaseServices } from "./services.ts";

/**
 * Makes the entities of the target agree with those of the source, or both with each other. When it resolves, everything is
 * committed.
 *
 * @throws EngineError `invalid` for what cannot be a pair, `not-found` for an entity that is not there, `conflict` where a safety
 * limit or another run forbids it, `database-failed` for what a database refused. With `useTransactions` the target is then as it
 * was.
 */
export async function syncDatabase(
  request: SyncDatabaseRequest,
  services: DatabaseServices,
  job: JobContext,
): Promise<SyncDatabaseResult> {
  const started = performance.now();
  const { source, target, direction, dryRun, entityNames: entities } = request;
  const writes = direction === "two-way" ? [target, source] : [target];
  using _lock = dryRun ? undefined : services.locks.acquire(job.sessionId, writes.map((spec) => ({ spec, entities })));
  const workspace = await makeWorkspace(services, job);
  try {
    return finish(await run({ request, ...workspace }, services, job), job, started);
  } finally {
    await fs.rm(workspace.workspace, { recursive: true, force: true });
  }
}

/**
 * What a synchronisation would change, row by row. Writes to neither database. The result is kept for a while, so that later
 * pages belong to it and cost no second look at the databases.
 *
 * @throws EngineError as {@link syncDatabase}; `invalid` and `not-found` also for the cursor
 */
export async function diffDatabase(
  request: SyncDatabaseRequest,
  services: DatabaseServices,
  job: JobContext,
  page: DiffPageRequest,
): Promise<DatabaseDiff> {
  const { diffs } = services;
  request = { ...request, dryRun: true };
  if (page.cursor !== undefined) return await diffs.page(diffs.find(request, page.cursor), page.limit);
  const started = performance.now();
  const workspace = await makeWorkspace(services, job);
  const directory = workspace.workspace;
  try {
    const file = `${directory}/differences`;
    const output = await run({ request, ...workspace, differences: file }, services, job);
    const summary = finish(output, job, started);
    const place = diffs.add(request, { summary, directory, file, totalCount: output.differences });
    return await diffs.page(place, page.limit);
  } catch (error) {
    await fs.rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function makeWorkspace({ dataDir }: DatabaseServices, job: JobContext) {
  const workspace = `${dataDir}/tmp/${job.sessionId}.database`;
  try {
    await fs.mkdir(workspace, { mode: 0o700 });
  } catch (error) {
    throw ofOwnStorage(error);
  }
  return { workspace, baselines: `${dataDir}/baselines` };
}

async function run(input: RunInput, { databasePool }: DatabaseServices, job: JobContext): Promise<RunOutput> {
  await using tasks = databasePool.job({ name: job.sessionId, signal: job.signal });
  job.progress({ message: "Waiting for a worker" });
  try {
    return await tasks.run("database.run", input, { onProgress: (update) => job.progress(update) });
  } catch (error) {
    throw ofOwnStorage(revive(error));
  }
}

/** Codes of errors of the server's own files: what databases say has become an engine's error before. */
const STORAGE = new Set(["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EIO", "EMFILE", "ERR_SQLITE_ERROR"]);

function ofOwnStorage(error: unknown): unknown {
  if (!(error instanceof Error) || !STORAGE.has((error as { code?: string }).code ?? "")) return error;
  const details = `The server cannot write what it must remember into its data directory: ${error.message}`;
  return new EngineError("database-failed", "The server's own storage failed", details, { cause: error });
}

function finish({ result }: RunOutput, { sessionId }: JobContext, started: number): SyncDatabaseResult {
  const executionTimeMs = Math.round(performance.now() - started);
  return { ...result, syncedAt: new Date().toISOString(), executionTimeMs, sessionId };
}

/** An engine's error that crossed from a worker comes as a plain one with the same properties. */
function revive(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== "EngineError" || error instanceof EngineError) return error;
  const { kind, details } = error as EngineError;
  return new EngineError(kind, error.message, details, { cause: error });
}

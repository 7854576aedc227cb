import { EngineError } from "../errors.ts";
import type { JobContext } from "../jobs/types.ts";
import type { TaskPool } from "../../workers/types.ts";
import type { MergeFilesRequest, MergeFilesResult } from "./request.ts";

/** Bytes of the three files together, above which a merge waits for others of its kind: it may take ten times that in memory. */
const LARGE = 16 << 20;

/**
 * The merge of files with its pool bound. When it resolves, the output file is on the disk.
 *
 * @throws EngineError `not-found`, `forbidden`, `invalid`, `conflict` for files as they are; `merge-failed` for whatever keeps it from
 * coming to its end
 */
export function mergeOperation(pool: TaskPool) {
  let last: Promise<unknown> = Promise.resolve();
  return async (request: MergeFilesRequest, job: JobContext): Promise<MergeFilesResult> => {
    if (await totalSize(request) < LARGE) return await mergeFiles(request, pool, job);
    const merge = last.then(() => mergeFiles(request, pool, job));
    last = merge.catch(() => {});
    return await merge;
  };
}

/** What cannot be read counts nothing here: the merge will say what is wrong with it. */
async function totalSize({ baseFile, sourceFile, targetFile }: MergeFilesRequest): Promise<number> {
  const sizes = [baseFile, sourceFile, targetFile].map((path) => Deno.lstat(path).then(({ size }) => size, () => 0));
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

async function mergeFiles(request: MergeFilesRequest, pool: TaskPool, job: JobContext): Promise<MergeFilesResult> {
  const startedAt = performance.now();
  await using tasks = pool.job({ name: job.sessionId, priority: "interactive", signal: job.signal });
  try {
    const result = await tasks.run("merge.files", request);
    return { ...result, executionTimeMs: Math.round(performance.now() - startedAt) };
  } catch (error) {
    throw mergeError(error);
  }
}

/** What a caller is told; errors lose their class on their way from a worker, so they are told by name. */
function mergeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === "EngineError") {
    const { kind, details } = error as EngineError;
    return new EngineError(kind, error.message, details, { cause: error });
  }
  if (error.name !== "WorkerLostError") return error;
  return new EngineError("merge-failed", "The merge failed", `${error.message}.`, { cause: error });
}

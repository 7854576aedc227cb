import { isResumable } from "./cloud_error.ts";
import { type CloudServices, identityOf } from "./cloud_operations.ts";
import type { ArrivedPart, DownloadPlan, DownloadSource } from "./download_tasks.ts";
import { Journal } from "./journal.ts";
import { runParts } from "./run_parts.ts";
import type { TransferRequest, TransferResult } from "./types.ts";
import { BYTES } from "./upload_tasks.ts";
import type { JobContext } from "../../jobs/types.ts";

/** The first line of a download's journal. */
export interface DownloadHeader {
  kind: "download";
  path: string;
  plan: DownloadPlan;
}

/** @throws errors of tasks as they are; a cancellation */
export async function download(
  request: TransferRequest,
  services: CloudServices,
  job: JobContext,
): Promise<TransferResult> {
  const startedAt = performance.now();
  const { location, key, path } = request;
  const source: DownloadSource = { location, key, path };
  const journal = Journal.at<DownloadHeader, ArrivedPart>(services.journals, identityOf("download", request));
  await using tasks = services.pool.job({ name: job.sessionId, signal: job.signal });
  const former = await journal.read();
  const formerly = former && { plan: former.header.plan, parts: former.parts };
  const { plan, parts: done } = await tasks.run("cloud.download.begin", { ...source, former: formerly });
  const resumed = done.length > 0;
  await journal.begin({ kind: "download", path, plan }, done);
  try {
    const parts = await runParts<ArrivedPart>({
      tasks,
      job,
      lanes: services.pool.size,
      bytes: { total: plan.size, done: Math.min(plan.size, done.length * plan.partSize) },
      count: Math.ceil(plan.size / plan.partSize),
      done,
      run: (parts, signal) => tasks.run("cloud.download.parts", { ...source, plan, parts }, { signal }),
      keep: (parts) => journal.add(parts),
    });
    await tasks.run("cloud.download.complete", { ...source, plan, parts });
    await journal.end();
  } catch (error) {
    if (!isResumable(error)) {
      await tasks.run("cloud.download.discard", { path, temporary: plan.temporary });
      await journal.end();
    }
    throw error;
  }
  return {
    success: true,
    message: "File downloaded successfully",
    cloudPath: key,
    localPath: path,
    size: plan.size,
    eTag: plan.etag,
    resumed,
    bytesTransferred: Number(tasks.counters[BYTES]),
    executionTimeMs: Math.round(performance.now() - startedAt),
  };
}

import { Journal } from "./journal.ts";
import { isResumable } from "./cloud_error.ts";
import { type CloudServices, identityOf } from "./cloud_operations.ts";
import { runParts } from "./run_parts.ts";
import type { TransferResult, UploadRequest } from "./types.ts";
import { BYTES, type SentPart, type UploadPlan, type UploadTarget } from "./upload_tasks.ts";
import type { JobContext } from "../../jobs/types.ts";
import type { CloudLocation, StoreError } from "../object_store.ts";
import type { PoolJob } from "../../../workers/types.ts";

/** The first line of an upload's journal. */
export interface UploadHeader {
  kind: "upload";
  location: CloudLocation;
  plan: UploadPlan;
}

/** The store has given up what an earlier run had begun. */
class Gone extends Error {}

/** @throws errors of tasks as they are; a cancellation */
export async function upload(
  request: UploadRequest,
  services: CloudServices,
  job: JobContext,
): Promise<TransferResult> {
  try {
    return await goOn(request, services, job);
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
    return await goOn(request, services, job);
  }
}

async function goOn(request: UploadRequest, services: CloudServices, job: JobContext): Promise<TransferResult> {
  const startedAt = performance.now();
  const { location, key, path, contentType, metadata } = request;
  const target: UploadTarget = { location, key, path, attributes: { contentType, metadata } };
  const journal = Journal.at<UploadHeader, SentPart>(services.journals, identityOf("upload", request));
  await using tasks = services.pool.job({ name: job.sessionId, signal: job.signal });
  const former = await journal.read();
  const result = (stored: { size: number; etag: string }, resumed: boolean): TransferResult => ({
    success: true,
    message: "File uploaded successfully",
    cloudPath: key,
    localPath: path,
    size: stored.size,
    eTag: stored.etag,
    resumed,
    bytesTransferred: Number(tasks.counters[BYTES]),
    executionTimeMs: Math.round(performance.now() - startedAt),
  });

  job.progress({ message: "Reading the file" });
  const begun = await tasks.run("cloud.upload.begin", { ...target, former: former?.header.plan });
  if ("stored" in begun) {
    await journal.end();
    return result(begun.stored, false);
  }
  const { plan, isResumed } = begun;
  const done = isResumed && former !== undefined ? former.parts : [];
  const { size } = plan.stamp;
  await journal.begin({ kind: "upload", location, plan }, done);
  try {
    const parts = await runParts<SentPart>({
      tasks,
      job,
      lanes: services.pool.size,
      bytes: { total: size, done: Math.min(size, done.length * plan.partSize) },
      count: Math.ceil(size / plan.partSize),
      done,
      run: (parts, signal) => tasks.run("cloud.upload.parts", { location, path, plan, parts }, { signal }),
      keep: (parts) => journal.add(parts),
    });
    const stored = await tasks.run("cloud.upload.complete", { target, plan, parts });
    await journal.end();
    return result(stored, isResumed);
  } catch (error) {
    if (isResumable(error)) throw error;
    await giveUp(tasks, location, plan, journal);
    const { name, kind } = error as StoreError;
    throw isResumed && name === "StoreError" && kind === "not-found" ? new Gone() : error;
  }
}

/** Where that fails too, the journal stays, and the clean-up tries again. */
async function giveUp(
  tasks: PoolJob,
  location: CloudLocation,
  { upload }: UploadPlan,
  journal: Journal<UploadHeader, SentPart>,
): Promise<void> {
  try {
    await tasks.run("cloud.upload.abort", { location, upload });
  } catch (error) {
    if ((error as Error).name === "StoreError") return;
    throw error;
  }
  await journal.end();
}

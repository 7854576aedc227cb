import { Journal } from "./journal.ts";
import { EngineError } from "../../errors.ts";
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
  key: string;
  /** When it was about to be begun, in ms since the epoch. */
  begunAt: number;
  /** Undefined until it is known to have begun. */
  plan?: UploadPlan;
}

/** How often it is begun, where the store has thrown away what was sent. */
const BEGINNINGS = 3;

/** The store has thrown away what was sent. */
class Gone extends Error {}

/** @throws errors of tasks as they are; a cancellation */
export async function upload(
  request: UploadRequest,
  services: CloudServices,
  job: JobContext,
): Promise<TransferResult> {
  for (let beginning = 1;; beginning++) {
    try {
      return await goOn(request, services, job);
    } catch (error) {
      if (!(error instanceof Gone)) throw error;
      if (beginning < BEGINNINGS) continue;
      const details = `cloudPath: the store has thrown away what was sent of ${request.key}, ${BEGINNINGS} times. ` +
        "Somebody else may be storing the same object.";
      throw new EngineError("conflict", "The upload was lost", details, { cause: error.cause });
    }
  }
}

async function goOn(request: UploadRequest, services: CloudServices, job: JobContext): Promise<TransferResult> {
  const startedAt = performance.now();
  const { location, key, path, contentType, metadata } = request;
  const target: UploadTarget = { location, key, path, attributes: { contentType, metadata } };
  const journal = Journal.at<UploadHeader, SentPart>(services.journals, identityOf("upload", request));
  await using tasks = services.pool.job({ name: job.sessionId, signal: job.signal });
  const former = await journal.read();
  const header: UploadHeader = { kind: "upload", location, key, begunAt: Date.now() };
  if (former?.header.plan === undefined) {
    // What was begun without our hearing of it is for the clean-up.
    if (former !== undefined) await journal.setAside();
    await journal.begin(header, []);
  }
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
  const begun = await beginOrForget(tasks, { ...target, former: former?.header.plan }, journal);
  if ("stored" in begun) {
    await journal.end();
    return result(begun.stored, false);
  }
  const { plan, isResumed } = begun;
  const done = isResumed && former !== undefined ? former.parts : [];
  const { size } = plan.stamp;
  try {
    await journal.begin({ ...header, plan }, done);
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
    throw name === "StoreError" && kind === "not-found" ? new Gone("", { cause: error }) : error;
  }
}

/** A failure of the local file, or a refusal, leaves nothing in the store. */
async function beginOrForget(
  tasks: PoolJob,
  input: UploadTarget & { former?: UploadPlan },
  journal: Journal<UploadHeader, SentPart>,
) {
  try {
    return await tasks.run("cloud.upload.begin", input);
  } catch (error) {
    if (input.former === undefined && !isResumable(error)) await journal.end();
    throw error;
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

import { EngineError, isCancellation } from "../../errors.ts";
import type { JobContext } from "../../jobs/types.ts";
import type { TaskPool } from "../../../workers/types.ts";
import type { CloudLocation } from "../object_store.ts";
import { cloudError } from "./cloud_error.ts";
import { download } from "./download.ts";
import type { CloudOperations, TransferRequest, TransferResult } from "./types.ts";
import { upload } from "./upload.ts";

export interface CloudServices {
  pool: TaskPool;
  /** Where journals of transfers are kept; there already. */
  journals: string;
}

/** The operations with their services bound. */
export function cloudOperations(services: CloudServices): CloudOperations {
  const { pool } = services;
  const running = new Set<string>();

  const transfer = async <R extends TransferRequest>(
    kind: string,
    request: R,
    job: JobContext,
    run: (request: R, services: CloudServices, job: JobContext) => Promise<TransferResult>,
  ): Promise<TransferResult> => {
    const name = identityOf(kind, request).join("\n");
    if (running.has(name)) {
      const details = `cloudPath ${request.key} and localPath ${request.path}: the same ${kind} runs already.`;
      throw new EngineError("conflict", `The same ${kind} runs already`, details);
    }
    running.add(name);
    try {
      return await run(request, services, job);
    } catch (error) {
      if (isCancellation(error)) job.signal.throwIfAborted();
      throw cloudError(error);
    } finally {
      running.delete(name);
    }
  };

  const ask = async <T>(name: string, question: (tasks: ReturnType<TaskPool["job"]>) => Promise<T>): Promise<T> => {
    await using tasks = pool.job({ name, priority: "interactive" });
    try {
      return await question(tasks);
    } catch (error) {
      throw cloudError(error);
    }
  };

  return {
    upload: (request, job) => transfer("upload", request, job, upload),
    download: (request, job) => transfer("download", request, job, download),
    list: (location, { prefix, filter, after, limit }) =>
      ask("cloud list", (tasks) => tasks.run("cloud.list", { location, prefix, filter, after, limit })),
    details: (location, key) => ask("cloud details", (tasks) => tasks.run("cloud.details", { location, key })),
    delete: (location, key) =>
      ask("cloud delete", async (tasks) => void await tasks.run("cloud.delete", { location, key })),
    link: (location, key, seconds) => ask("cloud link", (tasks) => tasks.run("cloud.link", { location, key, seconds })),
  };
}

/** What makes two requests the same transfer. */
export function identityOf(kind: string, { location, key, path }: TransferRequest): string[] {
  return [kind, placeOf(location), key, path];
}

function placeOf(location: CloudLocation): string {
  if (location.type === "s3") return `s3 ${location.endpoint ?? ""} ${location.bucket}/${location.prefix}`;
  if (location.type === "azure") return `azure ${location.container}/${location.prefix}`;
  return `directory ${location.path}`;
}

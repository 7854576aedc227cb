import { asEngineError } from "../repository/failure.ts";
import { loadSource, openReading } from "./reading.ts";
import type { BackupServices } from "../types.ts";
import type { DataSource } from "../versions/version_data.ts";
import type { StoreLocation } from "../../cloud/object_store.ts";
import type { PoolJob } from "../../../workers/types.ts";

/** What a stream of a repository's data works with. */
export interface StreamSource {
  source: DataSource;
  tasks: PoolJob;
}

/**
 * A stream of bytes that tasks make, pulled by its reader: one piece is made ahead, no more. The repository is leased from the first pull
 * to the end, an error or a cancellation, which also cancels the running task.
 */
export function taskStream(
  repository: StoreLocation,
  services: BackupServices,
  signal: AbortSignal,
  make: (from: StreamSource) => AsyncGenerator<Uint8Array>,
): ReadableStream<Uint8Array> {
  const controller = new AbortController();
  const pieces = run(repository, services, AbortSignal.any([signal, controller.signal]), make);
  return new ReadableStream<Uint8Array>({
    async pull(stream) {
      const { done, value } = await pieces.next();
      if (done) stream.close();
      else stream.enqueue(value);
    },
    async cancel(reason) {
      controller.abort(reason);
      await pieces.return(undefined);
    },
  }, { highWaterMark: 1 });
}

async function* run(
  repository: StoreLocation,
  services: BackupServices,
  signal: AbortSignal,
  make: (from: StreamSource) => AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  try {
    signal.throwIfAborted();
    await using reading = await openReading(repository, services, "content", signal);
    await using tasks = services.pool.job({ name: "content", priority: "interactive", signal: reading.signal });
    yield* make({ source: await loadSource(reading.access, tasks), tasks });
  } catch (error) {
    throw asEngineError(error);
  }
}

import type { ProgressUpdate } from "../../jobs/types.ts";
import type { SyncDatabaseRequest } from "../request.ts";
import { JOB_COUNTERS, type TaskContext } from "../../../workers/types.ts";

type Ends = Pick<SyncDatabaseRequest, "source" | "target" | "entityNames">;

/** For tests: a request with every option at its default, but for those given. */
export function requestOf(ends: Ends, options: Partial<SyncDatabaseRequest>): SyncDatabaseRequest {
  return {
    ...ends,
    useTransactions: true,
    direction: "one-way",
    conflictStrategy: "SourceWins",
    deleteMissingInTarget: true,
    createMissingTables: false,
    dryRun: false,
    batchSize: 10_000,
    filters: {},
    columns: {},
    ...options,
  };
}

/** For tests: what a task sees of its worker, in this thread. */
export function taskContext(
  signal: AbortSignal,
  progress: (update: ProgressUpdate) => void = () => {},
): TaskContext<ProgressUpdate> {
  return {
    counters: new BigInt64Array(new SharedArrayBuffer(JOB_COUNTERS * 8)),
    signal,
    get aborted() {
      return signal.aborted;
    },
    checkpoint: () => signal.throwIfAborted(),
    patiently: (call) => call(),
    progress,
  };
}

import type { RestoreRequest } from "../types.ts";
import type { DataSource } from "../versions/version_data.ts";
import type { Version } from "../versions/version.ts";
import type { JobContext } from "../../jobs/types.ts";
import type { PoolJob, TaskPool } from "../../../workers/types.ts";

/** What the parts of one restore share. */
export interface RestoreRun {
  request: RestoreRequest;
  version: Version;
  source: DataSource;
  job: JobContext;
  pool: TaskPool;
  tasks: PoolJob;
  /** Workers that run at once. */
  workers: number;
  /** File of the plan. */
  spool: string;
  /** 12 hexadecimal digits of its own. */
  id: string;
  /** Whether this process may give files to others. */
  owners: boolean;
  targetExists: boolean;
  /** Paths below the target that are never touched. */
  protected: string[];
}

const PROGRESS_EVERY_MS = 200;

/** Reports progress at intervals until it is disposed of. */
export function watchRestore(run: RestoreRun, look: () => Parameters<JobContext["progress"]>[0]): Disposable {
  run.job.progress(look());
  const timer = setInterval(() => run.job.progress(look()), PROGRESS_EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

export function counterOf(run: RestoreRun, index: number): number {
  return Number(Atomics.load(run.tasks.counters, index));
}

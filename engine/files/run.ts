import type { PathLocks } from "./locks.ts";
import type { PrepareOutput } from "./prepare.ts";
import type { RuleOptions } from "./rules.ts";
import type { Roots } from "./scan.ts";
import type { SyncFilesRequest } from "./types.ts";
import type { JobContext } from "../jobs/types.ts";
import type { PoolJob, TaskPool } from "../../workers/types.ts";

/** What a synchronisation needs of its surroundings. */
export interface FileServices {
  pool: TaskPool;
  /** The server's own directory, absolute and resolved: never looked at, home of baselines and plans. */
  dataDir: string;
  locks: PathLocks;
}

/** What the parts of one run share. */
export interface Run {
  request: SyncFilesRequest;
  job: JobContext;
  tasks: PoolJob;
  /** Opens a job that goes on when the run is cancelled. */
  cleanUp(): PoolJob;
  /** Workers that run at once. */
  workers: number;
  /** File of the plan. */
  spool: string;
  /** File of the pair's baseline. */
  baseline: string;
  rules: RuleOptions;
  /** Of a run that goes both ways: `back` has the request's target as its source. */
  pass: "forward" | "back" | undefined;
  /** Changes when the patterns do. */
  rulesKey: string;
  /** 12 hexadecimal digits of its own. */
  id: string;
  /** When it began, milliseconds since 1970. */
  startedAt: number;
  /** The same as it stands in names. */
  stamp: string;
  roots: Roots;
  prepared: PrepareOutput;
}

const PROGRESS_EVERY_MS = 200;

/** Reports progress at intervals until it is disposed of. */
export function watch(run: Run, look: () => Parameters<JobContext["progress"]>[0]): Disposable {
  run.job.progress(look());
  const timer = setInterval(() => run.job.progress(look()), PROGRESS_EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

export function counter(run: Run, index: number): number {
  return Number(Atomics.load(run.tasks.counters, index));
}

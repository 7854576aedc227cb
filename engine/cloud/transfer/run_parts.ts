import { inLanes } from "../in_lanes.ts";
import type { JobContext } from "../../jobs/types.ts";
import type { PoolJob } from "../../../workers/types.ts";
import { BYTES } from "./upload_tasks.ts";

/** Parts of one task: few enough that others get their turn soon, and that little is lost with it. */
const BATCH = 4;
const REPORT_MS = 250;

export interface PartsRun<Part> {
  tasks: PoolJob;
  job: JobContext;
  /** Tasks at once. */
  lanes: number;
  /** Bytes of the whole, and of what is done already. */
  bytes: { total: number; done: number };
  count: number;
  done: Part[];
  run(parts: number[], signal: AbortSignal): Promise<Part[]>;
  keep(parts: Part[]): Promise<void>;
}

/** Runs what is left of a transfer's parts as tasks, keeps what is done as it is done, and returns all parts. */
export async function runParts<Part extends { index: number }>(run: PartsRun<Part>): Promise<Part[]> {
  const { tasks, job, count, bytes, done } = run;
  const have = new Set(done.map(({ index }) => index));
  const left = Array.from({ length: count }, (_, index) => index).filter((index) => !have.has(index));
  const batches = Array.from(
    { length: Math.ceil(left.length / BATCH) },
    (_, at) => left.slice(at * BATCH, (at + 1) * BATCH),
  );
  const all = [...done];
  const report = () => {
    const bytesDone = bytes.done + Number(Atomics.load(tasks.counters, BYTES));
    const percentage = bytes.total === 0 ? 99 : Math.min(99, Math.floor(bytesDone / bytes.total * 100));
    job.progress({ percentage, message: "Transferring", figures: { bytesDone, bytesTotal: bytes.total } });
  };
  report();
  const reporting = setInterval(report, REPORT_MS);
  try {
    await inLanes(run.lanes, batches.length, job.signal, async (at, signal) => {
      const parts = await run.run(batches[at], signal);
      all.push(...parts);
      await run.keep(parts);
    });
  } finally {
    clearInterval(reporting);
  }
  return all;
}

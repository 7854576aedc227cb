import type { StoredLarge, StoredSegment } from "./build_trees.ts";
import { type ClaimSetData } from "./claim_set.ts";
import { type CreateRun, SLICE_MS } from "./create_run.ts";
import { LargeRead } from "./large_read.ts";
import { RunCounter } from "./run_counter.ts";
import { addReport } from "./run_report.ts";
import type { Segment } from "./scan_record.ts";
import type { StoreWork } from "./store_files.ts";
import { WorkQueue } from "./work_queue.ts";

/** What a task is given at most, and at least where there is enough. */
const MOST_BYTES = 64 << 20;
const MOST_FILES = 8192;
const LEAST_SHARE = 1 / 8;
/** What a file counts in the progress beside its bytes: opening it takes as long as storing this much. */
const FILE_WEIGHT = 16 * 1024;

/** Reads and stores every pending file. */
export async function storePhase(run: CreateRun, segments: Segment[], claims: ClaimSetData): Promise<StoredSegment[]> {
  using _progress = run.watch(progress(run, segments));
  const stored = segments.map(({ range }): StoredSegment => ({ range, parts: [], large: [] }));
  // One more than there are workers, so that none waits for this thread.
  const queue = new WorkQueue(run.workers + 1);
  const store = async (work: StoreWork[]) => {
    const output = await run.tasks.run("backup.create.store", { run: run.input, claims, work, sliceMs: SLICE_MS });
    for (const { segment, range } of output.parts) stored[segment].parts.push(range);
    if (output.left.length > 0) queue.addFirst(() => store(output.left));
    addReport(run.report, output.report);
    await run.addPacks(output);
  };
  segments.forEach(({ large }, segment) => {
    for (const file of large) {
      const done = (result: StoredLarge) => stored[segment].large.push(result);
      new LargeRead(run, claims, file, queue, done).begin();
    }
  });
  for (const work of groups(segments, run.workers)) queue.add(() => store(work));
  await queue.run();
  return stored;
}

/** Shares for the tasks, as large as leaves something to do for every worker. */
function groups(segments: Segment[], workers: number): StoreWork[][] {
  const total = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  const most = Math.max(MOST_BYTES * LEAST_SHARE, Math.min(MOST_BYTES, total / (workers * 4)));
  const groups: StoreWork[][] = [];
  let [files, bytes] = [Infinity, Infinity];
  segments.forEach((segment, number) => {
    if (segment.files === segment.large.length) return;
    if (files + segment.files > MOST_FILES || bytes + segment.bytes > most) {
      groups.push([]);
      [files, bytes] = [0, 0];
    }
    groups[groups.length - 1].push({ segment: number, range: segment.range, from: 0 });
    files += segment.files;
    bytes += segment.bytes;
  });
  return groups;
}

function progress(run: CreateRun, segments: Segment[]) {
  let [filesTotal, bytesTotal] = [0, 0];
  for (const { files, bytes, large } of segments) {
    filesTotal += files;
    bytesTotal += bytes + large.reduce((sum, { size }) => sum + size, 0);
  }
  const total = bytesTotal + filesTotal * FILE_WEIGHT;
  const started = Date.now();
  return () => {
    const [filesDone, bytesDone] = [run.counter(RunCounter.files), run.counter(RunCounter.bytes)];
    const part = total === 0 ? 1 : Math.min(1, (bytesDone + filesDone * FILE_WEIGHT) / total);
    const etaMs = part === 0 ? 0 : Math.round((Date.now() - started) * (1 - part) / part);
    return {
      percentage: 2 + Math.floor(part * 94),
      message: "Storing changed files",
      figures: { filesDone, filesTotal, bytesDone, bytesTotal, newBytes: run.counter(RunCounter.newBytes), etaMs },
    };
  };
}

import type { CreateRun } from "./create_run.ts";
import type { PendingDirectory } from "./directory_scan.ts";
import { RunCounter } from "./run_counter.ts";
import { addReport } from "./run_report.ts";
import type { ScanInput } from "./scan.ts";
import type { Segment } from "./scan_record.ts";
import { At } from "../trees/tree_entry.ts";
import { WorkQueue } from "./work_queue.ts";
import type { RuleOptions } from "../../files/rules.ts";

/** Entries that a task looks at before it hands back the rest: tens of milliseconds of work. */
const BUDGET = 4096;
/** While there is not enough for all workers to do, tasks hand back early. */
const FIRST_BUDGET = 1024;
const MOST_DIRECTORIES = 128;

/** Compares the source with the parent version. @returns the segments, those of parents before those of their children */
export async function scanPhase(run: CreateRun, rules: RuleOptions): Promise<Segment[]> {
  const { prepared, request, tasks, workers } = run;
  using _progress = run.watch(() => ({
    percentage: 1,
    message: "Looking for changes",
    figures: { entriesFound: run.counter(RunCounter.entries) },
  }));
  const base: Omit<ScanInput, "directories" | "budget"> = { run: run.input, rules, reread: request.isFullBackup };
  /** By the number of the task; a task finds children only for later ones. */
  const segments: Segment[][] = [];
  // The last found are scanned first, so that what waits stays little.
  const pending: PendingDirectory[] = [
    { path: "", number: 0, pages: prepared.parent?.root[At.pages] ?? null, isRemoved: false },
  ];
  const queue = new WorkQueue(workers * 2);
  const next = async () => {
    if (pending.length === 0) return;
    const share = Math.ceil(pending.length / (workers * 2));
    const directories = pending.splice(-Math.min(share, MOST_DIRECTORIES));
    const place = segments.push([]) - 1;
    const output = await tasks.run("backup.create.scan", {
      ...base,
      directories,
      budget: share > 1 ? BUDGET : FIRST_BUDGET,
    });
    segments[place] = output.segments;
    addReport(run.report, output.report);
    for (const directory of output.pending) pending.push(directory);
    while (queue.waiting < Math.min(pending.length, workers * 2)) queue.add(next);
  };
  queue.add(next);
  await queue.run();
  return segments.flat();
}

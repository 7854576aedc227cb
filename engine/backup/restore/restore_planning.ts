import type { PendingDirectory } from "./restore_compare.ts";
import { counterOf, type RestoreRun, watchRestore } from "./restore_run.ts";
import type { RestoreScanInput, RestoreScanOutput } from "./restore_scan.ts";
import {
  addRestoreReport,
  emptyRestoreReport,
  RestoreCounter,
  type RestoreReport,
  type RestoreSegment,
  type RestoreStream,
} from "./restore_steps.ts";

/** Entries that a task compares before it hands back the rest: tens of milliseconds of work. */
const BUDGET = 16_384;
/** While there is not enough for all workers to do, tasks hand back early. */
const FIRST_BUDGET = 1024;
const MOST_DIRECTORIES = 512;

/** A whole plan: where its segments lie, in their order, and what they would do. */
export class RestorePlan {
  readonly report: RestoreReport = emptyRestoreReport();
  /** Wanted paths that the version does not have. */
  readonly missing: string[] = [];
  /** By the place of the task that wrote them: a directory's task begins after the one that found it has ended. */
  readonly #segments: RestoreSegment[][] = [];

  addScan(place: number, { segments, report, missing }: Omit<RestoreScanOutput, "pending">): void {
    this.#segments[place] = segments;
    addRestoreReport(this.report, report);
    this.missing.push(...missing);
  }

  /** Puts what was planned after all scans in the place of the stream `links`. */
  resolveLinks(segments: RestoreSegment[], report: RestoreReport): void {
    for (const [place, some] of this.#segments.entries()) {
      this.#segments[place] = some.filter(({ stream }) => stream !== "links");
    }
    this.#segments.push(segments);
    addRestoreReport(this.report, report);
  }

  get segments(): RestoreSegment[] {
    return this.#segments.flat();
  }

  /** The segments of a stream, parents before children. */
  stream(stream: RestoreStream): RestoreSegment[] {
    return this.segments.filter((segment) => segment.stream === stream);
  }

  get hasSteps(): boolean {
    return this.#segments.some((segments) => segments.length > 0);
  }
}

/** Compares the version with the target and writes the plan. Changes nothing. */
export async function makeRestorePlan(run: RestoreRun): Promise<RestorePlan> {
  const plan = new RestorePlan();
  using _progress = watchRestore(run, () => ({
    percentage: 1,
    message: "Comparing the version with the directory",
    figures: { entriesCompared: counterOf(run, RestoreCounter.compared) },
  }));
  await scanAll(run, plan);
  const segments = plan.stream("links");
  if (segments.length > 0) {
    const { overwrite, verify } = run.request;
    const links = await run.tasks.run("backup.restore.links", { spool: run.spool, segments, overwrite, verify });
    plan.resolveLinks(links.segments, links.report);
  }
  return plan;
}

async function scanAll(run: RestoreRun, plan: RestorePlan): Promise<void> {
  const { request, source, spool, workers, owners } = run;
  const { overwrite, deleteExtra, verify } = request;
  const base: Omit<RestoreScanInput, "directories" | "budget"> = {
    source,
    rules: { overwrite, deleteExtra, verify, owners, protected: run.protected },
    target: request.restorePath,
    spool,
  };
  // The last found are compared first, so that what waits stays little.
  const pending: PendingDirectory[] = [rootDirectory(run)];
  const running = new Set<Promise<void>>();
  const scan = async (place: number, directories: PendingDirectory[], budget: number) => {
    const output = await run.tasks.run("backup.restore.scan", { ...base, directories, budget });
    for (const directory of output.pending.reverse()) pending.push(directory);
    plan.addScan(place, output);
  };
  try {
    for (let place = 0; pending.length > 0 || running.size > 0;) {
      while (pending.length > 0 && running.size < workers * 2) {
        const share = Math.ceil(pending.length / (workers * 2));
        const batch = pending.splice(-Math.min(share, MOST_DIRECTORIES)).reverse();
        const task = scan(place++, batch, share > 1 ? BUDGET : FIRST_BUDGET).finally(() => running.delete(task));
        running.add(task);
      }
      await Promise.race(running);
    }
  } finally {
    await Promise.allSettled(running);
  }
}

function rootDirectory({ request, version, targetExists }: RestoreRun): PendingDirectory {
  const select = request.paths.length === 0 ? null : request.paths;
  return { path: "", entry: version.root, target: targetExists, differs: false, select };
}

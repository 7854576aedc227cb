import type { CompareOptions, PendingDirectory } from "./compare_input.ts";
import { JobCounter } from "./counters.ts";
import { groupSegments } from "./plan.ts";
import { Plan } from "./planned.ts";
import { counter, type Run, watch } from "./run.ts";
import type { ScanInput } from "./scan.ts";
import { textPlace } from "./texts/keep_texts.ts";
import { forEachAtOnce } from "../at_once.ts";

/** What clocks, of file systems too, may be behind, seconds. */
const RECENT = 2;
/** Entries that a task compares before it hands back the rest: tens of milliseconds of work. */
const BUDGET = 4096;
/** While there is not enough for all workers to do, tasks hand back early. */
const FIRST_BUDGET = 1024;
const MOST_DIRECTORIES = 128;
/** Merges that a task plans. */
const MOST_MERGES = 64;

/** Compares both trees and writes the plan. Changes nothing in either. */
export async function makePlan(run: Run): Promise<Plan> {
  const plan = new Plan();
  using _progress = watch(run, () => ({
    percentage: 1,
    message: "Comparing both directories",
    figures: { entriesCompared: counter(run, JobCounter.compared) },
  }));
  await scanTrees(run, plan);
  await planMerges(run, plan);
  const links = plan.stream("links");
  if (links.length > 0) {
    plan.drop("links");
    const { segments, report } = await run.tasks.run("files.links", { spool: run.spool, segments: links });
    plan.add(segments, report);
  }
  const over = plan.stream("over");
  if (over.length > 0) {
    const clear = plan.stream("clear");
    plan.drop("over");
    plan.drop("clear");
    const { incomplete } = plan.report;
    const { segments, report } = await run.tasks.run("files.over", { spool: run.spool, over, clear, incomplete });
    plan.add(segments, report);
  }
  plan.settle();
  return plan;
}

async function planMerges({ tasks, roots, spool, baseline, pass, workers }: Run, plan: Plan): Promise<void> {
  const groups = groupSegments(plan.stream("merge"), MOST_MERGES);
  plan.drop("merge");
  const input = { ...textPlace(baseline), roots, spool, foresees: pass === "back" };
  await forEachAtOnce(groups, workers, async (segments) => {
    const { segments: planned, report } = await tasks.run("files.merge", { ...input, segments });
    plan.add(planned, report);
  });
}

async function scanTrees(run: Run, plan: Plan): Promise<void> {
  const { request, prepared, workers } = run;
  const options: CompareOptions = {
    deleteMissing: run.pass !== undefined || request.deleteMissingInTarget,
    strategy: request.conflictStrategy,
    preservePermissions: request.preservePermissions,
    owners: prepared.owners,
    baseline: prepared.baseline,
    sweep: prepared.interrupted,
    recentFrom: Math.floor(run.startedAt / 1_000) - RECENT,
    stamp: run.stamp,
    pass: run.pass,
    merging: request.conflictStrategy === "Merge" && (run.pass !== "back" || request.dryRun),
  };
  const base: Omit<ScanInput, "directories" | "budget"> = {
    roots: run.roots,
    rules: run.rules,
    options,
    baseline: prepared.baseline === "none" ? null : run.baseline,
    spool: run.spool,
  };
  // The last found are compared first, so that what waits stays little.
  const pending: PendingDirectory[] = [rootDirectory(prepared.targetExists)];
  const running = new Set<Promise<void>>();
  const scan = async (place: number, directories: PendingDirectory[], budget: number) => {
    const output = await run.tasks.run("files.scan", { ...base, directories, budget });
    for (const directory of output.pending) pending.push(directory);
    plan.addScan(place, output);
  };
  try {
    for (let place = 0; pending.length > 0 || running.size > 0;) {
      while (pending.length > 0 && running.size < workers * 2) {
        const share = Math.ceil(pending.length / (workers * 2));
        const batch = pending.splice(-Math.min(share, MOST_DIRECTORIES));
        const task = scan(place++, batch, share > 1 ? BUDGET : FIRST_BUDGET).finally(() => running.delete(task));
        running.add(task);
      }
      await Promise.race(running);
    }
  } finally {
    await Promise.allSettled(running);
  }
}

function rootDirectory(targetExists: boolean): PendingDirectory {
  return {
    path: "",
    source: true,
    target: targetExists,
    included: false,
    clear: false,
    reported: false,
    own: "same",
    conditional: false,
    top: 0,
  };
}

import type { CompareOptions, PendingDirectory } from "./compare_input.ts";
import { JobCounter } from "./counters.ts";
import { groupSegments } from "./plan.ts";
import { Plan } from "./planned.ts";
import { counter, type Run, watch } from "./run.ts";
import type { PendingPlace, ScanInput, ScanPass } from "./scan.ts";
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

/**
 * Compares both trees and writes the plan of each run: one, or the two of a run in both directions. Changes nothing in either tree.
 */
export async function makePlans(runs: Run[]): Promise<Plan[]> {
  const [run] = runs;
  using _progress = watch(run, () => ({
    percentage: 1,
    message: "Comparing both directories",
    figures: { entriesCompared: counter(run, JobCounter.compared) },
  }));
  const plans = await scanTrees(runs);
  for (const [index, plan] of plans.entries()) await complete(runs[index], plan);
  return plans;
}

/** Plans what could not be before everything was compared. */
async function complete(run: Run, plan: Plan): Promise<void> {
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

async function scanTrees(runs: Run[]): Promise<Plan[]> {
  const [{ tasks, prepared, baseline, workers }] = runs;
  const plans = runs.map(() => new Plan());
  const base: Omit<ScanInput, "directories" | "budget"> = {
    passes: runs.map(toPass),
    baseline: prepared.baseline === "none" ? null : baseline,
  };
  // The last found are compared first, so that what waits stays little.
  const pending: PendingPlace[] = [runs.map(({ prepared }) => rootDirectory(prepared.targetExists))];
  const running = new Set<Promise<void>>();
  const scan = async (place: number, directories: PendingPlace[], budget: number) => {
    const output = await tasks.run("files.scan", { ...base, directories, budget });
    for (const directory of output.pending) pending.push(directory);
    for (const [index, plan] of plans.entries()) plan.addScan(place, output.passes[index]);
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
  return plans;
}

function toPass({ request, prepared, pass, startedAt, stamp, roots, rules, spool }: Run): ScanPass {
  const options: CompareOptions = {
    deleteMissing: pass !== undefined || request.deleteMissingInTarget,
    strategy: request.conflictStrategy,
    preservePermissions: request.preservePermissions,
    owners: prepared.owners,
    baseline: prepared.baseline,
    sweep: prepared.interrupted,
    recentFrom: Math.floor(startedAt / 1_000) - RECENT,
    stamp,
    pass,
    foresees: pass === "back" && request.dryRun,
  };
  return { roots, rules, options, spool };
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

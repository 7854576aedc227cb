import type { RestoreApplyOptions } from "./restore_apply.ts";
import type { Range } from "./restore_file.ts";
import type { LargeAction, RestoreLargeOutput } from "./restore_large.ts";
import { counterOf, type RestoreRun, watchRestore } from "./restore_run.ts";
import {
  addRestoreReport,
  emptyRestoreReport,
  RestoreCounter,
  type RestoreReport,
  type RestoreSegment,
} from "./restore_steps.ts";
import type { RestorePlan } from "./restore_planning.ts";
import { groupSegments } from "../../files/plan.ts";
import { addError } from "../../files/report.ts";
import { forEachAtOnce } from "../../at_once.ts";

/** What a step counts in the progress beside its bytes: making a file takes as long as writing this much. */
const STEP_WEIGHT = 32 * 1024;
/** Steps of a task: enough that few frames are opened by two tasks, few enough that others get their turn. */
const MOST_STEPS = 2048;
/** What a task writes of a large file. A multiple of the block size. */
const RANGE = 64 * 2 ** 20;

/** Carries a plan out and returns what was done; single failures are in the report. */
export async function applyRestorePlan(run: RestoreRun, plan: RestorePlan): Promise<RestoreReport> {
  return await new RestoreApplication(run, plan).run();
}

class RestoreApplication {
  readonly #run: RestoreRun;
  readonly #plan: RestorePlan;
  readonly #options: RestoreApplyOptions;
  readonly #done = emptyRestoreReport();

  constructor(run: RestoreRun, plan: RestorePlan) {
    this.#run = run;
    this.#plan = plan;
    const { request, source, spool, owners, id } = run;
    this.#options = { source, target: request.restorePath, spool, verify: request.verify, owners, run: id };
    const { errors, errorCount, incomplete, unchanged, skippedExisting } = plan.report;
    Object.assign(this.#done, { errors: [...errors], errorCount, incomplete, unchanged, skippedExisting });
  }

  async run(): Promise<RestoreReport> {
    const plan = this.#plan;
    if (!plan.hasSteps) return this.#done;
    using _progress = watchRestore(this.#run, this.#progress());
    const { tasks, request } = this.#run;
    await tasks.run("backup.restore.begin", { target: request.restorePath });
    await this.#inOrder(plan.stream("first"));
    await this.#atOnce(plan.stream("make"));
    const data = plan.stream("data").sort((a, b) => (a.place ?? -1) - (b.place ?? -1));
    await this.#both([() => this.#atOnce(data), () => this.#large(plan.stream("large"))]);
    await this.#atOnce(plan.stream("join"));
    await this.#delete();
    await this.#atOnce(plan.stream("finish"));
    await this.#inOrder(plan.stream("close").reverse());
    await tasks.run("backup.restore.flush", { target: request.restorePath });
    return this.#done;
  }

  /** Waits for all, also where one fails. */
  async #both(works: (() => Promise<void>)[]): Promise<void> {
    for (const outcome of await Promise.allSettled(works.map((work) => work()))) {
      if (outcome.status === "rejected") throw outcome.reason;
    }
  }

  async #inOrder(segments: RestoreSegment[]): Promise<void> {
    for (const group of groupSegments(segments, MOST_STEPS)) await this.#apply(group);
  }

  async #atOnce(segments: RestoreSegment[]): Promise<void> {
    const { workers } = this.#run;
    const steps = segments.reduce((sum, segment) => sum + segment.steps, 0);
    const groups = groupSegments(segments, Math.min(MOST_STEPS, Math.max(64, Math.ceil(steps / workers / 4))));
    await forEachAtOnce(groups, workers * 2, (group) => this.#apply(group));
  }

  async #delete(): Promise<void> {
    const segments = this.#plan.stream("delete");
    if (segments.length === 0) return;
    if (!this.#done.incomplete) {
      return await this.#inOrder(segments.reverse());
    }
    const count = segments.reduce((sum, { steps }) => sum + steps, 0);
    addError(this.#done, "", `${count} deletions were left out, because not everything could be read or restored`);
  }

  async #apply(segments: RestoreSegment[]): Promise<void> {
    try {
      addRestoreReport(this.#done, await this.#run.tasks.run("backup.restore.apply", { ...this.#options, segments }));
    } catch (error) {
      const steps = segments.reduce((sum, segment) => sum + segment.steps, 0);
      this.#lost(error, `some of its ${steps} steps were not done`);
    }
  }

  /** Records that a worker was lost. Any other error ends the restore. */
  #lost(error: unknown, what: string): void {
    if (!(error instanceof Error) || error.name !== "WorkerLostError") throw error;
    this.#done.incomplete = true;
    addError(this.#done, "", `${error.message}; ${what}: run it again`);
  }

  /** One after the other, each by all workers. */
  async #large(segments: RestoreSegment[]): Promise<void> {
    for (const segment of segments) {
      try {
        await this.#makeLarge(segment);
      } catch (error) {
        this.#lost(error, "a large file was not restored");
      }
      Atomics.add(this.#run.tasks.counters, RestoreCounter.steps, 1n);
    }
  }

  async #makeLarge(segment: RestoreSegment): Promise<void> {
    const errors = this.#done.errorCount;
    const failed = () => this.#done.errorCount > errors;
    const mayKeep = await this.#act(segment, "inspect");
    if (failed()) return;
    if (mayKeep && await this.#ranges(segment, "compare")) return void await this.#act(segment, "keep");
    if (failed()) return;
    let placed = false;
    try {
      const direct = await this.#act(segment, "create");
      if (failed()) return;
      if (!await this.#ranges(segment, "write", direct)) return;
      if (this.#options.verify && !await this.#ranges(segment, "verify")) return;
      placed = await this.#act(segment, "finish");
    } finally {
      if (!placed) await this.#discard(segment);
    }
  }

  async #act(segment: RestoreSegment, action: LargeAction, range: Range = { start: 0, end: 0 }, direct = false) {
    const input = { ...this.#options, segment, action, range, direct };
    const { report, done }: RestoreLargeOutput = await this.#run.tasks.run("backup.restore.large", input);
    addRestoreReport(this.#done, report);
    return done;
  }

  /** Whether every range's answer is yes; ends soon after the first no. */
  async #ranges(segment: RestoreSegment, action: LargeAction, direct = false): Promise<boolean> {
    let done = true;
    const ranges = rangesOf(segment.bytes, () => done);
    await forEachAtOnce(ranges, this.#run.workers, async (range) => {
      if (!await this.#act(segment, action, range, direct)) done = false;
    });
    return done;
  }

  /** In a job of its own, since a cancelled one runs no tasks. */
  async #discard(segment: RestoreSegment): Promise<void> {
    const { pool, job } = this.#run;
    await using tasks = pool.job({ name: job.sessionId });
    const range = { start: 0, end: 0 };
    await tasks.run("backup.restore.large", { ...this.#options, segment, action: "discard", range, direct: false });
  }

  #progress() {
    const segments = this.#plan.segments;
    const bytesTotal = segments.reduce((sum, { bytes }) => sum + bytes, 0);
    const stepsTotal = segments.reduce((sum, { steps }) => sum + steps, 0);
    const total = bytesTotal + stepsTotal * STEP_WEIGHT;
    const started = Date.now();
    return () => {
      const bytesDone = Math.min(bytesTotal, counterOf(this.#run, RestoreCounter.bytes));
      const stepsDone = Math.min(stepsTotal, counterOf(this.#run, RestoreCounter.steps));
      const part = total === 0 ? 1 : (bytesDone + stepsDone * STEP_WEIGHT) / total;
      const etaMs = part === 0 ? 0 : Math.round((Date.now() - started) * (1 - part) / part);
      return {
        percentage: 2 + Math.floor(part * 96),
        message: part < 1 ? "Restoring" : "Writing everything to the disk",
        figures: { stepsDone, stepsTotal, bytesDone, bytesTotal, etaMs },
      };
    };
  }
}

function* rangesOf(size: number, goOn: () => boolean): Generator<Range> {
  for (let start = 0; start < size && goOn(); start += RANGE) yield { start, end: Math.min(size, start + RANGE) };
}

import type { ApplyOptions, ApplyOutput, LargeInput } from "./apply.ts";
import { isDamage } from "../sqlite_damage.ts";
import { JobCounter } from "./counters.ts";
import { NEW_DIRECTORY } from "./directories.ts";
import { groupSegments, type PlanLine, type Segment, type Stream } from "./plan.ts";
import { deletionsOff, type Plan } from "./planned.ts";
import { addError, addReport, emptyReport, type Report } from "./report.ts";
import { counter, type Run, watch } from "./run.ts";
import { forEachAtOnce } from "../at_once.ts";
import { keepTexts, textPlace } from "./texts/keep_texts.ts";
import { trashFolder } from "./trash.ts";
import { writtenPath } from "./written.ts";

/** What a step counts in the progress beside its bytes: making a file takes as long as copying this much. */
const STEP_WEIGHT = 32 * 1024;

/** Directories that a task makes the baseline out of. */
const MOST_REBASED = 512;

/**
 * Carries a plan out and returns what was done; single failures are in the report. With the strategy `Merge` the texts of what both sides
 * have in common then are kept.
 */
export async function applyPlan(run: Run, plan: Plan): Promise<Report> {
  const done = await new Application(run, plan).run();
  if (run.request.conflictStrategy === "Merge") await keepTexts(run, "directory");
  return done;
}

class Application {
  readonly #run: Run;
  readonly #plan: Plan;
  readonly #options: ApplyOptions;
  readonly #done: Report = emptyReport();
  /** Directories whose baseline is not what was planned. */
  readonly #deviating = new Set<string>();
  /** What was lost with its worker: some of it may be done, and temporary names may still be there. */
  readonly #lost: Segment[] = [];

  constructor(run: Run, plan: Plan) {
    this.#run = run;
    this.#plan = plan;
    const { request } = run;
    this.#options = {
      verify: request.verifyIntegrity,
      preservePermissions: request.preservePermissions,
      owners: run.prepared.owners,
      bandwidthLimit: request.bandwidthLimit,
      trash: request.trashDirectory === undefined
        ? undefined
        : `${request.trashDirectory}/${trashFolder(run.stamp, run.id)}`,
      run: run.id,
      log: { path: writtenPath(run.baseline), atOnce: run.prepared.baseline !== "none" },
      contents: run.pass === undefined ? undefined : run.baseline,
    };
    this.#done.errors = [...plan.report.errors];
    this.#done.errorCount = plan.report.errorCount;
    this.#done.incomplete = plan.report.incomplete;
  }

  async run(): Promise<Report> {
    if (this.#idle) return this.#done;
    const { tasks, request, baseline } = this.#run;
    using _progress = watch(this.#run, this.#progress());
    let sound = await tasks.run("files.begin", {
      target: request.targetDirectory,
      mode: request.preservePermissions ? NEW_DIRECTORY : 0o777,
      baseline,
      pass: this.#run.pass,
    });
    if (this.#plan.hasSteps) await this.#steps();
    // The disk works while the baseline is made out; it takes effect only when both are done.
    const ended = await Promise.allSettled([this.#flush(), sound ? this.#rebase() : undefined]);
    for (const outcome of ended) {
      if (outcome.status === "fulfilled") continue;
      if (!isDamage(outcome.reason)) throw outcome.reason;
      sound = false;
    }
    if (sound && request.conflictStrategy === "Merge") await keepTexts(this.#run, "aside");
    sound &&= await this.#end();
    if (!sound) await tasks.run("files.forget", { baseline, clean: this.#clean });
    else if (request.conflictStrategy !== "Merge") {
      await tasks.run("files.dropTexts", { ...textPlace(baseline), baseline });
    }
    return this.#done;
  }

  /** Makes what was set aside the baseline; returns false where that turns out to be damaged. */
  async #end(): Promise<boolean> {
    const { tasks, baseline, rulesKey, spool } = this.#run;
    const plan = this.#plan;
    try {
      const foreseen = plan.stream("foreseen");
      await tasks.run("files.end", { baseline, rulesKey, clean: this.#clean, spool, foreseen });
      return true;
    } catch (error) {
      if (!isDamage(error)) throw error;
      return false;
    }
  }

  /** Whether there is anything to do or to note at all. */
  get #idle(): boolean {
    const { baseline, interrupted } = this.#run.prepared;
    return !this.#plan.hasSteps && !this.#plan.hasBaselines && baseline === "complete" && !interrupted;
  }

  get #clean(): boolean {
    return this.#lost.length === 0;
  }

  async #flush(): Promise<void> {
    if (!this.#plan.hasSteps) return;
    const { tasks, request } = this.#run;
    await tasks.run("files.flush", { target: request.targetDirectory, trash: this.#options.trash });
  }

  async #steps(): Promise<void> {
    const plan = this.#plan;
    await this.#inOrder(plan.stream("first"));
    // The largest first, so that none of them is what all others wait for at the end.
    const bySize = (a: Segment, b: Segment) => b.bytes - a.bytes;
    await this.#atOnce(plan.stream("copy").sort(bySize), plan.stream("large").sort(bySize));
    await this.#atOnce(plan.stream("over"));
    await this.#atOnce(plan.stream("join"));
    const deletions = plan.stream("delete");
    if (!this.#done.incomplete) {
      await this.#inOrder(deletions.reverse());
    } else if (deletions.length > 0) {
      addError(this.#done, "", deletionsOff(deletions.reduce((sum, { steps }) => sum + steps, 0)));
    }
    await this.#atOnce(plan.stream("finish"));
    const unnamed = plan.unnamed.map((path): PlanLine => [path, [["finish", false]]]);
    if (unnamed.length > 0) await this.#apply([inline("finish", unnamed.length)], unnamed);
  }

  async #inOrder(segments: Segment[]): Promise<void> {
    for (const group of groupSegments(segments)) await this.#apply(group);
  }

  async #atOnce(segments: Segment[], large: Segment[] = []): Promise<void> {
    const { request, workers } = this.#run;
    // A run that is held back waits inside its workers, so it leaves one to others.
    const atOnce = request.bandwidthLimit === undefined ? workers * 2 : Math.max(1, workers - 1);
    const work = [
      ...large.map((segment) => () => this.#copyLarge(segment)),
      ...this.#groups(segments).map((group) => () => this.#apply(group)),
    ];
    await forEachAtOnce(work, atOnce, (begin) => begin());
  }

  /** Groups as large as leaves something to do for every worker. */
  #groups(segments: Segment[]): Segment[][] {
    const steps = segments.reduce((sum, segment) => sum + segment.steps, 0);
    return groupSegments(segments, Math.min(512, Math.max(64, Math.ceil(steps / this.#run.workers))));
  }

  async #apply(segments: Segment[], lines?: PlanLine[]): Promise<void> {
    const { tasks, roots, spool } = this.#run;
    const deleting = !this.#done.incomplete;
    const input = { roots, options: this.#options, spool, segments, lines, deleting };
    try {
      this.#add(await tasks.run("files.apply", input));
    } catch (error) {
      if (!isLost(error)) throw error;
      this.#lose(error, segments, lines);
    }
  }

  /** Copies a large file part by part, so that other runs' tasks come in between. */
  async #copyLarge(segment: Segment): Promise<void> {
    const { tasks, roots, spool } = this.#run;
    const input: LargeInput = { roots, options: this.#options, spool, segment };
    try {
      do {
        const done = await tasks.run("files.large", input);
        this.#add(done);
        input.progress = done.progress;
      } while (input.progress !== undefined);
    } catch (error) {
      if (isLost(error)) return this.#lose(error, [segment]);
      await this.#discard(input);
      throw error;
    }
  }

  async #discard(input: LargeInput): Promise<void> {
    await using job = this.#run.cleanUp();
    try {
      await job.run("files.discard", input);
    } catch (error) {
      // A server that stops leaves it to the next run.
      if (!(error instanceof Error) || error.name !== "PoolClosedError") throw error;
    }
  }

  #add({ report, deviating }: ApplyOutput): void {
    addReport(this.#done, report);
    for (const directory of deviating) this.#deviating.add(directory);
  }

  /** Notes that steps were lost with their worker, which may still be at them. */
  #lose(error: Error, segments: Segment[], lines: PlanLine[] = []): void {
    const steps = segments.reduce((sum, segment) => sum + segment.steps, 0);
    this.#lost.push(...segments.filter(({ length }) => length > 0));
    for (const [directory] of lines) this.#deviating.add(directory);
    this.#done.incomplete = true;
    addError(this.#done, "", `${error.message}; some of its ${steps} steps were not done: run it again`);
  }

  /** Makes out what the plan could not foresee or what became something else. */
  async #rebase(): Promise<void> {
    const { tasks, roots, rules, spool, baseline, workers, pass, startedAt } = this.#run;
    const base = { roots, rules, spool, baseline, pass, startedAt };
    const unsettled: string[] = [];
    const ofSteps = (segments: Segment[]) =>
      this.#groups(segments).map((segments) => ({ segments, directories: [] as string[] }));
    const deviating = chunks([...this.#deviating], MOST_REBASED).map((directories) => ({ segments: [], directories }));
    // What the comparison has found out of a directory comes last, so that it stays.
    for (const work of [[...deviating, ...ofSteps(this.#lost)], ofSteps(this.#plan.stream("baseline"))]) {
      await forEachAtOnce(work, workers, async (part) => {
        const { report, unsettled: left } = await tasks.run("files.rebase", { ...base, ...part });
        addReport(this.#done, report);
        for (const directory of left) unsettled.push(directory);
      });
    }
    if (unsettled.length === 0) return;
    await tasks.run("files.absorb", { roots, baseline, swapped: pass === "back", directories: unsettled });
  }

  #progress() {
    const streams: Stream[] = ["first", "copy", "large", "over", "join", "delete", "finish"];
    const segments = streams.flatMap((stream) => this.#plan.stream(stream));
    const bytesTotal = segments.reduce((sum, { bytes }) => sum + bytes, 0);
    const stepsTotal = segments.reduce((sum, { steps }) => sum + steps, 0);
    const total = bytesTotal + stepsTotal * STEP_WEIGHT;
    const started = Date.now();
    return () => {
      const [bytesDone, stepsDone] = [counter(this.#run, JobCounter.bytes), counter(this.#run, JobCounter.steps)];
      const part = total === 0 ? 1 : Math.min(1, (bytesDone + stepsDone * STEP_WEIGHT) / total);
      const etaMs = part === 0 ? 0 : Math.round((Date.now() - started) * (1 - part) / part);
      return {
        percentage: 2 + Math.floor(part * 96),
        message: part < 1 ? "Applying changes" : "Writing everything to the disk",
        figures: { stepsDone, stepsTotal, bytesDone, bytesTotal, etaMs },
      };
    };
  }
}

function isLost(error: unknown): error is Error {
  return error instanceof Error && error.name === "WorkerLostError";
}

function inline(stream: Stream, steps: number): Segment {
  return { stream, offset: 0, length: 0, steps, bytes: 0 };
}

function chunks<T>(items: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

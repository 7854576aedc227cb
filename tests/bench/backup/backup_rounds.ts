import { busyProcessors } from "../busy.ts";
import { run } from "../command.ts";
import { inTurn } from "../copy_bench.ts";
import { assertEqual } from "../equality.ts";
import { progress } from "../print.ts";
import type { MemoryPeak } from "../process_usage.ts";
import type { Workspace } from "../workspace.ts";
import type { Dataset } from "./options.ts";
import { type RepositoryTool, type Step, STEPS } from "./repository_tool.ts";

const BUSY_MS = 300;

/** One timed step of one tool. */
export interface StepRun {
  dataset: Dataset;
  step: Step;
  tool: string;
  /** From 0. */
  round: number;
  milliseconds: number;
  /** What `sync -f` took afterwards: a tool that has flushed by itself leaves it nothing to do. */
  flushMs: number;
  /** Processors that other work kept busy just before it. */
  busyBefore: number;
  /** Of the server, during this step, whoever was running. */
  serverPeakBytes: number;
}

export interface SizeRun {
  dataset: Dataset;
  tool: string;
  round: number;
  /** Changed versions after the first one. */
  versions: number;
  bytes: number;
}

export interface Subject {
  dataset: Dataset;
  source: string;
  /** Changes 1% of it. */
  change(): Promise<void>;
}

export interface BackupRoundsOptions {
  tools: readonly RepositoryTool[];
  workspace: Workspace;
  serverMemory: MemoryPeak;
  /** Changed versions whose growth is looked at, in the last round. */
  versions: number;
  signal: AbortSignal;
}

/** A tool in a round: with a repository of its own. */
interface Lane {
  tool: RepositoryTool;
  repository: string;
  target: string;
}

/** Call {@link round} as often as wanted, then read {@link runs} and {@link sizes}. */
export class BackupRounds {
  readonly runs: StepRun[] = [];
  readonly sizes: SizeRun[] = [];
  readonly #options: BackupRoundsOptions;

  constructor(options: BackupRoundsOptions) {
    this.#options = options;
  }

  async round(subject: Subject, round: number, isLast: boolean): Promise<void> {
    const directory = await this.#options.workspace.directory(`trees/${subject.dataset}-round${round + 1}`);
    const lanes: Lane[] = [];
    for (const tool of inTurn(this.#options.tools, round)) {
      const target = `${directory}/restored-${tool.name}`;
      await Deno.mkdir(target);
      lanes.push({ tool, repository: `${directory}/repository-${tool.name}`, target });
    }
    for (const { tool, repository } of lanes) await tool.init(repository);
    for (const step of STEPS) {
      if (step === "changed") await subject.change();
      for (const lane of lanes) await this.#run(subject, step, round, lane);
      if (step === "first") await this.#measureSizes(subject, round, 0, lanes);
    }
    if (isLast) await this.#grow(subject, round, lanes);
    await empty(directory, this.#options.signal);
  }

  async #run(subject: Subject, step: Step, round: number, lane: Lane): Promise<void> {
    const { serverMemory, signal } = this.#options;
    const { dataset, source } = subject;
    const { tool, repository, target } = lane;
    await run(["sync"], { signal });
    const busyBefore = await busyProcessors(BUSY_MS);
    await serverMemory.restart();
    const { milliseconds, content } = await timed(step, lane, source);
    const serverPeakBytes = await serverMemory.read();
    const flushed = step === "restore" ? target : repository;
    const { milliseconds: flushMs } = await run(["sync", "-f", flushed], { signal });
    this.runs.push({ dataset, step, tool: tool.name, round, milliseconds, flushMs, busyBefore, serverPeakBytes });
    progress(`round ${round + 1}, ${dataset}, ${step}: ${tool.name} ${(milliseconds / 1000).toFixed(2)} s`);
    // A fast restore that is wrong is worth nothing; the others are trusted.
    if (content === undefined || round > 0 || tool.name !== "syncline") return;
    progress(`comparing what ${tool.name} restored`);
    await assertEqual(source, content, signal);
  }

  /** Adds the other changed versions, untimed. */
  async #grow(subject: Subject, round: number, lanes: Lane[]): Promise<void> {
    const { versions } = this.#options;
    progress(`adding ${versions - 1} more changed versions`);
    for (let version = 1; version < versions; version++) {
      await subject.change();
      for (const { tool, repository } of lanes) await tool.backup(repository, subject.source);
    }
    await this.#measureSizes(subject, round, versions, lanes);
  }

  async #measureSizes({ dataset }: Subject, round: number, versions: number, lanes: Lane[]): Promise<void> {
    for (const { tool, repository } of lanes) {
      const bytes = await sizeOf(repository, this.#options.signal);
      this.sizes.push({ dataset, tool: tool.name, round, versions, bytes });
    }
  }
}

async function timed(step: Step, { tool, repository, target }: Lane, source: string) {
  if (step === "restore") return await tool.restore(repository, source, target);
  const milliseconds = step === "check" ? await tool.check(repository) : await tool.backup(repository, source);
  return { milliseconds, content: undefined };
}

async function sizeOf(directory: string, signal: AbortSignal): Promise<number> {
  const { stdout } = await run(["find", directory, "-type", "f", "-printf", "%s\\n"], { signal, capture: true });
  return stdout.split("\n").reduce((sum, size) => sum + Number(size), 0);
}

/** Gives the room back without freeing an inode, which would slow down what comes next. */
async function empty(directory: string, signal: AbortSignal): Promise<void> {
  await run(["find", directory, "-type", "f", "-size", "+0", "-exec", "truncate", "-s", "0", "{}", "+"], { signal });
}

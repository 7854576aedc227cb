import { busyProcessors } from "./busy.ts";
import { changeFiles } from "./change.ts";
import { run } from "./command.ts";
import { assertEqual } from "./equality.ts";
import { list } from "./listing.ts";
import type { Scenario } from "./options.ts";
import { progress } from "./print.ts";
import type { MemoryPeak } from "./process_usage.ts";
import { readAll } from "./source.ts";
import type { CopyScenario, Outcome, Tool } from "./tool.ts";

const CHANGED_FILES = 1000;
const BUSY_MS = 300;

/** One timed run of one tool. */
export interface Run extends Outcome {
  scenario: CopyScenario;
  tool: string;
  /** From 0. */
  round: number;
  /** What `sync -f` of the target took afterwards: a tool that has flushed by itself leaves it nothing to do. */
  flushMs: number;
  /** Processors that other work kept busy just before it: well above 0, the run tells little. */
  busyBefore: number;
  /** Of the server, during this run, whoever was running. */
  serverPeakBytes: number;
}

export interface CopyBenchOptions {
  tools: readonly Tool[];
  only: ReadonlySet<Scenario>;
  /** The tree, which is changed. */
  source: string;
  /** Holds the one large file. */
  largeSource: string;
  /** Makes a directory that was not there before. */
  newTarget: (name: string) => Promise<string>;
  serverMemory: MemoryPeak;
  seed: number;
  signal: AbortSignal;
}

/** The scenarios that copy. Call {@link round} as often as wanted, then read {@link runs}. */
export class CopyBench {
  readonly runs: Run[] = [];
  /** Changed before each `changed`: fewer than wanted where the tree has not so many that may be changed. */
  changedFiles = CHANGED_FILES;
  readonly #options: CopyBenchOptions;
  /** Tool → its copy of the tree in this round. */
  readonly #targets = new Map<string, string>();
  readonly #verified = new Set<CopyScenario>();

  constructor(options: CopyBenchOptions) {
    this.#options = options;
  }

  async round(round: number): Promise<void> {
    this.#targets.clear();
    const { only, source, seed, signal } = this.#options;
    if (only.has("first")) await this.#inTurn("first", round);
    else if (only.has("nothing") || only.has("changed")) await this.#prepareTargets(round);
    if (only.has("nothing")) await this.#inTurn("nothing", round);
    if (only.has("changed")) {
      this.changedFiles = await changeFiles(source, await list(source, signal), CHANGED_FILES, seed + round);
      await this.#inTurn("changed", round);
    }
    if (only.has("verify")) await this.#inTurn("verify", round);
    if (only.has("large")) await this.#inTurn("large", round);
  }

  async #inTurn(scenario: CopyScenario, round: number): Promise<void> {
    for (const tool of inTurn(this.#options.tools.filter((tool) => tool.scenarios.has(scenario)), round)) {
      const target = await this.#target(scenario, tool, round);
      const measured = await this.#measure(scenario, tool, round, target);
      this.runs.push(measured);
      progress(`round ${round + 1}, ${scenario}: ${tool.name} ${(measured.milliseconds / 1000).toFixed(2)} s`);
      await this.#verifyOnce(scenario, tool, target);
      if (scenario === "large") await this.#truncate(target);
    }
  }

  async #measure(scenario: CopyScenario, tool: Tool, round: number, target: string): Promise<Run> {
    const { serverMemory, signal } = this.#options;
    const source = this.#source(scenario);
    // rclone and the kernel both drop what was read from the cache: who comes next would read the disk, and the others not.
    await readAll(source, signal);
    await run(["sync"], { signal });
    const busyBefore = await busyProcessors(BUSY_MS);
    await serverMemory.restart();
    const outcome = await tool.run(scenario, source, target);
    const serverPeakBytes = await serverMemory.read();
    const flush = await run(["sync", "-f", target], { signal });
    return { scenario, tool: tool.name, round, busyBefore, ...outcome, flushMs: flush.milliseconds, serverPeakBytes };
  }

  async #target(scenario: CopyScenario, tool: Tool, round: number): Promise<string> {
    const reused = scenario === "nothing" || scenario === "changed" ? this.#targets.get(tool.name) : undefined;
    if (reused !== undefined) return reused;
    const name = `round${round + 1}-${scenario}-${tool.name.replaceAll(/\W+/g, "-")}`;
    const target = await this.#options.newTarget(name);
    if (scenario === "first") this.#targets.set(tool.name, target);
    return target;
  }

  /** Untimed first copies, for scenarios that need the targets in agreement. */
  async #prepareTargets(round: number): Promise<void> {
    const { tools, source } = this.#options;
    for (const tool of tools.filter((tool) => tool.scenarios.has("nothing"))) {
      progress(`round ${round + 1}, preparing ${tool.name}`);
      await tool.run("first", source, await this.#target("first", tool, round));
    }
  }

  /** Looks once at what Syncline made of each scenario: a fast copy that is wrong is worth nothing. */
  async #verifyOnce(scenario: CopyScenario, tool: Tool, target: string): Promise<void> {
    if (tool.name !== "syncline" || this.#verified.has(scenario)) return;
    progress(`comparing what ${tool.name} made`);
    await assertEqual(this.#source(scenario), target, this.#options.signal);
    this.#verified.add(scenario);
  }

  #source(scenario: CopyScenario): string {
    return scenario === "large" ? this.#options.largeSource : this.#options.source;
  }

  /** Gives the room of a large copy back without freeing its inode. */
  async #truncate(target: string): Promise<void> {
    for await (const { name, isFile } of Deno.readDir(target)) if (isFile) await Deno.truncate(`${target}/${name}`, 0);
  }
}

/** The same values, begun with another one each round, so that none is always first or last. */
export function inTurn<T>(values: readonly T[], round: number): T[] {
  // An odd number of them in steps of two: then all rotations come up, and three rounds spread over five places.
  const from = (round * (values.length % 2 === 0 ? 1 : 2)) % Math.max(1, values.length);
  return [...values.slice(from), ...values.slice(0, from)];
}

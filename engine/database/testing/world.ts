import { EngineError } from "../../errors.ts";
import type { ProgressUpdate } from "../../jobs/types.ts";
import type { RowDifference, SyncDatabaseRequest } from "../request.ts";
import { runDatabase } from "../run/run.ts";
import type { RunOutput } from "../run/run_task.ts";
import type { ConnectionSpec, Row } from "../types.ts";
import { MemoryDatabase } from "./memory_database.ts";
import { requestOf, taskContext } from "./task.ts";

/** Two databases in memory and a place for baselines. */
export class World implements AsyncDisposable {
  readonly source = new MemoryDatabase();
  readonly target = new MemoryDatabase();
  readonly directory: string;
  readonly progress: ProgressUpdate[] = [];
  controller = new AbortController();
  #runs = 0;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<World> {
    const directory = await Deno.makeTempDir();
    await Deno.mkdir(`${directory}/baselines`);
    return new World(directory);
  }

  /** Runs a synchronisation of the entities as the engine's task does. */
  async sync(entityNames: string[], options: Partial<SyncDatabaseRequest> = {}): Promise<RunOutput["result"]> {
    return (await this.#run(entityNames, options, {})).result;
  }

  /** The differences that a diff tells. */
  async diff(entityNames: string[], options: Partial<SyncDatabaseRequest> = {}): Promise<RowDifference[]> {
    const differences = `${this.directory}/differences`;
    const output = await this.#run(entityNames, { ...options, dryRun: true }, { differences });
    if (output.differences === 0) return [];
    return (await Deno.readTextFile(differences)).trim().split("\n").map((line) => JSON.parse(line));
  }

  async #run(
    entityNames: string[],
    options: Partial<SyncDatabaseRequest>,
    more: { differences?: string },
  ): Promise<RunOutput> {
    const workspace = `${this.directory}/run-${this.#runs++}`;
    await Deno.mkdir(workspace);
    const request = requestOf({ source: spec("source"), target: spec("target"), entityNames }, options);
    const { signal } = this.controller;
    const context = taskContext(signal, (update) => void this.progress.push(update));
    const load = () =>
      Promise.resolve({
        engine: "sqlite" as const,
        connect: (to: ConnectionSpec) =>
          (to.database === "source" ? this.source : this.target).dialect.connect(to, signal),
      });
    return await runDatabase({ request, baselines: `${this.directory}/baselines`, workspace, ...more }, context, load);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

function spec(database: string): ConnectionSpec {
  return { engine: "sqlite", database, ssl: "disable", connectTimeoutMs: 1000 };
}

/** Rows `from` to `to`, exclusive, of an integer key and a text. */
export function numbered(from: number, to: number, text: (n: number) => string = (n) => `row ${n}`): Row[] {
  return Array.from({ length: to - from }, (_, i) => [String(from + i), text(from + i)]);
}

/** For `assert.rejects`. */
export function isEngineError(kind: EngineError["kind"], words: string | RegExp): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof EngineError) || error.kind !== kind) throw error;
    const isThere = typeof words === "string" ? error.details.includes(words) : words.test(error.details);
    if (!isThere) throw new Error(`The details do not say ${words}: ${error.details}`);
    return true;
  };
}

/** A synchronisation of databases as the engine's task does it, in this thread. */
import { runDatabase } from "../../engine/database/run/run.ts";
import type { SyncDatabaseRequest, SyncDatabaseResult } from "../../engine/database/request.ts";
import { requestOf, taskContext } from "../../engine/database/testing/task.ts";
import type { TestDatabase } from "./database_engines.ts";

/** A pair of databases with a place for its baselines. */
export class PairedDatabases implements AsyncDisposable {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly #directory: string;
  #runs = 0;

  private constructor(source: TestDatabase, target: TestDatabase, directory: string) {
    this.source = source;
    this.target = target;
    this.#directory = directory;
  }

  static async open(source: TestDatabase, target: TestDatabase): Promise<PairedDatabases> {
    const directory = await Deno.makeTempDir({ prefix: "syncline-pair-" });
    await Deno.mkdir(`${directory}/baselines`);
    return new PairedDatabases(source, target, directory);
  }

  async sync(
    entityNames: string[],
    options: Partial<SyncDatabaseRequest> = {},
    signal = new AbortController().signal,
  ): Promise<Omit<SyncDatabaseResult, "syncedAt" | "executionTimeMs" | "sessionId">> {
    const workspace = `${this.#directory}/run-${this.#runs++}`;
    await Deno.mkdir(workspace);
    const request = requestOf({ source: this.source.spec, target: this.target.spec, entityNames }, options);
    const context = taskContext(signal);
    const output = await runDatabase({ request, baselines: `${this.#directory}/baselines`, workspace }, context);
    return output.result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source[Symbol.asyncDispose]();
    await this.target[Symbol.asyncDispose]();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

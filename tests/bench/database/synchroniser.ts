import type { MemoryPeak } from "../process_usage.ts";
import type { Server } from "../server.ts";

/** What of the answer is looked at. */
export interface Answer {
  success: boolean;
  changesApplied: number;
  errors: string[];
  entities: { method: string; inserted: number; updated: number; deleted: number }[];
}

export interface SyncRun {
  milliseconds: number;
  answer: Answer;
}

/** Has the server synchronise one table of a pair of databases. */
export class Synchroniser {
  readonly #server: Server;
  readonly #dataDir: string;
  readonly #memory: MemoryPeak;
  #peak = 0;

  constructor(server: Server, dataDir: string, memory: MemoryPeak) {
    [this.#server, this.#dataDir, this.#memory] = [server, dataDir, memory];
  }

  /**
   * @param changes how many rows it must change
   * @throws where it does not succeed, or changes others
   */
  async sync(source: string, target: string, table: string, changes: number, dryRun = false): Promise<SyncRun> {
    await this.#memory.restart();
    const start = performance.now();
    const answer = await this.#server.post<Answer>("/sync/database", {
      sourceConnectionString: source,
      targetConnectionString: target,
      entityNames: [table],
      useTransactions: true,
      dryRun,
    });
    const milliseconds = performance.now() - start;
    this.#peak = Math.max(this.#peak, await this.#memory.read());
    if (!answer.success || answer.changesApplied !== changes) {
      throw new Error(`The run should have made ${changes} changes: ${JSON.stringify(answer).slice(0, 1000)}`);
    }
    return { milliseconds, answer };
  }

  /** Removes what the server remembers of earlier runs, so that the next is a first one. */
  async forget(): Promise<void> {
    for await (const { name } of Deno.readDir(`${this.#dataDir}/baselines`)) {
      await Deno.remove(`${this.#dataDir}/baselines/${name}`);
    }
  }

  /** The server's highest memory in the runs since the last call. */
  takePeak(): number {
    const peak = this.#peak;
    this.#peak = 0;
    return peak;
  }
}

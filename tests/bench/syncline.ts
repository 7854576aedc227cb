import type { HealthProbe } from "./health.ts";
import type { Server } from "./server.ts";
import type { CopyScenario, Outcome, Tool } from "./tool.ts";

interface SyncAnswer {
  success: boolean;
  changesApplied: number;
  errors: string[];
}

/** Syncline itself, by `POST /sync/files`, timed from the request to the answer as a client sees it. */
export class Syncline implements Tool {
  readonly name: string;
  readonly scenarios: ReadonlySet<CopyScenario>;
  readonly #server: Server;
  readonly #probe: HealthProbe | undefined;

  /** With a probe, the server's health is asked for all the while. */
  constructor(server: Server, probe?: HealthProbe) {
    this.#server = server;
    this.#probe = probe;
    this.name = probe === undefined ? "syncline" : "syncline, health asked";
    this.scenarios = new Set(
      probe === undefined ? ["first", "nothing", "changed", "verify", "large"] : ["first", "large"],
    );
  }

  async run(scenario: CopyScenario, source: string, target: string): Promise<Outcome> {
    const sync = async () => {
      const start = performance.now();
      const answer = await this.#server.post<SyncAnswer>("/sync/files", {
        sourceDirectory: source,
        targetDirectory: target,
        verifyIntegrity: scenario === "verify",
      });
      return { answer, milliseconds: performance.now() - start };
    };
    if (this.#probe === undefined) {
      const { answer, milliseconds } = await sync();
      check(scenario, answer);
      return { milliseconds };
    }
    const { result, samples } = await this.#probe.during(sync);
    check(scenario, result.answer);
    return { milliseconds: result.milliseconds, health: samples };
  }
}

function check(scenario: CopyScenario, { success, changesApplied, errors }: SyncAnswer): void {
  if (!success || errors.length > 0) {
    throw new Error(`Syncline reported ${errors.length} errors (${scenario}): ${errors.slice(0, 5).join("; ")}`);
  }
  if ((changesApplied === 0) !== (scenario === "nothing")) {
    throw new Error(`Syncline applied ${changesApplied} changes (${scenario})`);
  }
}

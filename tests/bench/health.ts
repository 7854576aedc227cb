import type { HealthSamples, HealthSettings } from "./health_client.ts";
import { LineProcess } from "./line_process.ts";

export type { HealthSamples } from "./health_client.ts";

/** Asks for the server's health at a fixed rate from a process of its own, while something else is measured. */
export class HealthProbe implements AsyncDisposable {
  readonly #client: LineProcess;

  private constructor(client: LineProcess) {
    this.#client = client;
  }

  static async start(settings: HealthSettings): Promise<HealthProbe> {
    const client = LineProcess.script("health_client.ts");
    await client.send(JSON.stringify(settings));
    await client.receive();
    return new HealthProbe(client);
  }

  /** Measures while `work` runs. Throws where a request failed or was not answered with 200. */
  async during<T>(work: () => Promise<T>): Promise<{ result: T; samples: HealthSamples }> {
    await this.#client.send("start");
    await this.#client.receive();
    let result: T;
    try {
      result = await work();
    } finally {
      await this.#client.send("stop");
    }
    const samples: HealthSamples = JSON.parse(await this.#client.receive());
    const refused = Object.keys(samples.statuses).filter((status) => status !== "200");
    if (refused.length > 0) throw new Error(`GET /health answered ${JSON.stringify(samples.statuses)}, not always 200`);
    return { result, samples };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.stop();
  }
}

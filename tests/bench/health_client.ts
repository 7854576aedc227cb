/**
 * The process that {@link file://./health.ts} drives. Requests leave at a fixed rate whether or not earlier ones were
 * answered (an open loop), so a server that stalls gains nothing by delaying the client.
 *
 * Lines in: the settings as JSON; then `start` and `stop` in turn. Lines out: `ready`; after each `start`, `started`; after
 * each `stop`, the samples as JSON.
 */
import { getRequest, HttpConnection } from "./http_connection.ts";
import { readLines } from "./line_process.ts";
import { print } from "./print.ts";

export interface HealthSettings {
  port: number;
  path: string;
  token: string;
  requestsPerSecond: number;
}

export interface HealthSamples {
  /** From the send to the whole answer. */
  latenciesMs: number[];
  /** How long after its due time each request was sent: the client's own wait for a processor. */
  latenessMs: number[];
  statuses: Record<string, number>;
}

const MAX_OUTSTANDING = 512;

class OpenLoop {
  readonly #settings: HealthSettings;
  readonly #request: Uint8Array;
  readonly #idle: HttpConnection[] = [];
  readonly #outstanding = new Set<Promise<void>>();
  readonly #samples: HealthSamples = { latenciesMs: [], latenessMs: [], statuses: {} };
  #running = true;
  #failure: unknown;

  constructor(settings: HealthSettings) {
    this.#settings = settings;
    this.#request = getRequest(settings.path, settings.port, settings.token);
  }

  /** Opens connections ahead and uses each once, so that the measured ones find them warm. */
  async prepare(connections: number): Promise<void> {
    for (let i = 0; i < connections; i++) {
      const connection = await HttpConnection.open(this.#settings.port);
      await connection.exchange(this.#request);
      this.#idle.push(connection);
    }
  }

  async run(): Promise<HealthSamples> {
    const interval = 1000 / this.#settings.requestsPerSecond;
    for (let due = performance.now(); this.#running;) {
      for (const now = performance.now(); due <= now; due += interval) this.#send(due);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    }
    while (this.#outstanding.size > 0) await Promise.all(this.#outstanding);
    for (const connection of this.#idle) connection.close();
    if (this.#failure !== undefined) throw this.#failure;
    return this.#samples;
  }

  stop(): void {
    this.#running = false;
  }

  #send(due: number): void {
    if (this.#outstanding.size >= MAX_OUTSTANDING) {
      this.#failure ??= new Error(`Cannot go on: ${MAX_OUTSTANDING} health requests are without an answer`);
      this.stop();
      return;
    }
    const exchange = this.#exchange(due)
      .catch((error) => {
        this.#failure ??= error;
        this.stop();
      })
      .finally(() => this.#outstanding.delete(exchange));
    this.#outstanding.add(exchange);
  }

  async #exchange(due: number): Promise<void> {
    const connection = this.#idle.pop() ?? (await HttpConnection.open(this.#settings.port));
    const sent = performance.now();
    const status = await connection.exchange(this.#request);
    this.#samples.latenciesMs.push(performance.now() - sent);
    this.#samples.latenessMs.push(sent - due);
    this.#samples.statuses[status] = (this.#samples.statuses[status] ?? 0) + 1;
    this.#idle.push(connection);
  }
}

const input = readLines(Deno.stdin.readable);
const settings: HealthSettings = JSON.parse((await input.next()).value ?? "");
print("ready");
while (!(await input.next()).done) {
  const loop = new OpenLoop(settings);
  await loop.prepare(8);
  const samples = loop.run();
  print("started");
  await input.next();
  loop.stop();
  print(JSON.stringify(await samples));
}

import type { LoadResult, LoadSettings } from "./load_client.ts";
import { LineProcess } from "./line_process.ts";
import { processorMs } from "./process_usage.ts";

export interface RequestRate {
  perSecond: number;
  /** The server's processor time for one request, in microseconds: what counts where the client is the slower one. */
  processorUs: number;
}

export interface Endpoint {
  pid: number;
  port: number;
  path: string;
  token: string;
}

export const LOAD = { connections: 64, warmUpMs: 1000, measureMs: 4000 };

/** Requests per second of one server, asked by a process of its own. Throws where an answer was not 200. */
export async function requestRate(endpoint: Endpoint, load = LOAD): Promise<RequestRate> {
  await using client = LineProcess.script("load_client.ts");
  const { port, path, token, pid } = endpoint;
  const settings: LoadSettings = { port, path, token, ...load };
  await client.send(JSON.stringify(settings));
  await client.receive();
  const before = await processorMs(pid);
  const result: LoadResult = JSON.parse(await client.receive());
  const used = (await processorMs(pid)) - before;
  if (Object.keys(result.statuses).some((status) => status !== "200")) {
    throw new Error(`GET ${path} under load answered ${JSON.stringify(result.statuses)}, not always 200`);
  }
  return { perSecond: (result.requests * 1000) / result.milliseconds, processorUs: (used * 1000) / result.requests };
}

/** The bare Hono application, in its own process. */
export class BareHono implements AsyncDisposable {
  readonly #process: LineProcess;
  readonly endpoint: Endpoint;

  private constructor(process: LineProcess, port: number) {
    this.#process = process;
    this.endpoint = { pid: process.pid, port, path: "/api/v1/health", token: "none" };
  }

  static async start(): Promise<BareHono> {
    const process = LineProcess.script("bare_hono.ts");
    return new BareHono(process, Number(await process.receive()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
  }
}

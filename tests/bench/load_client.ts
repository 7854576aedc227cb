/**
 * The process that {@link file://./requests.ts} drives: kept-alive connections that each send their next request as soon as
 * the last is answered (a closed loop). One line in: the settings as JSON. Lines out: `warm`, then the result as JSON.
 */
import { getRequest, HttpConnection } from "./http_connection.ts";
import { readLines } from "./line_process.ts";
import { print } from "./print.ts";

export interface LoadSettings {
  port: number;
  path: string;
  token: string;
  connections: number;
  warmUpMs: number;
  measureMs: number;
}

export interface LoadResult {
  requests: number;
  milliseconds: number;
  statuses: Record<string, number>;
}

async function load(settings: LoadSettings): Promise<LoadResult> {
  const request = getRequest(settings.path, settings.port, settings.token);
  const statuses: Record<string, number> = {};
  let requests = 0;
  let running = true;
  const clients = Array.from({ length: settings.connections }, async () => {
    using connection = await HttpConnection.open(settings.port);
    while (running) {
      const status = await connection.exchange(request);
      requests++;
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  });
  const measured = (async () => {
    await new Promise((resolve) => setTimeout(resolve, settings.warmUpMs));
    const before = requests;
    const start = performance.now();
    print("warm");
    await new Promise((resolve) => setTimeout(resolve, settings.measureMs));
    const result = { requests: requests - before, milliseconds: performance.now() - start, statuses };
    running = false;
    return result;
  })();
  await Promise.all(clients);
  return await measured;
}

const input = readLines(Deno.stdin.readable);
const settings: LoadSettings = JSON.parse((await input.next()).value ?? "");
print(JSON.stringify(await load(settings)));

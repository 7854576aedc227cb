/** `deno task bench webhooks`: how long events are on their way while the server is busy. See {@link USAGE}. */
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { readCommandLine, whole } from "../options.ts";
import { print } from "../print.ts";
import { MemoryPeak } from "../process_usage.ts";
import { Server } from "../server.ts";
import { Workspace } from "../workspace.ts";

export const USAGE = `deno task bench webhooks [options]

Sends events to subscribers that answer at once, while the server copies a large file over and over, and tells how long after
the last event the last delivery arrived.

  --events N        events, each of a synchronisation (1000)
  --subscribers N   who is told of each (10)
  --temp DIRECTORY  where everything is put (the system's temporary directory)

Exit status: 0 the bound holds, 2 it does not, 1 the bench failed.`;

/** After the last event. */
const BOUND_MS = 10_000;
const AT_ONCE = 8;
const COPIED_BYTES = 512 * 1024 ** 2;

/** Undefined where help was asked for, else whether the bound holds. */
export async function benchWebhooks(args: string[], signal: AbortSignal): Promise<boolean | undefined> {
  const { values } = parse(args);
  if (values.help) return undefined;
  const events = whole("events", values.events, 1, 100_000);
  const subscribers = whole("subscribers", values.subscribers, 1, 100);
  await using workspace = await Workspace.create(
    resolve(values.temp),
    { bytes: 4 * COPIED_BYTES, entries: 10_000 },
    false,
  );
  const small = await workspace.directory("trees/small");
  const large = await workspace.directory("trees/large");
  await Deno.writeFile(`${large}/file`, new Uint8Array(COPIED_BYTES).fill(1));
  await using server = await Server.start({
    dataDir: await workspace.directory("data"),
    roots: [`${workspace.path}/trees`],
    logFile: `${workspace.path}/server.log`,
    env: { SYNCLINE_WEBHOOK_ALLOW: "127.0.0.1" },
    signal,
  });
  const memory = new MemoryPeak(server.pid);

  const wanted = events * subscribers;
  const seen = new Set<string>();
  const all = Promise.withResolvers<number>();
  const receiver = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    await request.text();
    seen.add(`${new URL(request.url).pathname} ${request.headers.get("webhook-id")}`);
    if (seen.size === wanted) all.resolve(performance.now());
    return new Response(null, { status: 204 });
  });
  try {
    const port = (receiver.addr as Deno.NetAddr).port;
    for (let number = 0; number < subscribers; number++) {
      const url = `http://127.0.0.1:${port}/${number}`;
      await server.post("/webhooks/subscribe", { url, events: ["sync.failed"] });
    }
    let isOver = false;
    const copies = (async () => {
      while (!isOver) {
        const targetDirectory = `${workspace.path}/trees/copy`;
        await server.post("/sync/files", { sourceDirectory: large, targetDirectory });
        await Deno.remove(`${targetDirectory}/file`);
      }
    })();
    const startedAt = performance.now();
    let next = 0;
    const lane = async () => {
      while (next < events) {
        const targetDirectory = `${workspace.path}/trees/small-${next++}`;
        await fails(server, { sourceDirectory: `${small}/nowhere`, targetDirectory });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    const lastEventAt = performance.now();
    const lastDeliveryAt = await all.promise;
    isOver = true;
    await copies;
    const lag = Math.max(0, lastDeliveryAt - lastEventAt);
    print(
      `${events} events in ${seconds(lastEventAt - startedAt)}, ${wanted} deliveries; the last arrived ` +
        `${seconds(lag)} after the last event (bound: ${seconds(BOUND_MS)}, ${lag <= BOUND_MS ? "yes" : "NO"})`,
    );
    print(`Server memory, peak: ${Math.round(await memory.overall() / 1024 ** 2)} MiB`);
    return lag <= BOUND_MS;
  } finally {
    await receiver.shutdown();
  }
}

function parse(args: string[]) {
  return readCommandLine(args, {
    events: { type: "string", default: "1000" },
    subscribers: { type: "string", default: "10" },
    temp: { type: "string", default: tmpdir() },
  });
}

/** A run that fails is an event too, and costs the least. */
async function fails(server: Server, body: unknown): Promise<void> {
  try {
    await server.post("/sync/files", body);
  } catch (error) {
    if (error instanceof Error && / answered 500: .*SYNC_FAILED/.test(error.message)) return;
    throw error;
  }
  throw new Error("A synchronisation of what is not there succeeded");
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

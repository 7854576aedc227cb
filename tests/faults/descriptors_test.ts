/** More connections than the process may have open files. */
import assert from "node:assert/strict";
import { poll } from "../harness/poll.ts";
import { type Server, startServer } from "../harness/server.ts";

const MAX_OPEN = 200;
const limited = { wrapper: ["prlimit", `--nofile=${MAX_OPEN}:${MAX_OPEN}`] };

Deno.test("a server that ran out of descriptors serves again once there are some", async () => {
  await using server = await startServer(limited);
  const held: Deno.Conn[] = [];
  await poll("a listener that failed", async () => {
    // Refused while the listener is down.
    const more = await Promise.allSettled(Array.from({ length: 50 }, () => connect(server)));
    for (const outcome of more) if (outcome.status === "fulfilled") held.push(outcome.value);
    return (await server.stderr()).includes("the listener failed");
  });
  for (const connection of held) connection.close();
  await becomesHealthy(server);
});

Deno.test("a worker that finds no descriptors to start with costs its task, and not the process", async () => {
  await using server = await startServer(limited);
  // Its workers start with its first task.
  const request = {
    sourceConnectionString: `sqlite:${server.root}/none.db`,
    targetConnectionString: `sqlite:${server.root}/copy.db`,
    entityNames: ["users"],
    useTransactions: true,
  };
  await becomesHealthy(server);
  const held: Deno.Conn[] = [];
  await poll("few descriptors", async () => {
    const open = (await Array.fromAsync(Deno.readDir(`/proc/${server.pid}/fd`))).length;
    if (open >= MAX_OPEN - 15) return true;
    held.push(await connect(server));
    return false;
  });
  const refused = await server.request("POST", "/sync/database", request);
  assert.equal(refused.status, 500, refused.text);
  assert.match(await server.stderr(), /Cannot start a thread: it needs 32 file descriptors, and \d+ are free/);
  for (const connection of held) connection.close();
  await poll(
    "an answer of a worker",
    async () => (await server.request("POST", "/sync/database", request)).status === 404,
  );
});

function connect(server: Server): Promise<Deno.Conn> {
  const { hostname, port } = new URL(server.url);
  return Deno.connect({ hostname, port: Number(port) });
}

/** Connections that were waiting to be accepted may still take what has come free, so the first answers may say so. */
async function becomesHealthy(server: Server): Promise<void> {
  let latest = "none";
  try {
    await poll("a healthy answer", async () => {
      try {
        const answer = await server.request("GET", "/health");
        latest = `${answer.status} ${answer.text}`;
        return answer.status === 200;
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        latest = error.message;
        return false;
      }
    });
  } catch (error) {
    throw new Error(`The latest answer: ${latest}\n${await server.stderr()}`, { cause: error });
  }
}

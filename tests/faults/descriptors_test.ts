/** More connections than the process may have open files. */
import assert from "node:assert/strict";
import { poll } from "../harness/poll.ts";
import { startServer } from "../harness/server.ts";

Deno.test("a server that ran out of descriptors serves again once there are some", async () => {
  await using server = await startServer({ wrapper: ["prlimit", "--nofile=200:200"] });
  const { hostname, port } = new URL(server.url);
  const held: Deno.Conn[] = [];
  await poll("a listener that failed", async () => {
    // Refused while the listener is down.
    const more = Array.from({ length: 50 }, () => Deno.connect({ hostname, port: Number(port) }));
    for (const outcome of await Promise.allSettled(more)) if (outcome.status === "fulfilled") held.push(outcome.value);
    return (await server.stderr()).includes("the listener failed") ? true : undefined;
  });
  for (const connection of held) connection.close();
  const status = await poll("an answer", async () => {
    try {
      return (await server.request("GET", "/health")).status;
    } catch (error) {
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  });
  assert.equal(status, 200);
});

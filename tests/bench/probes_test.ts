import assert from "node:assert/strict";
import { HealthProbe } from "./health.ts";
import { requestRate } from "./requests.ts";

function serve(handler: () => Response | Promise<Response>) {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
}

Deno.test("HealthProbe sees a stall in every request that fell into it, not in one", async () => {
  let stall: Promise<void> | undefined;
  let asked = 0;
  await using server = serve(async () => {
    asked++;
    await stall;
    return Response.json({ status: "healthy" });
  });
  const { port } = server.addr;
  await using probe = await HealthProbe.start({ port, path: "/", token: "secret", requestsPerSecond: 200 });
  const { samples } = await probe.during(async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    stall = promise;
    await until(() => asked >= 30);
    const stalledFrom = performance.now();
    await until(() => performance.now() > stalledFrom + 50);
    resolve();
    stall = undefined;
    const then = asked;
    await until(() => asked >= then + 20);
  });
  assert.equal(samples.statuses[200], samples.latenciesMs.length);
  const slow = samples.latenciesMs.filter((latency) => latency >= 50);
  assert.ok(slow.length >= 20, `${slow.length} slow of ${samples.latenciesMs.length}`);
});

Deno.test("HealthProbe fails where an answer is not 200", async () => {
  let asked = 0;
  await using server = serve(() => new Response("no", { status: asked++ > 10 ? 503 : 200 }));
  const { port } = server.addr;
  await using probe = await HealthProbe.start({ port, path: "/", token: "secret", requestsPerSecond: 200 });
  await assert.rejects(probe.during(() => until(() => asked > 20)), /503/);
});

Deno.test("requestRate counts what the server answered, and refuses failures", async () => {
  let answered = 0;
  let status = 200;
  await using server = serve(() => {
    answered++;
    return new Response("ok", { status });
  });
  const load = { connections: 4, warmUpMs: 50, measureMs: 200 };
  const endpoint = { pid: Deno.pid, port: server.addr.port, path: "/", token: "secret" };
  const rate = await requestRate(endpoint, load);
  assert.ok(rate.perSecond > 0 && rate.perSecond * 0.2 <= answered, `${rate.perSecond} and ${answered}`);
  status = 429;
  await assert.rejects(requestRate(endpoint, load), /429/);
});

/** Resolves once the condition holds, looked at every few milliseconds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** What survives a restart, a shutdown in the middle of a run, and a kill. */
import assert from "node:assert/strict";
import { assertSameTree } from "../harness/compare.ts";
import { shell } from "../harness/command.ts";
import { createKey } from "../harness/keys.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { type Server, startServer } from "../harness/server.ts";
import { filesIn, fillSource, sessionStatus, startSync } from "../harness/sessions.ts";
import { assertError, makePair, type Pair, sync } from "../harness/sync.ts";

const TOKEN = "token-of-the-restart-suite";
const ENDS: [string, (server: Server) => Promise<void>][] = [
  ["SIGTERM", (server) => server.stop()],
  ["SIGKILL", (server) => server.kill()],
];

for (const [name, end] of ENDS) {
  Deno.test(`keys, sessions with results, and metrics survive ${name}`, async () => {
    await using sandbox = await makeSandbox();
    await using first = await startServer({ sandbox, token: TOKEN });
    const pair = await makePair(first);
    await fillSource(pair.source, 4);
    await sync(first, pair);
    const key = await createKey(first, ["read"], "survivor");
    const started = await first.request("POST", "/sync/session/start", {
      sourceLocation: "A",
      targetLocation: "B",
      syncType: "Full",
    });
    const sessions = (await first.request("GET", "/sync/session")).body.sessions;
    const run = await sessionStatus(first, sessions[1].sessionId);
    assert.equal(run.result.changesApplied, 4);
    const metrics = (await first.request("GET", "/metrics")).body;
    await end(first);

    await using second = await startServer({ sandbox, token: TOKEN });
    assert.equal((await second.request("GET", "/health", undefined, { token: key.token })).status, 200);
    assert.deepEqual(await sessionStatus(second, run.sessionId), run);
    assert.deepEqual((await second.request("GET", "/metrics")).body, metrics);
    const manual = await sessionStatus(second, started.body.sessionId);
    assert.ok(["pending", "in-progress"].includes(manual.status), "a session by hand stays open");
    assert.equal((await second.request("POST", `/sync/session/${manual.sessionId}/complete`)).status, 200);
  });

  Deno.test(`a run that ${name} cuts off is interrupted after the restart, and a rerun completes it`, async () => {
    await using sandbox = await makeSandbox();
    await using first = await startServer({ sandbox, token: TOKEN });
    const pair: Pair = await makePair(first);
    await fillSource(pair.source, 200);
    const sessionId = await startSync(first, pair, { bandwidthLimit: 1_000_000 });
    await filesIn(pair.target, 3);
    await end(first);

    await using second = await startServer({ sandbox, token: TOKEN });
    const session = await sessionStatus(second, sessionId);
    assert.equal(session.status, "interrupted");
    assert.ok(session.progressPercentage < 100);
    assert.notEqual(session.message, "");
    await sync(second, pair);
    await assertSameTree(pair.source, pair.target);
    assertError(await second.request("DELETE", `/sync/session/${sessionId}`), 409, "CONFLICT");
  });
}

Deno.test("a shutdown in the middle of a run leaves only whole files", async () => {
  await using server = await startServer();
  const pair = await makePair(server);
  await fillSource(pair.source, 200);
  await startSync(server, pair, { bandwidthLimit: 1_000_000 });
  await filesIn(pair.target, 3);
  await server.stop();
  for await (const { name } of Deno.readDir(pair.target)) {
    assert.match(name, /^file-\d+$/, "a temporary file was left");
    assert.equal((await Deno.stat(`${pair.target}/${name}`)).size, 50_000);
  }
});

Deno.test("a key that is deleted stays deleted over a kill", async () => {
  await using sandbox = await makeSandbox();
  await using first = await startServer({ sandbox, token: TOKEN });
  const key = await createKey(first, ["read"]);
  await first.request("DELETE", `/keys/${key.id}`);
  await first.kill();
  await using second = await startServer({ sandbox, token: TOKEN });
  assertError(await second.request("GET", "/health", undefined, { token: key.token }), 401, "UNAUTHORIZED");
});

Deno.test("a token of SYNCLINE_TOKEN that is replaced stops working", async () => {
  await using sandbox = await makeSandbox();
  await using first = await startServer({ sandbox, token: "the-old-admin-token" });
  assert.equal((await first.request("GET", "/health")).status, 200);
  await first.stop();
  await using second = await startServer({ sandbox, token: "the-new-admin-token" });
  assert.equal((await second.request("GET", "/health")).status, 200);
  assertError(await second.request("GET", "/health", undefined, { token: "the-old-admin-token" }), 401, "UNAUTHORIZED");
});

Deno.test("a run that is killed leaves nothing behind in the data directory once its rerun is over", async () => {
  await using sandbox = await makeSandbox();
  await using first = await startServer({ sandbox, token: TOKEN });
  const pair = await makePair(first);
  await fillSource(pair.source, 1);
  await sync(first, pair);
  // SQLite's own companions of a database are there for as long as a thread has it open.
  const find = "find . -type f ! -name '*-wal' ! -name '*-shm' -printf '%P\\n' | sort";
  const names = () => shell(find, [], { cwd: sandbox.dataDir });
  const before = await names();
  await fillSource(pair.source, 100);
  await startSync(first, pair, { bandwidthLimit: 500_000 });
  await filesIn(pair.target, 3);
  await first.kill();
  await using second = await startServer({ sandbox, token: TOKEN });
  await sync(second, pair);
  assert.equal(await names(), before);
});

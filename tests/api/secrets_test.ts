/** Secrets stay where they belong: not in the log, not in an answer, not in the state. */
import assert from "node:assert/strict";
import { shell } from "../harness/command.ts";
import { createKey } from "../harness/keys.ts";
import { startServer } from "../harness/server.ts";
import { makePair, postSync, sync } from "../harness/sync.ts";

Deno.test("no token is ever logged or stored, at the most talkative level", async () => {
  await using server = await startServer({ env: { SYNCLINE_LOG_LEVEL: "debug" } });
  const key = await createKey(server, ["read", "sync"]);
  const guessed = `guess-${crypto.randomUUID()}`;
  const inQuery = `query-${crypto.randomUUID()}`;
  const pair = await makePair(server);
  await sync(server, pair);
  await postSync(server, { ...pair, source: "relative" }, {}, { token: key.token });
  await server.request("GET", "/health", undefined, { token: guessed });
  await server.request("GET", `/nowhere?token=${inQuery}&access_token=${inQuery}`, undefined, { token: key.token });
  await server.request("POST", "/keys", undefined, {
    rawBody: `{"name": "${key.token}"`,
    headers: { "content-type": "application/json" },
  });
  await server.request("DELETE", `/keys/${key.id}`);
  await server.stop();
  const logged = await server.stderr() + await server.stdout();
  assert.ok(logged.includes("/sync/files"), "the log shows requests at all");
  for (const secret of [server.token, key.token, guessed, inQuery]) {
    assert.ok(!logged.includes(secret), `a secret is in the log: ${secret}`);
    const found = await shell('grep -rlF -e "$1" . || test $? = 1', [secret], { cwd: server.dataDir });
    assert.equal(found, "", "a secret is in the state");
  }
});

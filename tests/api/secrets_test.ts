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

Deno.test("no password of a database is logged, stored or shown, whatever goes wrong", async () => {
  await using server = await startServer({ env: { SYNCLINE_LOG_LEVEL: "debug" } });
  const secret = `secret-${crypto.randomUUID()}`;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const strings = [
    `postgres://user:${secret}@127.0.0.1:${port}/d?connect_timeout=1`,
    `mysql://user:${secret}@127.0.0.1:${port}/d?connect_timeout=1`,
    `Server=127.0.0.1;Port=${port};Database=d;User Id=u;Password='${secret}';Timeout=1`,
    `Server=127.0.0.1;Database=d;Password=x;${secret}=1`,
    `postgres://user:a/${secret}@h/d`,
    `mongodb://user:${secret}@h/d`,
    `Provider=sqlite;Data Source=${server.root}/x.db;Password=${secret}`,
  ];
  for (const text of strings) {
    for (const [path, options] of [["", {}], ["", { prefer: "respond-async" }], ["/diff", {}]] as const) {
      for (const side of ["source", "target"]) {
        const body = {
          sourceConnectionString: `sqlite:${server.root}/none.db`,
          targetConnectionString: `sqlite:${server.root}/none.db`,
          [`${side}ConnectionString`]: text,
          entityNames: ["Users"],
          createMissingTables: true,
        };
        const answer = await server.request("POST", `/sync/database${path}`, body, { headers: options });
        assert.ok(answer.status >= 202 && !answer.text.includes(secret), answer.text);
      }
    }
  }
  const sessions = await server.request("GET", "/sync/session?limit=200");
  assert.ok(sessions.body.sessions.length > 0 && !sessions.text.includes(secret));
  await server.stop();
  const logged = await server.stderr() + await server.stdout();
  assert.ok(logged.includes("/sync/database") && !logged.includes(secret), "a password is in the log");
  const found = await shell('grep -rlF -e "$1" . || test $? = 1', [secret], { cwd: server.dataDir });
  assert.equal(found, "", "a password is in the state");
});

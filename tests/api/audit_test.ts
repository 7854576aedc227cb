/** The audit log over HTTP. */
import assert from "node:assert/strict";
import { startServer } from "../harness/server.ts";

Deno.test("what changes something is in the audit log with who did it; what only asks is not", async () => {
  await using server = await startServer();
  await Deno.mkdir(`${server.root}/source`);
  const key = (await server.request("POST", "/keys", { name: "nightly", scopes: ["sync"] })).body;
  const options = { token: key.token, headers: { "x-request-id": "nightly-7" } };
  const pair = { sourceDirectory: `${server.root}/source`, targetDirectory: `${server.root}/target` };
  const { sessionId } = (await server.request("POST", "/sync/files", pair, options)).body;
  await server.request("DELETE", `/keys/${key.id}`, undefined, options);
  await server.request("GET", "/health");
  await server.request("GET", "/sync/session");
  const gone = `backupPath=${server.root}/none&pointInTime=2024-01-15T10:30:00Z&restorePath=${server.root}/back`;
  await server.request("GET", `/backup/restore-point-in-time?${gone}`);

  const { status, body } = await server.request("GET", "/audit");
  assert.equal(status, 200);
  // deno-lint-ignore no-explicit-any -- an answer's shape is what the test is there to find out
  const brief = (entry: any) => [entry.keyName, entry.method, entry.path, entry.status];
  assert.deepEqual(body.entries.map(brief), [
    ["SYNCLINE_TOKEN", "GET", "/api/v1/backup/restore-point-in-time", 404],
    ["nightly", "DELETE", `/api/v1/keys/${key.id}`, 403],
    ["nightly", "POST", "/api/v1/sync/files", 200],
    ["SYNCLINE_TOKEN", "POST", "/api/v1/keys", 201],
  ]);
  const [, , synced] = body.entries;
  assert.deepEqual([synced.sessionId, synced.requestId, synced.address, synced.keyId], [
    sessionId,
    "nightly-7",
    "127.0.0.1",
    key.id,
  ]);
  assert.ok(!JSON.stringify(body).includes(key.token));

  const first = (await server.request("GET", "/audit?limit=3")).body;
  const second = (await server.request("GET", `/audit?limit=3&cursor=${first.nextCursor}`)).body;
  assert.deepEqual([...first.entries, ...second.entries], body.entries);
  assert.equal(second.nextCursor, null);
  const own = (await server.request("GET", `/audit?keyId=${key.id}`)).body;
  assert.deepEqual(own.entries.map(brief), body.entries.slice(1, 3).map(brief));
  assert.equal((await server.request("GET", "/audit", undefined, { token: key.token })).status, 403);
  assert.equal((await server.request("GET", "/audit?limit=0")).status, 400);
});

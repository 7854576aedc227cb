/** Pages of a diff over HTTP: values that hold line ends of every kind, and a diff that goes on as a session. */
import assert from "node:assert/strict";
import { sqliteDatabase } from "../harness/database_engines.ts";
import { postDatabases } from "../harness/database_sync.ts";
import type { Json } from "../harness/server.ts";
import { sessionEnd } from "../harness/sessions.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError } from "../harness/sync.ts";

const server = sharedServer();
const PATH = "/sync/database/diff";
const VALUES = ["a\nb", "a\r\nb", "a\rb", "a\u2028b", "a\u2029b", "a\u0085b", 'a"b', "ü😀", "x".repeat(300_000)];
const TABLE = "create table items (id integer primary key, x text) strict";

/** A pair whose source has rows with these values and whose target is empty. */
async function pair() {
  const source = await sqliteDatabase(server().root);
  const target = await sqliteDatabase(server().root);
  const rows = VALUES.map((value, i) => `(${i + 1}, '${value}')`);
  await source.run(TABLE, `insert into items values ${rows.join(", ")}`);
  await target.run(TABLE);
  return [source, target] as [typeof source, typeof target];
}

function parse(text: string): Json[] {
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("values with line ends of every kind come whole, in pages of any size", async () => {
  const both = await pair();
  for (const limit of [1, 2, 5, 100]) {
    const found: Json[] = [];
    let cursor: string | undefined;
    do {
      const answer = await postDatabases(server(), both, { entityNames: ["items"], limit, cursor }, { path: PATH });
      assert.equal(answer.status, 200, answer.text);
      const lines = parse(answer.text);
      const last = lines.pop();
      assert.deepEqual(Object.keys(last), ["summary", "totalCount", "nextCursor"]);
      found.push(...lines);
      cursor = last.nextCursor ?? undefined;
    } while (cursor !== undefined);
    assert.deepEqual(found.map(({ columns }) => columns.x.source), VALUES);
  }
});

Deno.test("with respond-async the answer is the session, whose result leads to the first page", async () => {
  const both = await pair();
  const fields = { entityNames: ["items"], limit: 5 };
  const started = await postDatabases(server(), both, fields, { path: PATH, headers: { prefer: "respond-async" } });
  assert.equal(started.status, 202, started.text);
  const { sessionId } = started.body;
  assert.equal(started.headers.get("preference-applied"), "respond-async");
  assert.equal(started.headers.get("location"), `/api/v1/sync/session/${sessionId}/status`);
  const { status, result } = await sessionEnd(server(), sessionId);
  assert.deepEqual([status, result.totalCount, result.summary.changesApplied], ["completed", 9, 9]);
  const found: Json[] = [];
  for (let cursor = result.nextCursor; cursor !== null;) {
    const lines = parse((await postDatabases(server(), both, { ...fields, cursor }, { path: PATH })).text);
    cursor = lines.pop().nextCursor;
    found.push(...lines);
  }
  assert.deepEqual(found.map(({ columns }) => columns.x.source), VALUES);

  const wrong = await postDatabases(server(), both, { entityNames: ["nothing"] }, {
    path: PATH,
    headers: { prefer: "respond-async" },
  });
  assert.equal(wrong.status, 202, wrong.text);
  assert.equal((await sessionEnd(server(), wrong.body.sessionId)).status, "failed");
  const direct = await postDatabases(server(), both, { entityNames: ["nothing"] }, { path: PATH });
  assertError(direct, 404, "NOT_FOUND");
});

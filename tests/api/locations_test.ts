/** Locations, and sessions between them, over HTTP. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { assertSameTree } from "../harness/compare.ts";
import { poll } from "../harness/poll.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { type Server, startServer } from "../harness/server.ts";

async function registerPair(server: Server): Promise<void> {
  await Deno.mkdir(`${server.root}/one`, { recursive: true });
  for (const [name, directory] of [["System1", "one"], ["System2", "two"]]) {
    const answer = await server.request("POST", "/locations", { name, directory: `${server.root}/${directory}` });
    assert.equal(answer.status, 201, answer.text);
  }
}

const START = { sourceLocation: "System1", targetLocation: "System2", syncType: "Full" };

function ended(server: Server, sessionId: string) {
  return poll("the session's end", async () => {
    const { body } = await server.request("GET", `/sync/session/${sessionId}/status`);
    return body.completedAt !== null && body;
  });
}

Deno.test("a session between registered locations synchronises them and completes by itself", async () => {
  await using server = await startServer();
  await registerPair(server);
  await Deno.writeTextFile(`${server.root}/one/file`, "hello");
  await Deno.writeTextFile(`${server.root}/one/left.tmp`, "no");
  const started = await server.request("POST", "/sync/session/start", {
    ...START,
    files: { excludePatterns: ["*.tmp"] },
  });
  assert.deepEqual([started.status, started.body.sourceIdentifier, started.body.targetIdentifier], [
    200,
    "System1",
    "System2",
  ]);
  const { sessionId } = started.body;
  const session = await ended(server, sessionId);
  assert.deepEqual([session.status, session.progressPercentage, session.kind, session.syncType, session.message], [
    "completed",
    100,
    "sync.locations",
    "Full",
    "Completed",
  ]);
  assert.deepEqual([session.result.success, session.result.operations, session.result.changesApplied], [true, 1, 1]);
  await assertSameTree(`${server.root}/one`, `${server.root}/two`, { ignore: (path) => path === "left.tmp" });
  const completed = await server.request("POST", `/sync/session/${sessionId}/complete`);
  assert.deepEqual([completed.status, completed.body], [200, session]);
});

Deno.test("what fails within such a session fails it, and its settings are checked", async () => {
  await using server = await startServer();
  await registerPair(server);
  await Deno.remove(`${server.root}/one`);
  const { body: { sessionId } } = await server.request("POST", "/sync/session/start", START);
  const session = await ended(server, sessionId);
  assert.deepEqual([session.status, session.error.errorCode, session.result.failedOperations], [
    "failed",
    "SYNC_FAILED",
    1,
  ]);

  const wrong = await server.request("POST", "/sync/session/start", { ...START, files: { bogus: 1 } });
  const refused = await ended(server, wrong.body.sessionId);
  assert.deepEqual([refused.status, refused.error.errorCode], ["failed", "INVALID_REQUEST"]);
  assert.match(refused.error.details, /"bogus" is not a field here/);

  for (
    const [syncType, words] of [["Partial", /must be one of Full, Incremental/], ["Database", /both have a database/]]
  ) {
    const answer = await server.request("POST", "/sync/session/start", { ...START, syncType });
    assert.deepEqual([answer.status, answer.body.errorCode], [400, "INVALID_REQUEST"]);
    assert.match(answer.body.details, words as RegExp);
  }
  // Names that nobody has registered keep the session that is completed by hand.
  const manual = await server.request("POST", "/sync/session/start", { ...START, targetLocation: "System3" });
  assert.equal((await server.request("GET", `/sync/session/${manual.body.sessionId}/status`)).body.kind, "manual");
});

Deno.test("such a session is cancelled with its operations, and interrupted by a kill", async () => {
  await using sandbox = await makeSandbox();
  const slow = { ...START, syncType: "Files", files: { bandwidthLimit: 1 << 20 } };
  const begin = async (server: Server) => {
    const { body: { sessionId } } = await server.request("POST", "/sync/session/start", slow);
    await poll("its operation", async () => {
      const { body } = await server.request("GET", `/sync/session/${sessionId}/status`);
      return body.progress.runningOperations === 1;
    });
    return sessionId;
  };
  const server = await startServer({ sandbox });
  let killed = "";
  try {
    await registerPair(server);
    await Deno.writeFile(`${server.root}/one/large`, new Uint8Array(16 << 20));
    const sessionId = await begin(server);
    const early = await server.request("POST", `/sync/session/${sessionId}/complete`);
    assert.deepEqual([early.status, early.body.errorCode], [409, "CONFLICT"]);
    const cancelled = await server.request("DELETE", `/sync/session/${sessionId}`);
    assert.equal(cancelled.status, 200);
    assert.equal((await ended(server, sessionId)).status, "cancelled");
    killed = await begin(server);
  } finally {
    await server.kill();
  }
  await using again = await startServer({ sandbox });
  const session = (await again.request("GET", `/sync/session/${killed}/status`)).body;
  assert.deepEqual([session.status, session.result.failedOperations], ["interrupted", 1]);
});

Deno.test("locations are listed without passwords and deleted; what makes none is refused", async () => {
  await using server = await startServer();
  const database = { connectionString: "postgres://user:hunter2@db.example:5433/shop", entityNames: ["Users"] };
  const made = await server.request("POST", "/locations", { name: "shop", database });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(made.body.database.entityNames, ["Users"]);
  const listed = await server.request("GET", "/locations");
  assert.deepEqual(listed.body, { locations: [made.body], totalCount: 1 });
  assert.ok(listed.text.includes("db.example") && !listed.text.includes("hunter2"));

  const refused: [object, number][] = [
    [{ name: "shop", directory: `${server.root}/a` }, 409],
    [{ name: "x" }, 400],
    [{ name: "x", directory: "relative" }, 400],
    [{ name: "x", directory: "/etc" }, 403],
    [{ name: "x", database: { connectionString: "oracle://a:hunter2@b/c", entityNames: ["T"] } }, 400],
    [{ name: "x", database: { ...database, entityNames: [] } }, 400],
  ];
  for (const [body, status] of refused) {
    const answer = await server.request("POST", "/locations", body);
    assert.equal(answer.status, status, answer.text);
    assert.ok(!answer.text.includes("hunter2"));
  }
  assert.equal((await server.request("DELETE", "/locations/shop")).status, 204);
  assert.equal((await server.request("DELETE", "/locations/shop")).status, 404);
  assert.ok(!(await server.stderr()).includes("hunter2"));
});

Deno.test("a session between locations with databases synchronises those too", async () => {
  await using server = await startServer();
  const files = ["one", "two"].map((name) => `${server.root}/${name}.db`);
  for (const [index, file] of files.entries()) {
    using database = new DatabaseSync(file);
    database.exec("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)");
    if (index === 0) database.exec("INSERT INTO users VALUES (1, 'Ada'), (2, 'Grace')");
    await Deno.mkdir(`${server.root}/files${index}`);
    const body = {
      name: `System${index + 1}`,
      directory: `${server.root}/files${index}`,
      database: { connectionString: `sqlite:${file}`, entityNames: ["users"] },
    };
    assert.equal((await server.request("POST", "/locations", body)).status, 201);
  }
  await Deno.writeTextFile(`${server.root}/files0/file`, "hello");
  const { body: { sessionId } } = await server.request("POST", "/sync/session/start", START);
  const session = await ended(server, sessionId);
  assert.deepEqual([session.status, session.error, session.result.operations, session.result.changesApplied], [
    "completed",
    null,
    2,
    3,
  ]);
  using database = new DatabaseSync(files[1], { readOnly: true });
  assert.deepEqual(database.prepare("SELECT name FROM users ORDER BY id").all().map(({ name }) => name), [
    "Ada",
    "Grace",
  ]);
  assert.equal(await Deno.readTextFile(`${server.root}/files1/file`), "hello");
});

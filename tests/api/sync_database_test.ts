/**
 * The database synchronisation over HTTP: SQLite files and a PostgreSQL. Over 350 lines, because all share a PostgreSQL that takes
 * seconds to start. Sessions between locations are in locations_test.ts.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { createKey } from "../harness/keys.ts";
import { poll } from "../harness/poll.ts";
import { sharedPostgres } from "../harness/postgres.ts";
import type { Answer, Json, Server } from "../harness/server.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError, TIMESTAMP } from "../harness/sync.ts";

const server = sharedServer();
const postgres = sharedPostgres();

let files = 0;

/** A SQLite file under the server's root, with a connection of the test's. */
class File implements Disposable {
  readonly path = `${server().root}/database-${++files}.db`;
  readonly url = `sqlite:${this.path}`;
  readonly database = new DatabaseSync(this.path, { timeout: 5000 });

  constructor(sql = "", journal = "WAL") {
    this.database.exec(`PRAGMA journal_mode = ${journal}; ${sql}`);
  }

  all(sql: string): unknown[] {
    return this.database.prepare(sql).all().map((row) => Object.values(row));
  }

  [Symbol.dispose](): void {
    this.database.close();
  }
}

const USERS = "CREATE TABLE Users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, amount DECIMAL TEXT(20, 4));";
const SOME =
  `${USERS} INSERT INTO Users VALUES (1, 'one', '1.5'), (2, 'größe', NULL), (9223372036854775807, '', '-3');`;

function post(fields: Json, path = "/sync/database", on: Server = server(), token?: string): Promise<Answer> {
  return on.request("POST", path, { entityNames: ["Users"], useTransactions: true, ...fields }, {
    token: token ?? on.token,
  });
}

/** Between two databases; must end with 200. */
async function sync(source: string, target: string, fields: Json = {}): Promise<Json> {
  const answer = await post({ sourceConnectionString: source, targetConnectionString: target, ...fields });
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

/** Every line of a page. */
function lines(answer: Answer): Json[] {
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.headers.get("content-type") ?? "", /^application\/x-ndjson/);
  return answer.text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("the reference's request synchronises, and its answer has the reference's fields", async () => {
  using source = new File(SOME);
  using target = new File(`${USERS} INSERT INTO Users VALUES (1, 'old', '1'), (7, 'gone', NULL)`);
  const body = await sync(source.url, `Provider=sqlite;Data Source=${target.path};`);
  assert.deepEqual([body.success, body.changesApplied, body.conflictsEncountered, body.errors], [true, 4, 0, []]);
  assert.match(body.syncedAt, TIMESTAMP);
  assert.ok(body.executionTimeMs >= 0 && body.sessionId.startsWith("session-"));
  const [entity] = body.entities;
  assert.deepEqual([entity.entity, entity.inserted, entity.updated, entity.deleted, entity.overwritten], [
    "Users",
    2,
    1,
    1,
    2,
  ]);
  assert.deepEqual(
    target.all("SELECT id || name || ifnull(amount, '-') FROM Users"),
    source.all("SELECT id || name || ifnull(amount, '-') FROM Users"),
  );

  const { body: session } = await server().request("GET", `/sync/session/${body.sessionId}/status`);
  assert.deepEqual([session.kind, session.status, session.sourceIdentifier, session.targetIdentifier], [
    "sync.database",
    "completed",
    source.url,
    target.url,
  ]);
  assert.equal((await sync(source.url, target.url)).changesApplied, 0);
});

Deno.test("what a dry run and a diff show is what a synchronisation does, and neither writes", async () => {
  using source = new File(SOME);
  using target = new File(`${USERS} INSERT INTO Users VALUES (1, 'old', '1.50'), (7, 'gone', NULL)`);
  const before = target.all("SELECT * FROM Users WHERE id < 10");
  const strings = { sourceConnectionString: source.url, targetConnectionString: target.url };
  const planned = await sync(source.url, target.url, { dryRun: true });
  assert.deepEqual([planned.dryRun, planned.changesApplied], [true, 4]);

  const all = lines(await post({ ...strings, useTransactions: undefined }, "/sync/database/diff"));
  const last = all.pop();
  assert.deepEqual([last.totalCount, last.nextCursor, last.summary.changesApplied], [4, null, 4]);
  const byKey = new Map(all.map((line) => [line.key.id, line]));
  assert.deepEqual(byKey.get("1"), {
    entity: "Users",
    side: "target",
    change: "update",
    key: { id: "1" },
    columns: byKey.get("1").columns,
  });
  assert.equal(byKey.get("7").change, "delete");
  assert.equal(byKey.get("9223372036854775807").change, "insert");

  const found: Json[] = [];
  let cursor: string | undefined;
  do {
    const page = lines(await post({ ...strings, useTransactions: undefined, limit: 3, cursor }, "/sync/database/diff"));
    cursor = page.pop().nextCursor ?? undefined;
    found.push(...page);
  } while (cursor !== undefined);
  assert.deepEqual(found, all);
  assert.deepEqual(target.all("SELECT * FROM Users WHERE id < 10"), before);

  const wrong = { ...strings, useTransactions: undefined, cursor: `${"0".repeat(32)}-0` };
  assertError(await post(wrong, "/sync/database/diff"), 404, "NOT_FOUND");
  assertError(await post({ ...wrong, cursor: "nonsense" }, "/sync/database/diff"), 400, "INVALID_REQUEST");
});

Deno.test("PostgreSQL and SQLite in both directions, exactly", async () => {
  const name = await postgres().createDatabase();
  const url = postgres().url(name);
  await postgres().run(
    name,
    `create table "Users" (id bigint primary key, name text not null, amount numeric(20, 4), at timestamptz, raw bytea,
       tags text[], doc jsonb, flag boolean, ratio double precision, uid uuid);
     insert into "Users" values
       (1, 'one', 1.5, '2024-01-15 10:30:00.123456+02', '\\x00ff', '{a,"b c"}', '{"b":1.10,"a":null}', true, 0.1,
        '550e8400-e29b-41d4-a716-446655440000'),
       (9223372036854775807, 'größe', null, '0044-03-15 10:00:00+00 BC', '', null, null, false, 'NaN', null)`,
  );
  using file = new File();
  const made = await sync(url, file.url, { createMissingTables: true });
  assert.deepEqual(
    [made.success, made.changesApplied, made.entities[0].created],
    [true, 2, true],
    JSON.stringify(made),
  );
  assert.deepEqual(file.all("SELECT id || '', typeof(amount), amount, at FROM Users WHERE id = 1"), [
    ["1", "text", "1.5", "2024-01-15 08:30:00.123456"],
  ]);
  assert.equal((await sync(url, file.url)).changesApplied, 0);
  const back = await sync(file.url, url);
  assert.deepEqual([back.changesApplied, back.errors], [0, []], JSON.stringify(back.entities));

  file.database.exec(
    "UPDATE Users SET amount = '12345678901.0001', raw = x'01' WHERE id = 1; DELETE FROM Users WHERE id > 1",
  );
  const changed = await sync(file.url, url);
  assert.deepEqual([changed.success, changed.changesApplied], [true, 2]);
  assert.deepEqual(await postgres().run(name, 'select id, amount, raw, doc from "Users"'), [
    ["1", "12345678901.0001", "\\x01", '{"a": null, "b": 1.10}'],
  ]);
});

Deno.test("a missing SQLite target is made with its tables, and only then", async () => {
  using source = new File(SOME);
  const path = `${server().root}/made.db`;
  const strings = { sourceConnectionString: source.url, targetConnectionString: `sqlite:${path}` };
  assertError(await post(strings), 404, "NOT_FOUND");
  const planned = await post({ ...strings, createMissingTables: true, dryRun: true });
  assert.deepEqual([planned.status, planned.body.changesApplied], [200, 3], planned.text);
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  const made = await post({ ...strings, createMissingTables: true });
  assert.deepEqual([made.status, made.body.changesApplied], [200, 3], made.text);
  using check = new DatabaseSync(path);
  assert.equal(Object.values(check.prepare("SELECT count(*) FROM Users").get() ?? {})[0], 3);
});

Deno.test("columns that the source computes are left out of a table that is made, and noted", async () => {
  using source = new File(
    "CREATE TABLE Users (id INTEGER PRIMARY KEY, n INTEGER, twice AS (n * 2)); INSERT INTO Users VALUES (1, 5)",
  );
  const name = await postgres().createDatabase();
  const made = await sync(source.url, postgres().url(name), { createMissingTables: true });
  assert.deepEqual([made.success, made.changesApplied], [true, 1], JSON.stringify(made));
  assert.ok(made.entities[0].notes.some((note: string) => note.includes("twice")), JSON.stringify(made.entities));
  using target = new File();
  assert.equal((await sync(source.url, target.url, { createMissingTables: true })).changesApplied, 1);
  assert.equal((await sync(source.url, target.url)).changesApplied, 0);
});

Deno.test("requests that cannot be carried out are refused with what is wrong", async () => {
  using source = new File(SOME);
  using target = new File(USERS);
  const good = { sourceConnectionString: source.url, targetConnectionString: target.url };
  const cases: [Json, RegExp][] = [
    [{ sourceConnectionString: "mongodb://h/d" }, /sourceConnectionString: mongodb is not supported/],
    [{ targetConnectionString: "Provider=oracle;Server=x;Database=y" }, /targetConnectionString: .*PostgreSQL/],
    [{ targetConnectionString: "Server=x" }, /no database/],
    [{ sourceConnectionString: "" }, /sourceConnectionString/],
    [{ sourceConnectionString: "sqlite:relative.db" }, /must be absolute/],
    [{ entityNames: [] }, /entityNames/],
    [{ entityNames: ["Users", "Users"] }, /twice/],
    [{ entityNames: "Users" }, /entityNames/],
    [{ useTransactions: "yes" }, /useTransactions/],
    [{ conflictStrategy: "Newest" }, /conflictStrategy/],
    [{ conflictStrategy: "LastWriteWins" }, /conflictColumn.*needed/],
    [{ conflictStrategy: "LastWriteWins", conflictColumn: "nope" }, /nope/],
    [{ filters: { Others: "1" } }, /filters.*Others/],
    [{ columns: { Others: ["id"] } }, /columns.*Others/],
    [{ columns: { Users: ["id", "nope"] } }, /nope/],
    [{ batchSize: 0 }, /batchSize/],
    [{ unknown: 1 }, /unknown/],
    [{ sourceConnectionString: target.url }, /same table/],
  ];
  for (const [fields, words] of cases) {
    const { details } = assertError(await post({ ...good, ...fields }), 400, "INVALID_REQUEST");
    assert.match(details, words, JSON.stringify(fields));
  }
  source.database.exec(
    "ALTER TABLE Users ADD COLUMN a; ALTER TABLE Users ADD COLUMN b INT; CREATE VIEW seen AS SELECT 1 AS id",
  );
  target.database.exec("ALTER TABLE Users ADD COLUMN c; CREATE VIEW seen AS SELECT 1 AS id");
  const { details } = assertError(await post(good), 400, "INVALID_REQUEST");
  for (const column of ['"a"', '"b"', '"c"']) assert.ok(details.includes(column), details);
  assert.match(assertError(await post({ ...good, entityNames: ["seen"] }), 400, "INVALID_REQUEST").details, /view/);
  const missing = assertError(await post({ ...good, entityNames: ["Nope"] }), 404, "NOT_FOUND");
  assert.match(missing.details, /Nope/);
});

Deno.test("paths outside the roots, the data directory and missing rights are FORBIDDEN", async () => {
  using source = new File(SOME);
  using target = new File(USERS);
  const good = { sourceConnectionString: source.url, targetConnectionString: target.url };
  for (const field of ["sourceConnectionString", "targetConnectionString"]) {
    const outside = assertError(await post({ ...good, [field]: `sqlite:${server().outside}/x.db` }), 403, "FORBIDDEN");
    assert.match(outside.details, /SYNCLINE_ROOTS/);
    assertError(await post({ ...good, [field]: `sqlite:${server().dataDir}/state.db` }), 403, "FORBIDDEN");
    assertError(await post({ ...good, [field]: `sqlite:${server().root}/../outside/x.db` }), 403, "FORBIDDEN");
    const certificate = "postgres://h/d?sslmode=verify-ca&sslrootcert=/etc/passwd";
    assertError(await post({ ...good, [field]: certificate }), 403, "FORBIDDEN");
  }
  await Deno.symlink(`${server().outside}/linked.db`, `${server().root}/link.db`);
  assertError(await post({ ...good, targetConnectionString: `sqlite:${server().root}/link.db` }), 403, "FORBIDDEN");

  const reader = await createKey(server(), ["read", "backup", "cloud", "merge"]);
  assertError(await post(good, "/sync/database", server(), reader.token), 403, "FORBIDDEN");
  assertError(
    await post({ ...good, useTransactions: undefined }, "/sync/database/diff", server(), reader.token),
    403,
    "FORBIDDEN",
  );
  const syncer = await createKey(server(), ["sync"]);
  const filtered = { ...good, filters: { Users: "id < 2" } };
  const refused = assertError(await post(filtered, "/sync/database", server(), syncer.token), 403, "FORBIDDEN");
  assert.match(refused.details, /filters.*admin/);
  assert.equal((await post(good, "/sync/database", server(), syncer.token)).status, 200);
  const allowed = await post({ ...filtered, targetConnectionString: target.url });
  assert.deepEqual([allowed.status, allowed.body.changesApplied], [200, 0], allowed.text);
});

Deno.test("what a database refuses or cannot do is DATABASE_ERROR in words, and leaves the target as it was", async () => {
  using source = new File(SOME);
  using target = new File(
    "CREATE TABLE Users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, amount DECIMAL TEXT(20, 4), CHECK (name <> 'größe')); " +
      "INSERT INTO Users VALUES (1, 'old', NULL)",
  );
  const good = { sourceConnectionString: source.url, targetConnectionString: target.url };
  const refused = assertError(await post(good), 500, "DATABASE_ERROR");
  assert.match(refused.details, /CHECK/);
  assert.deepEqual(target.all("SELECT id, name FROM Users"), [[1, "old"]]);

  await Deno.writeTextFile(`${server().root}/text.db`, "no database\n".repeat(1000));
  const text = assertError(
    await post({ ...good, sourceConnectionString: `sqlite:${server().root}/text.db` }),
    500,
    "DATABASE_ERROR",
  );
  assert.match(text.details, /^source: .*not a database/);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const gone = `postgres://user:hunter2@127.0.0.1:${port}/d`;
  const unreachable = assertError(await post({ ...good, targetConnectionString: gone }), 500, "DATABASE_ERROR");
  assert.match(unreachable.details, /^target: /);
  const name = await postgres().createDatabase();
  const wrong = postgres().url(name).replace(postgres().password, "hunter2");
  assert.match(
    assertError(await post({ ...good, targetConnectionString: wrong }), 500, "DATABASE_ERROR").details,
    /^target: /,
  );
  const nowhere = postgres().url("no_such_database");
  assertError(await post({ ...good, targetConnectionString: nowhere }), 404, "NOT_FOUND");
});

Deno.test("rows that a database refuses are named where batches stand alone", async () => {
  using source = new File(SOME);
  using target = new File(
    "CREATE TABLE Users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, amount DECIMAL TEXT(20, 4), CHECK (name <> 'größe'))",
  );
  const body = await sync(source.url, target.url, { useTransactions: false });
  assert.deepEqual([body.success, body.changesApplied, body.errors.length], [false, 2, 1]);
  assert.match(body.errors[0], /^Users \(.*2.*\): /);
});

Deno.test("deleting too much is refused before anything is changed", async () => {
  using source = new File(USERS);
  using target = new File(SOME);
  const good = { sourceConnectionString: source.url, targetConnectionString: target.url };
  assert.match(assertError(await post(good), 409, "CONFLICT").details, /maxDelete/);
  assertError(await post({ ...good, maxDelete: 2 }), 409, "CONFLICT");
  assert.equal(target.all("SELECT 1 FROM Users").length, 3);
  assert.equal((await sync(source.url, target.url, { deleteMissingInTarget: false })).changesApplied, 0);
  assert.equal((await sync(source.url, target.url, { maxDelete: 3 })).changesApplied, 3);
});

Deno.test("a second run on the same table is a CONFLICT while the first one runs; cancelling it leaves the target as it was", async () => {
  using source = new File(SOME);
  using target = new File(USERS);
  const strings = { sourceConnectionString: source.url, targetConnectionString: target.url };
  // The first run waits for this lock.
  target.database.exec("BEGIN EXCLUSIVE");
  const first = await server().request("POST", "/sync/database", { ...strings, entityNames: ["Users"] }, {
    headers: { prefer: "respond-async" },
  });
  assert.equal(first.status, 202, first.text);
  const { sessionId } = first.body;
  const second = assertError(await post(strings), 409, "CONFLICT");
  assert.match(second.details, new RegExp(sessionId));
  assert.equal((await server().request("DELETE", `/sync/session/${sessionId}`)).status, 200);
  const session = await poll("the session's end", async () => {
    const { body } = await server().request("GET", `/sync/session/${sessionId}/status`);
    return body.completedAt !== null && body;
  });
  assert.equal(session.status, "cancelled");
  target.database.exec("ROLLBACK");
  assert.deepEqual(target.all("SELECT 1 FROM Users"), []);
  assert.equal((await sync(source.url, target.url)).changesApplied, 3);
});

Deno.test("both sides of a two-way run get each other's changes, also where a reader keeps writers off", async () => {
  using source = new File(SOME, "DELETE");
  using target = new File(SOME, "DELETE");
  const both = () => sync(source.url, target.url, { direction: "two-way" });
  assert.equal((await both()).changesApplied, 0);
  source.database.exec("UPDATE Users SET name = 'from source' WHERE id = 1; INSERT INTO Users VALUES (10, 's', NULL)");
  target.database.exec("UPDATE Users SET name = 'from target' WHERE id = 2; INSERT INTO Users VALUES (11, 't', NULL)");
  const body = await both();
  assert.deepEqual([body.success, body.changesApplied, body.conflictsEncountered], [true, 4, 0], JSON.stringify(body));
  const content = "SELECT id || name FROM Users ORDER BY id";
  assert.deepEqual(source.all(content).slice(0, 4), [["1from source"], ["2from target"], ["10s"], ["11t"]]);
  assert.deepEqual(target.all(content), source.all(content));
});

Deno.test("a conflict is a row that the target changed since the last run", async () => {
  using source = new File(SOME);
  using target = new File(USERS);
  const strings = [source.url, target.url] as const;
  await sync(...strings);
  target.database.exec("UPDATE Users SET name = 'mine' WHERE id = 1");
  source.database.exec("UPDATE Users SET name = 'theirs' WHERE id = 1");
  const kept = await sync(...strings, { conflictStrategy: "Manual" });
  assert.equal(kept.conflictsEncountered, 1);
  assert.deepEqual([kept.conflicts[0].entity, kept.conflicts[0].key, kept.conflicts[0].resolution], ["Users", {
    id: "1",
  }, "unresolved"]);
  assert.deepEqual(target.all("SELECT name FROM Users WHERE id = 1"), [["mine"]]);
  const won = await sync(...strings);
  assert.deepEqual([won.conflictsEncountered, won.conflicts[0].resolution], [1, "source"]);
  assert.deepEqual(target.all("SELECT name FROM Users WHERE id = 1"), [["theirs"]]);
});

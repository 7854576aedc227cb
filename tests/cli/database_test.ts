/** Databases on the command line. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { syncline, synclineJson, synclineResult } from "../harness/command_line.ts";
import { makeSandbox } from "../harness/sandbox.ts";

const USERS = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, note TEXT);";

function rows(path: string, sql: string): unknown[] {
  using database = new DatabaseSync(path);
  return database.prepare(sql).all().map((row) => Object.values(row));
}

Deno.test("a table is compared, made, synchronised and deleted from, by relative paths", async () => {
  await using sandbox = await makeSandbox();
  const options = { cwd: sandbox.root };
  using source = new DatabaseSync(`${sandbox.root}/shop.db`);
  source.exec(`${USERS} INSERT INTO users VALUES (1, 'Ada', NULL), (2, 'Bob', 'x')`);
  const pair = ["sqlite:shop.db", "Provider=sqlite;Data Source=copy.db", "users"];

  const missing = await synclineResult(["database", "sync", ...pair], 1, options);
  assert.deepEqual([missing.errorCode, missing.details.includes("copy.db")], ["NOT_FOUND", true]);
  const made = await syncline(["database", "sync", ...pair, "--create-missing-tables"], options);
  assert.deepEqual([made.code, made.stderr], [0, ""], made.stderr);
  assert.match(
    made.stdout,
    /^users: 2 rows, 2 inserted, 0 updated, 0 deleted; the table was made\nChanged 2 rows, 0 errors/,
  );
  assert.deepEqual(rows(`${sandbox.root}/copy.db`, "SELECT * FROM users"), [[1, "Ada", null], [2, "Bob", "x"]]);

  source.exec(
    "UPDATE users SET name = 'it''s' WHERE id = 1; DELETE FROM users WHERE id = 2; INSERT INTO users VALUES (3, 'C', '')",
  );
  const shown = await syncline(["database", "diff", ...pair], options);
  assert.deepEqual([shown.code, shown.stderr], [0, ""]);
  const lines = shown.stdout.trimEnd().split("\n").sort();
  assert.equal(lines.length, 4, shown.stdout);
  for (
    const words of [
      /^3 differences$/,
      /^delete users \(id "2"\): /,
      /^insert users \(id "3"\): /,
      /^update users \(id "1"\): name "'?Ada'?" → /,
    ]
  ) {
    assert.ok(lines.some((line) => words.test(line)), `${words}: ${shown.stdout}`);
  }
  const json = await synclineJson(["database", "diff", ...pair], 0, options);
  assert.deepEqual(json.filter(({ type }) => type === "difference").map(({ change }) => change).sort(), [
    "delete",
    "insert",
    "update",
  ]);

  const planned = await synclineResult(["database", "sync", ...pair, "--dry-run"], 0, options);
  assert.deepEqual([planned.dryRun, planned.changesApplied], [true, 3]);
  const refused = await synclineResult(["database", "sync", ...pair, "--max-delete", "0"], 1, options);
  assert.equal(refused.errorCode, "CONFLICT");
  const kept = await synclineResult(["database", "sync", ...pair, "--no-delete"], 0, options);
  assert.equal(kept.changesApplied, 2);
  const filtered = await synclineResult(["database", "sync", ...pair, "--filter", "users=id = 9"], 0, options);
  assert.equal(filtered.changesApplied, 0);
  assert.equal((await synclineResult(["database", "sync", ...pair], 0, options)).changesApplied, 1);
  source.exec("UPDATE users SET name = 'new', note = 'new'");
  await synclineResult(["database", "sync", ...pair, "--columns", "users=id,name"], 0, options);
  assert.deepEqual(rows(`${sandbox.root}/copy.db`, "SELECT name, note FROM users WHERE id = 3"), [["new", ""]]);
});

Deno.test("rows that are refused end with 3 where batches stand alone, and are named", async () => {
  await using sandbox = await makeSandbox();
  using source = new DatabaseSync(`${sandbox.root}/a.db`);
  source.exec(`${USERS} INSERT INTO users VALUES (1, 'Ada', NULL), (2, 'Bob', 'x')`);
  using target = new DatabaseSync(`${sandbox.root}/b.db`);
  target.exec("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, note TEXT NOT NULL)");
  const args = ["database", "sync", "sqlite:a.db", "sqlite:b.db", "users"];
  const whole = await synclineResult(args, 1, { cwd: sandbox.root });
  assert.equal(whole.errorCode, "DATABASE_ERROR");
  const part = await syncline([...args, "--no-transaction"], { cwd: sandbox.root });
  assert.deepEqual([part.code, part.stderr.startsWith("users (")], [3, true], part.stderr);
  assert.deepEqual(rows(`${sandbox.root}/b.db`, "SELECT id FROM users"), [[2]]);
});

Deno.test("connection strings come from the environment or a file, so that no password is an argument", async () => {
  await using sandbox = await makeSandbox();
  using source = new DatabaseSync(`${sandbox.root}/a.db`);
  source.exec(`${USERS} INSERT INTO users VALUES (1, 'Ada', NULL)`);
  await Deno.writeTextFile(`${sandbox.root}/target.txt`, `sqlite:${sandbox.root}/b.db\n`);
  const options = { cwd: sandbox.root, env: { SHOP: "sqlite:a.db", OTHER: "postgres://u:hunter2@127.0.0.1:1/d" } };
  const args = ["env:SHOP", "file:target.txt", "users"];
  assert.equal(
    (await synclineResult(["database", "sync", ...args, "--create-missing-tables"], 0, options)).changesApplied,
    1,
  );

  const cases: [string[], number, RegExp][] = [
    [["database", "sync", "env:NONE", "sqlite:b.db", "users"], 2, /NONE is not set/],
    [["database", "sync", "file:none.txt", "sqlite:b.db", "users"], 2, /cannot read none\.txt/],
    [["database", "sync", "mongodb://h/d", "sqlite:b.db", "users"], 2, /SOURCE: mongodb is not supported/],
    [["database", "sync", "sqlite:a.db", "sqlite:b.db"], 2, /missing required argument/],
    [["database", "sync", "sqlite:a.db", "sqlite:b.db", "users", "users"], 2, /twice/],
    [["database", "diff", "sqlite:a.db", "sqlite:b.db", "users", "--filter", "nonsense"], 2, /equals sign/],
    [["database", "diff", "sqlite:a.db", "sqlite:b.db", "users", "--columns", "others=id"], 2, /others/],
    [["database", "diff", "sqlite:a.db", "env:OTHER", "users"], 1, /target: /],
  ];
  for (const [args, code, words] of cases) {
    const result = await syncline(args, options);
    assert.deepEqual([result.code, result.stdout], [code, ""], `${args.join(" ")}: ${result.stderr}`);
    assert.match(result.stderr, words);
    assert.ok(!result.stderr.includes("hunter2") && !/\bat .*\.ts:\d+/.test(result.stderr), result.stderr);
  }
});

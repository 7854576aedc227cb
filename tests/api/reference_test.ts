/**
 * The API reference from top to bottom: every request as it is written there, with places that exist put for its example paths, every field
 * of every answer with the type that it has there, every error code, and the JavaScript example as it stands. One file,
 * though over 350 lines, as the reference is one page.
 */
import assert from "node:assert/strict";
import { type CloudEmulators, startClouds } from "../harness/cloud.ts";
import { poll } from "../harness/poll.ts";
import { type PostgresServer, startPostgres } from "../harness/postgres.ts";
import { type Json, type Server, startServer } from "../harness/server.ts";

let clouds: CloudEmulators;
let postgres: PostgresServer;
let server: Server;

Deno.test.beforeAll(async () => {
  [clouds, postgres] = await Promise.all([startClouds(), startPostgres()]);
  server = await startServer({ env: { ...clouds.env, SYNCLINE_WEBHOOK_ALLOW: "127.0.0.1" } });
});

Deno.test.afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await Promise.all([clouds[Symbol.asyncDispose](), postgres[Symbol.asyncDispose]()]);
});

/** That an answer has every field of an example, with its type; where the example has null, anything is right. */
function assertLike(answer: Json, example: Json, path = "answer"): void {
  if (example === null) return assert.notEqual(answer, undefined, path);
  if (Array.isArray(example)) {
    assert.ok(Array.isArray(answer), `${path} is ${JSON.stringify(answer)}`);
    for (const item of answer) if (example.length > 0) assertLike(item, example[0], `${path}[]`);
    return;
  }
  assert.equal(typeof answer, typeof example, `${path} is ${JSON.stringify(answer)}`);
  if (typeof example === "object") {
    for (const [name, value] of Object.entries(example)) assertLike(answer[name], value, `${path}.${name}`);
  }
  if (typeof example === "string" && /^\d{4}-\d\d-\d\dT/.test(example)) {
    assert.match(answer, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/, path);
  }
}

async function ask(method: string, path: string, body?: object): Promise<Json> {
  const answer = await server.request(method, path, body);
  assert.equal(answer.status, 200, `${method} ${path}: ${answer.text}`);
  return answer.body;
}

const SYNC_ANSWER = {
  success: true,
  changesApplied: 42,
  conflictsEncountered: 0,
  errors: [] as string[],
  syncedAt: "2024-01-15T10:30:00Z",
  executionTimeMs: 5432,
};

Deno.test("File Synchronization", async () => {
  const [source, target] = [`${server.root}/path/to/source`, `${server.root}/path/to/target`];
  await Deno.mkdir(source, { recursive: true });
  for (const name of ["kept.txt", "left.tmp", "left.bak"]) await Deno.writeTextFile(`${source}/${name}`, name);
  const body = await ask("POST", "/sync/files", {
    sourceDirectory: source,
    targetDirectory: target,
    deleteMissingInTarget: false,
    verifyIntegrity: true,
    excludePatterns: ["*.tmp", "*.bak"],
  });
  assertLike(body, SYNC_ANSWER);
  assert.deepEqual((await Array.fromAsync(Deno.readDir(target))).map(({ name }) => name), ["kept.txt"]);
});

Deno.test("Database Synchronization", async () => {
  const [source, target] = await Promise.all([postgres.createDatabase(), postgres.createDatabase()]);
  const tables = `CREATE TABLE "Users" (id int PRIMARY KEY, name text);
    CREATE TABLE "Products" (id int PRIMARY KEY, price numeric(10, 2));
    CREATE TABLE "Orders" (id int PRIMARY KEY, "user" int REFERENCES "Users", product int REFERENCES "Products");`;
  await Promise.all([postgres.run(source, tables), postgres.run(target, tables)]);
  await postgres.run(
    source,
    `INSERT INTO "Users" VALUES (1, 'Ada'), (2, 'Grace'); INSERT INTO "Products" VALUES (1, 9.99);
    INSERT INTO "Orders" VALUES (1, 1, 1), (2, 2, 1)`,
  );
  const { host, port, user, password } = postgres;
  const connection = (database: string) =>
    `Server=${host};Port=${port};User Id=${user};Password=${password};Database=${database};`;
  const body = await ask("POST", "/sync/database", {
    sourceConnectionString: connection(source),
    targetConnectionString: connection(target),
    entityNames: ["Users", "Products", "Orders"],
    useTransactions: true,
  });
  assertLike(body, SYNC_ANSWER);
  assert.equal(body.changesApplied, 5);
  assert.deepEqual(await postgres.run(target, `SELECT * FROM "Orders" ORDER BY id`), [["1", "1", "1"], [
    "2",
    "2",
    "1",
  ]]);
});

for (const provider of ["azure", "s3"]) {
  Deno.test(`Cloud Storage Operations: ${provider}`, async () => {
    const localPath = `${server.root}/local/path/file.zip`;
    await Deno.mkdir(`${server.root}/local/path`, { recursive: true });
    await Deno.writeTextFile(localPath, `the content for ${provider}`);
    const uploaded = await ask("POST", `/cloud/${provider}/upload`, {
      cloudPath: "/backups/file.zip",
      localPath,
      metadata: { "backup-type": "full", "version": "1.0" },
    });
    assertLike(uploaded, { success: true, message: "File uploaded successfully", executionTimeMs: 2341 });
    assert.equal(uploaded.message, "File uploaded successfully");

    const listed = await ask("GET", `/cloud/${provider}/list?prefix=backups/&filter=*.zip`);
    assertLike(listed, {
      files: [{
        name: "backup-001.zip",
        path: "backups/backup-001.zip",
        size: 1024000000,
        modifiedDate: "2024-01-15T10:00:00Z",
        eTag: "abc123def456",
      }],
      totalCount: 5,
    });
    assert.deepEqual([listed.files[0].name, listed.files[0].path, listed.totalCount], [
      "file.zip",
      "backups/file.zip",
      1,
    ]);
    assert.ok(!listed.files[0].eTag.includes('"'));

    const down = `${server.root}/local/download/${provider}.zip`;
    await ask("POST", `/cloud/${provider}/download`, { cloudPath: "backups/file.zip", localPath: down });
    assert.equal(await Deno.readTextFile(down), `the content for ${provider}`);

    const link = await ask("GET", `/cloud/${provider}/shared-link?path=backups/file.zip&expiresIn=3600`);
    assertLike(link, { url: "https://storage.example.com/file?sig=...", expiresAt: "2024-01-15T11:30:00Z" });
    const shared = await fetch(link.url);
    assert.equal(await shared.text(), `the content for ${provider}`);
  });
}

Deno.test("Backup Management", async () => {
  const [sourceDirectory, backupPath] = [`${server.root}/path/to/backup`, `${server.root}/backups/location`];
  await Deno.mkdir(sourceDirectory, { recursive: true });
  await Deno.writeTextFile(`${sourceDirectory}/file1.txt`, "1");
  const request = {
    sourceDirectory,
    backupPath,
    isFullBackup: false,
    description: "Incremental backup of application data",
  };
  const created = await ask("POST", "/backup/create", request);
  const version = {
    versionId: "550e8400-e29b-41d4-a716-446655440000",
    createdAt: "2024-01-15T10:30:00Z",
    totalSize: 5368709120,
    fileCount: 1542,
    isFullBackup: false,
  };
  assertLike(created, { ...version, changedFiles: ["file1.txt", "file2.dat"] });
  // The first version of a source is always full, and says so.
  assert.deepEqual([created.isFullBackup, created.changedFiles], [true, ["file1.txt"]]);
  await Deno.writeTextFile(`${sourceDirectory}/file2.dat`, "2");
  const second = await ask("POST", "/backup/create", request);
  assert.deepEqual([second.isFullBackup, second.changedFiles], [false, ["file2.dat"]]);

  const query = (fields: Record<string, string>) => new URLSearchParams({ backupPath, ...fields });
  const versions = await ask("GET", `/backup/versions?${query({})}`);
  assertLike(versions, { versions: [version], totalCount: 15 });
  assert.equal(versions.totalCount, 2);

  const restorePath = `${server.root}/restore/location`;
  const restored = await ask("POST", "/backup/restore", { backupPath, versionId: created.versionId, restorePath });
  assert.equal(restored.success, true);
  assert.deepEqual((await Array.fromAsync(Deno.readDir(restorePath))).map(({ name }) => name), ["file1.txt"]);

  const back = `${server.root}/restore/then`;
  const pointInTime = second.createdAt;
  const then = await ask("GET", `/backup/restore-point-in-time?${query({ pointInTime, restorePath: back })}`);
  assert.equal(then.versionId, second.versionId);
  assert.equal(await Deno.readTextFile(`${back}/file2.dat`), "2");

  const pruned = await ask("POST", `/backup/prune?${query({ retentionDays: "30" })}`);
  assertLike(pruned, { deletedCount: 5 });
});

Deno.test("Merge Operations", async () => {
  const path = (name: string) => `${server.root}/path/to/${name}.txt`;
  await Deno.mkdir(`${server.root}/path/to`, { recursive: true });
  const lines = Array.from({ length: 60 }, (_, index) => `line ${index + 1}`);
  const write = (name: string, line: string) => Deno.writeTextFile(path(name), `${lines.with(41, line).join("\n")}\n`);
  await write("base", "original");
  await write("source", "modified in source");
  await write("target", "modified in target");
  const body = await ask("POST", "/merge/files", {
    baseFile: path("base"),
    sourceFile: path("source"),
    targetFile: path("target"),
  });
  const conflict = {
    lineNumber: 42,
    baseContent: "original",
    sourceContent: "modified in source",
    targetContent: "modified in target",
    resolution: "modified in source",
  };
  assertLike(body, { success: true, mergedContent: "...", conflicts: [conflict], conflictResolutionCount: 1 });
  assert.equal(body.mergedContent, await Deno.readTextFile(path("source")));
  assert.equal(body.conflictResolutionCount, 1);
  const [{ lineNumber, ...contents }] = body.conflicts;
  assert.equal(lineNumber, 42);
  for (const [name, text] of Object.entries(contents)) {
    assert.equal(String(text).trimEnd(), conflict[name as keyof typeof conflict], name);
  }
});

Deno.test("Session Management", async () => {
  const started = await ask("POST", "/sync/session/start", {
    sourceLocation: "System1",
    targetLocation: "System2",
    syncType: "Full",
  });
  assertLike(started, {
    sessionId: "session-12345",
    startedAt: "2024-01-15T10:30:00Z",
    sourceIdentifier: "System1",
    targetIdentifier: "System2",
  });
  const status = await ask("GET", `/sync/session/${started.sessionId}/status`);
  assertLike(status, {
    sessionId: "session-12345",
    status: "in-progress",
    progressPercentage: 65,
    message: "Processing database entities",
    result: null,
    createdAt: "2024-01-15T10:30:00Z",
    completedAt: null,
  });
  const completed = await ask("POST", `/sync/session/${started.sessionId}/complete`);
  assert.equal(completed.status, "completed");
  assert.equal((await ask("GET", `/sync/session/${started.sessionId}/status`)).status, "completed");
});

Deno.test("Health & Monitoring", async () => {
  const health = await ask("GET", "/health");
  assertLike(health, {
    status: "healthy",
    timestamp: "2024-01-15T10:30:00Z",
    details: { database: "connected", storage: "available", memory: "normal" },
  });
  const metrics = await ask("GET", "/metrics");
  assertLike(metrics, {
    totalSyncOperations: 1542,
    successfulSyncs: 1523,
    failedSyncs: 19,
    averageSyncDuration: 5234,
    totalDataTransferred: 1299827200,
    cloudStorageUsage: { azure: 2684354560, s3: 1342177280 },
  });
});

Deno.test("Error Responses", async () => {
  const { root } = server;
  const pair = { sourceDirectory: `${root}/nowhere`, targetDirectory: `${root}/target` };
  const reader = (await server.request("POST", "/keys", { name: "reader", scopes: ["read"] })).body.token;
  const database = (port: number) => `Server=127.0.0.1;Port=${port};User Id=u;Password=p;Database=db;`;
  const cases: [string, number, Promise<Json>][] = [
    ["INVALID_REQUEST", 400, server.request("POST", "/sync/files", {})],
    ["UNAUTHORIZED", 401, server.request("GET", "/health", undefined, { token: null })],
    ["FORBIDDEN", 403, server.request("POST", "/sync/files", pair, { token: reader })],
    ["NOT_FOUND", 404, server.request("GET", "/sync/session/session-12345/status")],
    ["SYNC_FAILED", 500, server.request("POST", "/sync/files", pair)],
    [
      "DATABASE_ERROR",
      500,
      server.request("POST", "/sync/database", {
        sourceConnectionString: database(1),
        targetConnectionString: database(1),
        entityNames: ["Users"],
      }),
    ],
  ];
  for (const [errorCode, status, asked] of cases) {
    const answer = await asked;
    assert.deepEqual([answer.status, answer.body?.errorCode], [status, errorCode], answer.text);
    assertLike(answer.body, {
      errorCode: "SYNC_FAILED",
      message: "Synchronization operation failed",
      details: "Source directory not found",
      timestamp: "2024-01-15T10:30:00Z",
    });
  }
  const [, , , , failed] = cases;
  const { message, details } = (await failed[2]).body;
  assert.equal(message, "Synchronization operation failed");
  assert.match(details, /^Source directory not found/);

  const none = Object.fromEntries(Object.keys(clouds.env).map((name) => [name, ""]));
  await using unconfigured = await startServer({ env: none });
  const cloud = await unconfigured.request("GET", "/cloud/s3/list");
  assert.deepEqual([cloud.status, cloud.body.errorCode], [503, "CLOUD_ERROR"]);
});

Deno.test("Rate Limiting", async () => {
  await using limited = await startServer({ env: { SYNCLINE_RATE_LIMIT: "" } });
  const { headers } = await limited.request("GET", "/health");
  assert.deepEqual([headers.get("X-RateLimit-Limit"), headers.get("X-RateLimit-Remaining")], ["100", "99"]);
});

Deno.test("Webhooks", async () => {
  const received: string[] = [];
  await using receiver = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    received.push((await request.json()).type);
    return new Response();
  });
  const url = `http://127.0.0.1:${(receiver.addr as Deno.NetAddr).port}/webhook`;
  const answer = await server.request("POST", "/webhooks/subscribe", {
    url,
    events: ["sync.completed", "sync.failed"],
  });
  assert.equal(answer.status, 201, answer.text);
  await Deno.mkdir(`${server.root}/source`, { recursive: true });
  await ask("POST", "/sync/files", {
    sourceDirectory: `${server.root}/source`,
    targetDirectory: `${server.root}/target`,
  });
  await poll("the event", () => received.length > 0);
  assert.deepEqual(received, ["sync.completed"]);
});

/** As the reference has it, between the lines. */
const EXAMPLE = `
const response = await fetch('https://api.example.com/api/v1/sync/files', {
method: 'POST',
headers: {
'Authorization': \`Bearer \${token}\`,
'Content-Type': 'application/json'
},
body: JSON.stringify({
sourceDirectory: '/path/to/source',
targetDirectory: '/path/to/target'
})
});
const result = await response.json();
console.log(result);
`;

Deno.test("SDK Usage Examples: JavaScript", async () => {
  await Deno.mkdir(`${server.root}/path/to/source`, { recursive: true });
  const code = EXAMPLE.replace("https://api.example.com", server.url).replaceAll("'/path", `'${server.root}/path`);
  const program = `const token = ${JSON.stringify(server.token)};\n${
    code.replace("console.log(result)", "console.log(JSON.stringify(result))")
  }`;
  const file = `${server.home}/example.mjs`;
  await Deno.writeTextFile(file, program);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-config", "--allow-net", file],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  assertLike(JSON.parse(new TextDecoder().decode(stdout)), SYNC_ANSWER);
});

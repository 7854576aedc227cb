import assert from "node:assert/strict";
import type { BackupOperations, VersionContent } from "../../engine/backup/operations.ts";
import type { CreateResult, PruneResult, RestoreResult, VersionSummary } from "../../engine/backup/types.ts";
import { EngineError } from "../../engine/errors.ts";
import { assertError, startTestApp, type TestApp } from "../testing.ts";

const ID = "550e8400-e29b-41d4-a716-446655440000";
const OTHER = "550e8400-e29b-41d4-a716-446655440001";

const VERSION: VersionSummary = {
  versionId: ID,
  createdAt: "2024-01-15T10:30:00.000Z",
  totalSize: 5368709120,
  fileCount: 1542,
  isFullBackup: false,
  description: "Incremental backup of application data",
  host: "host",
  sourceDirectory: "/path/to/backup",
  parentVersionId: null,
  directoryCount: 1,
  linkCount: 0,
  newBytes: 100,
  storedBytes: 50,
  changedFileCount: 2,
  deletedFileCount: 1,
  errorCount: 0,
};

const CREATED: CreateResult = {
  ...VERSION,
  success: true,
  changedFiles: ["file1.txt", "file2.dat"],
  errors: [],
  skipped: [],
  executionTimeMs: 5,
};

const RESTORED: RestoreResult = {
  success: true,
  versionId: ID,
  filesRestored: 3,
  bytesRestored: 1000,
  unchanged: 0,
  skippedExisting: 0,
  deleted: 0,
  dryRun: false,
  errors: [],
  executionTimeMs: 5,
};

const PRUNED: PruneResult = {
  deletedCount: 5,
  reclaimedBytes: 100,
  dryRun: false,
  deletedVersions: [],
  keptVersions: 1,
  packsDeleted: 1,
  packsRepacked: 0,
  unusedBytes: 0,
  executionTimeMs: 5,
};

/** An app whose repository operations answer with the above and say what they were asked. */
async function start(more: Partial<BackupOperations> = {}): Promise<TestApp & { asked: unknown[] }> {
  const test = await startTestApp();
  const asked: unknown[] = [];
  const answer = <T>(result: T) => (request: unknown) => {
    asked.push(request);
    return Promise.resolve(result);
  };
  Object.assign(test.backups, {
    create: answer(CREATED),
    restore: answer(RESTORED),
    prune: answer(PRUNED),
    versions: answer({ versions: [VERSION], damaged: [] }),
    versionAt: (_: unknown, pointInTime: Date) => answer(VERSION)(pointInTime),
    ...more,
  });
  return Object.assign(test, { asked });
}

const repository = (test: TestApp) => ({ type: "directory", path: `${test.root}/repository` });

Deno.test("the reference's create reaches the engine with its defaults, and its answer has the reference's fields", async () => {
  await using test = await start();
  const answer = await test.send("POST", "/backup/create", {
    body: { sourceDirectory: `${test.root}/source`, backupPath: `${test.root}/repository`, isFullBackup: false },
  });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(answer.body, { ...CREATED, sessionId: answer.body.sessionId });
  assert.deepEqual(test.asked, [{
    sourceDirectory: `${test.root}/source`,
    repository: repository(test),
    isFullBackup: false,
    description: "",
    excludePatterns: [],
  }]);
  const session = await test.send("GET", `/sync/session/${answer.body.sessionId}/status`);
  assert.deepEqual([session.body.kind, session.body.status], ["backup.create", "completed"]);
  const metrics = (await test.send("GET", "/metrics")).body;
  assert.deepEqual([metrics.totalSyncOperations, metrics.totalDataTransferred], [1, 100]);
});

Deno.test("restore has the contract's defaults, and its paths are brought to their plain form", async () => {
  await using test = await start();
  const body = { backupPath: `${test.root}/repository`, versionId: ID, restorePath: `${test.root}/restored` };
  const answer = await test.send("POST", "/backup/restore", { body: { ...body, paths: ["/a//b/", "./c", "\udc80"] } });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(test.asked, [{
    repository: repository(test),
    versionId: ID,
    restorePath: `${test.root}/restored`,
    paths: ["a/b", "c", "\udc80"],
    overwrite: true,
    deleteExtra: false,
    dryRun: false,
    verify: false,
  }]);
  const outside = await test.send("POST", "/backup/restore", { body: { ...body, paths: ["a/../../b"] } });
  assert.match(assertError(outside, 400, "INVALID_REQUEST"), /"paths.0"/);
});

Deno.test("point-in-time restores take their parameters from the query, from a body, or from both", async () => {
  await using test = await start();
  const parameters = {
    backupPath: `${test.root}/repository`,
    pointInTime: "2024-01-15T10:30:00Z",
    restorePath: `${test.root}/restored`,
  };
  const path = `/backup/restore-point-in-time?${new URLSearchParams(parameters)}`;
  const answers = [
    await test.send("GET", `${path}&overwrite=false&paths=a&paths=b`),
    await test.send("POST", `${path}&overwrite=false`, { body: { paths: ["a", "b"] } }),
    await test.send("POST", "/backup/restore-point-in-time", {
      body: { ...parameters, overwrite: false, paths: ["a", "b"] },
    }),
  ];
  for (const answer of answers) assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(test.asked[0], new Date("2024-01-15T10:30:00Z"));
  for (const at of [1, 3, 5]) {
    const { overwrite, paths, versionId } = test.asked[at] as Record<string, unknown>;
    assert.deepEqual({ overwrite, paths, versionId }, { overwrite: false, paths: ["a", "b"], versionId: ID });
  }
  const head = await test.send("HEAD", path);
  assert.deepEqual([head.status, head.headers.get("allow"), test.asked.length], [405, "GET, POST", 6]);
  const differs = await test.send("POST", path, { body: { pointInTime: "2025-01-01T00:00:00Z" } });
  assert.match(assertError(differs, 400, "INVALID_REQUEST"), /pointInTime.*differs/);
  const missing = await test.send("GET", "/backup/restore-point-in-time");
  assert.match(assertError(missing, 400, "INVALID_REQUEST"), /"pointInTime" is required/);
});

Deno.test("a point in time is a date of ISO 8601, in UTC unless it says otherwise", async () => {
  await using test = await start();
  const rest = { backupPath: `${test.root}/repository`, restorePath: `${test.root}/restored` };
  const cases: [string, string | undefined][] = [
    ["2024-01-15T10:30:00Z", "2024-01-15T10:30:00.000Z"],
    ["2024-01-15T10:30:00.123Z", "2024-01-15T10:30:00.123Z"],
    ["2024-01-15T10:30:00+02:00", "2024-01-15T08:30:00.000Z"],
    ["2024-01-15T10:30:00 02:00", "2024-01-15T08:30:00.000Z"],
    ["2024-01-15T10:30:00-0130", "2024-01-15T12:00:00.000Z"],
    ["2024-01-15T10:30", "2024-01-15T10:30:00.000Z"],
    ["2024-01-15", "2024-01-15T00:00:00.000Z"],
    ["2024-13-15", undefined],
    ["2024-01-15T25:00:00Z", undefined],
    ["yesterday", undefined],
    ["1705314600", undefined],
    ["", undefined],
  ];
  for (const [pointInTime, expected] of cases) {
    const answer = await test.send("POST", "/backup/restore-point-in-time", { body: { ...rest, pointInTime } });
    if (expected === undefined) assert.match(assertError(answer, 400, "INVALID_REQUEST"), /"pointInTime"/, pointInTime);
    else assert.equal((test.asked.at(-2) as Date).toISOString(), expected, pointInTime);
  }
});

Deno.test("prune takes the reference's query, numbers included, and a rule is required", async () => {
  await using test = await start();
  const backupPath = `${test.root}/repository`;
  const send = (query: string, body?: object) =>
    test.send("POST", `/backup/prune?backupPath=${encodeURIComponent(backupPath)}${query}`, { body });
  const answer = await send("&retentionDays=30");
  assert.deepEqual([answer.status, answer.body.deletedCount], [200, 5], answer.text);
  assert.deepEqual(test.asked, [{ repository: repository(test), retentionDays: 30, dryRun: false }]);
  assert.equal((await send("&dryRun=true", { keepDaily: 7, keepLast: 2 })).status, 200);
  assert.deepEqual(test.asked[1], {
    repository: repository(test),
    retentionDays: undefined,
    keepDaily: 7,
    keepLast: 2,
    dryRun: true,
  });
  const cases: [string, object | undefined, RegExp][] = [
    ["", undefined, /"retentionDays"/],
    ["&retentionDays=-1", undefined, /"retentionDays" must be at least 0/],
    ["&retentionDays=soon", undefined, /"retentionDays" must be a number/],
    ["&keepLast=1.5", undefined, /"keepLast"/],
    ["&keepLast=1&dryRun=yes", undefined, /"dryRun"/],
    ["&retention=1", undefined, /"retention" is not a field/],
    ["", { retentionDays: "30" }, /"retentionDays" must be of type number/],
    ["&retentionDays=30", { retentionDays: 31 }, /differs/],
  ];
  for (const [query, body, details] of cases) {
    assert.match(assertError(await send(query, body), 400, "INVALID_REQUEST"), details);
  }
  assert.equal(test.asked.length, 2);
});

Deno.test("a cloud that is not configured is CLOUD_ERROR, another scheme is INVALID_REQUEST", async () => {
  await using test = await start();
  const of = (backupPath: string) => test.send("GET", `/backup/versions?${new URLSearchParams({ backupPath })}`);
  assert.match(assertError(await of("s3://bucket/prefix"), 503, "CLOUD_ERROR"), /S3/);
  assert.match(assertError(await of("azure://container"), 503, "CLOUD_ERROR"), /Azure/);
  for (const path of ["ftp://host/path", "relative", "", "s3://", "s3:/bucket"]) {
    assert.match(assertError(await of(path), 400, "INVALID_REQUEST"), /"backupPath"/, path);
  }
  assert.equal(test.asked.length, 0);
});

Deno.test("every path is confined to the roots", async () => {
  await using test = await start();
  const [inside, outside] = [`${test.root}/x`, `${test.dataDir}/x`];
  const bodies: [string, Record<string, string>][] = [
    ["/backup/create", { sourceDirectory: outside, backupPath: inside }],
    ["/backup/create", { sourceDirectory: inside, backupPath: outside }],
    ["/backup/restore", { backupPath: outside, versionId: ID, restorePath: inside }],
    ["/backup/restore", { backupPath: inside, versionId: ID, restorePath: outside }],
    ["/backup/restore-point-in-time", { backupPath: inside, pointInTime: "2024-01-15", restorePath: outside }],
    ["/backup/check", { backupPath: outside }],
    ["/backup/repair", { backupPath: outside }],
  ];
  for (const [path, body] of bodies) {
    assert.match(assertError(await test.send("POST", path, { body }), 403, "FORBIDDEN"), /SYNCLINE_ROOTS|data dir/);
  }
  for (const path of ["", `/${ID}/files`, `/${ID}/content`, `/${ID}/changes`, `/${ID}/diff/${OTHER}`]) {
    const answer = await test.send("GET", `/backup/versions${path}?${new URLSearchParams({ backupPath: outside })}`);
    assertError(answer, 403, "FORBIDDEN");
  }
  assert.equal(test.asked.length, 0);
});

Deno.test("keys need the scope backup; those that read may have read instead", async () => {
  await using test = await start();
  const [reader, backer, syncer] = [
    await test.makeKey(["read"]),
    await test.makeKey(["backup"]),
    await test.makeKey(["sync"]),
  ];
  const backupPath = `${test.root}/repository`;
  const body = { backupPath, sourceDirectory: `${test.root}/source` };
  const list = `/backup/versions?${new URLSearchParams({ backupPath })}`;
  const atTime = new URLSearchParams({ backupPath, pointInTime: "2024-01-15", restorePath: `${test.root}/r` });
  const statuses = async (token: string) => [
    (await test.send("POST", "/backup/create", { body, token })).status,
    (await test.send("GET", list, { token })).status,
    (await test.send("GET", `/backup/restore-point-in-time?${atTime}`, { token })).status,
  ];
  assert.deepEqual(await statuses(backer.token), [200, 200, 200]);
  assert.deepEqual(await statuses(reader.token), [403, 200, 403]);
  assert.deepEqual(await statuses(syncer.token), [403, 403, 403]);
});

Deno.test("with respond-async a backup is a session; an Idempotency-Key does it once", async () => {
  await using test = await start();
  const body = { sourceDirectory: `${test.root}/source`, backupPath: `${test.root}/repository` };
  const started = await test.send("POST", "/backup/create", { body, headers: { prefer: "respond-async" } });
  assert.equal(started.status, 202, started.text);
  assert.equal(started.headers.get("location"), `/api/v1/sync/session/${started.body.sessionId}/status`);
  const keyed = { body, headers: { "idempotency-key": "one" } };
  const [first, again] = [
    await test.send("POST", "/backup/create", keyed),
    await test.send("POST", "/backup/create", keyed),
  ];
  assert.deepEqual([again.text, again.headers.get("idempotency-replayed")], [first.text, "true"]);
  assert.equal(test.asked.length, 2);
});

Deno.test("failures have codes of their own, in answers and in sessions", async () => {
  await using test = await start();
  const body = { sourceDirectory: `${test.root}/source`, backupPath: `${test.root}/repository` };
  const failures: [EngineError, number, string][] = [
    [new EngineError("backup-failed", "Backup operation failed", "why"), 500, "BACKUP_FAILED"],
    [new EngineError("damaged", "The repository is damaged", "why"), 500, "BACKUP_FAILED"],
    [new EngineError("wrong-password", "The password is wrong", "why"), 403, "FORBIDDEN"],
    [new EngineError("not-found", "There is no repository", "why"), 404, "NOT_FOUND"],
  ];
  for (const [error, status, code] of failures) {
    test.backups.create = () => Promise.reject(error);
    assert.equal(assertError(await test.send("POST", "/backup/create", { body }), status, code), "why");
    const [session] = (await test.send("GET", "/sync/session?limit=1")).body.sessions;
    assert.deepEqual([session.status, session.error.errorCode], ["failed", code]);
  }
});

const BYTES = new TextEncoder().encode("0123456789");

function file(onCancel: () => void = () => {}): VersionContent {
  return {
    type: "file",
    name: 'naïve "x".txt',
    size: BYTES.length,
    etag: "abc",
    read: ({ offset, length }) =>
      new ReadableStream({
        start(controller) {
          controller.enqueue(BYTES.subarray(offset, offset + length));
          controller.close();
        },
        cancel: onCancel,
      }),
  };
}

Deno.test("content: whole, in part, not modified, out of range", async () => {
  await using test = await start({ content: () => Promise.resolve(file()) });
  const path = `/backup/versions/${ID}/content?${new URLSearchParams({ backupPath: `${test.root}/r`, path: "a" })}`;
  const get = (headers: Record<string, string> = {}) => test.send("GET", path, { headers });
  const whole = await get();
  assert.deepEqual([whole.status, whole.text, whole.headers.get("etag")], [200, "0123456789", '"abc"']);
  assert.equal(whole.headers.get("content-type"), "application/octet-stream");
  assert.equal(whole.headers.get("content-length"), "10");
  assert.equal(whole.headers.get("accept-ranges"), "bytes");
  assert.equal(
    whole.headers.get("content-disposition"),
    `attachment; filename="na_ve _x_.txt"; filename*=UTF-8''na%C3%AFve%20%22x%22.txt`,
  );
  const part = await get({ range: "bytes=2-4" });
  assert.deepEqual([part.status, part.text, part.headers.get("content-range")], [206, "234", "bytes 2-4/10"]);
  assert.equal((await get({ range: "bytes=2-4", "if-range": '"other"' })).text, "0123456789");
  const known = await get({ "if-none-match": '"abc"' });
  assert.deepEqual([known.status, known.text, known.headers.get("etag")], [304, "", '"abc"']);
  const beyond = await get({ range: "bytes=10-" });
  assertError(beyond, 416, "INVALID_REQUEST");
  assert.equal(beyond.headers.get("content-range"), "bytes */10");
  const head = await test.send("HEAD", path);
  assert.deepEqual([head.status, head.headers.get("content-length"), head.text], [200, "10", ""]);
});

Deno.test("content of a directory is a tar archive; a HEAD of it reads nothing", async () => {
  let cancelled = 0;
  const directory: VersionContent = {
    type: "directory",
    name: "photos",
    etag: "tree",
    tar: () =>
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(512)),
        cancel: () => void cancelled++,
      }, { highWaterMark: 0 }),
  };
  await using test = await start({ content: () => Promise.resolve(directory) });
  const path = `/backup/versions/${ID}/content?${new URLSearchParams({ backupPath: `${test.root}/r` })}`;
  const head = await test.send("HEAD", path, { headers: { range: "bytes=0-1" } });
  assert.deepEqual([head.status, head.headers.get("content-type")], [200, "application/x-tar"]);
  assert.match(head.headers.get("content-disposition") ?? "", /filename="photos\.tar"/);
  assert.equal(cancelled, 1);
});

Deno.test("changes and differences are streamed lists; what fails at their beginning is an answer, later a broken one", async () => {
  let failAt = Infinity;
  async function* items() {
    for (let i = 0; i < 3; i++) {
      if (i >= failAt) throw new EngineError("damaged", "The repository is damaged", "a chunk");
      yield await Promise.resolve({ change: "added" as const, path: `file-${i}` });
    }
  }
  await using test = await start({ changes: items });
  const path = `/backup/versions/${ID}/changes?${new URLSearchParams({ backupPath: `${test.root}/r` })}`;
  const answer = await test.send("GET", path);
  assert.deepEqual(answer.body, {
    versionId: ID,
    changes: [0, 1, 2].map((i) => ({ change: "added", path: `file-${i}` })),
    totalCount: 3,
  });
  failAt = 0;
  assertError(await test.send("GET", path), 500, "BACKUP_FAILED");
  failAt = 1;
  await assert.rejects(test.send("GET", path));
  assert.ok((await test.logged()).some(({ message }) => message === "an answer broke off"));
});

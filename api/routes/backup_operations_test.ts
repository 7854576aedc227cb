import assert from "node:assert/strict";
import { CREATED, ID, repositoryOf, startBackupApp } from "./backup_testing.ts";
import { EngineError } from "../../engine/errors.ts";
import { assertError } from "../testing.ts";

Deno.test("the reference's create reaches the engine with its defaults, and its answer has the reference's fields", async () => {
  await using test = await startBackupApp();
  const answer = await test.send("POST", "/backup/create", {
    body: { sourceDirectory: `${test.root}/source`, backupPath: `${test.root}/repository`, isFullBackup: false },
  });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(answer.body, { ...CREATED, sessionId: answer.body.sessionId });
  assert.deepEqual(test.asked, [{
    sourceDirectory: `${test.root}/source`,
    repository: repositoryOf(test),
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
  await using test = await startBackupApp();
  const body = { backupPath: `${test.root}/repository`, versionId: ID, restorePath: `${test.root}/restored` };
  const answer = await test.send("POST", "/backup/restore", { body: { ...body, paths: ["/a//b/", "./c", "\udc80"] } });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(test.asked, [{
    repository: repositoryOf(test),
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

Deno.test("prune takes the reference's query, numbers included, and a rule is required", async () => {
  await using test = await startBackupApp();
  const backupPath = `${test.root}/repository`;
  const send = (query: string, body?: object) =>
    test.send("POST", `/backup/prune?backupPath=${encodeURIComponent(backupPath)}${query}`, { body });
  const answer = await send("&retentionDays=30");
  assert.deepEqual([answer.status, answer.body.deletedCount], [200, 5], answer.text);
  assert.deepEqual(test.asked, [{ repository: repositoryOf(test), retentionDays: 30, dryRun: false }]);
  assert.equal((await send("&dryRun=true", { keepDaily: 7, keepLast: 2 })).status, 200);
  assert.deepEqual(test.asked[1], {
    repository: repositoryOf(test),
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

Deno.test("with respond-async a backup is a session; an Idempotency-Key does it once", async () => {
  await using test = await startBackupApp();
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
  await using test = await startBackupApp();
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

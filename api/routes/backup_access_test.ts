import assert from "node:assert/strict";
import { ID, OTHER, startBackupApp } from "./backup_testing.ts";
import { assertError } from "../testing.ts";

Deno.test("a cloud that is not configured is CLOUD_ERROR, another scheme is INVALID_REQUEST", async () => {
  await using test = await startBackupApp();
  const of = (backupPath: string) => test.send("GET", `/backup/versions?${new URLSearchParams({ backupPath })}`);
  assert.match(assertError(await of("s3://bucket/prefix"), 503, "CLOUD_ERROR"), /S3/);
  assert.match(assertError(await of("azure://container"), 503, "CLOUD_ERROR"), /Azure/);
  for (const path of ["ftp://host/path", "relative", "", "s3://", "s3:/bucket"]) {
    assert.match(assertError(await of(path), 400, "INVALID_REQUEST"), /"backupPath"/, path);
  }
  assert.equal(test.asked.length, 0);
});

Deno.test("every path is confined to the roots", async () => {
  await using test = await startBackupApp();
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
  await using test = await startBackupApp();
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

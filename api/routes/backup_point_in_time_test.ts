import assert from "node:assert/strict";
import { ID, startBackupApp } from "./backup_testing.ts";
import { assertError } from "../testing.ts";

Deno.test("point-in-time restores take their parameters from the query, from a body, or from both", async () => {
  await using test = await startBackupApp();
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
  await using test = await startBackupApp();
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

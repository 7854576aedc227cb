import assert from "node:assert/strict";
import { ID, startBackupApp } from "./backup_testing.ts";
import { EngineError } from "../../engine/errors.ts";
import { assertError } from "../testing.ts";

Deno.test("changes and differences are streamed lists; what fails at their beginning is an answer, later a broken one", async () => {
  let failAt = Infinity;
  async function* items() {
    for (let i = 0; i < 3; i++) {
      if (i >= failAt) throw new EngineError("damaged", "The repository is damaged", "a chunk");
      yield await Promise.resolve({ change: "added" as const, path: `file-${i}` });
    }
  }
  await using test = await startBackupApp({ changes: items });
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

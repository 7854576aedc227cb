/** Encrypted repositories: the server's password opens them, another one does not, and it is seen nowhere. */
import assert from "node:assert/strict";
import { assertSound, createBackup, makeBackupPlaces, postCreate, query, restore } from "../harness/backup.ts";
import { shell } from "../harness/command.ts";
import { assertSameTree } from "../harness/compare.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { startServer } from "../harness/server.ts";
import { assertError } from "../harness/sync.ts";

Deno.test("what a password encrypts, no other one opens, and the password is seen nowhere", async () => {
  await using sandbox = await makeSandbox();
  const password = `correct-horse-${crypto.randomUUID()}`;
  const secret = "a line that nobody but the owner may read";
  const start = (SYNCLINE_REPOSITORY_PASSWORD: string) =>
    startServer({ sandbox, env: { SYNCLINE_REPOSITORY_PASSWORD, SYNCLINE_LOG_LEVEL: "debug" } });

  let logged = "";
  const { at, versionId } = await (async () => {
    await using server = await start(password);
    const at = await makeBackupPlaces(server);
    await Deno.writeTextFile(`${at.source}/named-secretly.txt`, secret);
    const { versionId } = await createBackup(server, at);
    await assertSound(server, at.backupPath);
    await server.stop();
    logged += await server.stderr() + await server.stdout();
    return { at, versionId };
  })();
  for (const text of [secret, "named-secretly", at.source, password]) {
    const found = await shell('grep -rlF -e "$1" . || test $? = 1', [text], { cwd: at.backupPath });
    assert.equal(found, "", `the repository shows ${text}`);
  }

  for (const wrong of ["another password", ""]) {
    await using server = await start(wrong);
    const answers = [
      await server.request("GET", `/backup/versions?${query({ backupPath: at.backupPath })}`),
      await postCreate(server, at),
      await server.request("POST", "/backup/check", { backupPath: at.backupPath }),
    ];
    for (const answer of answers) {
      const { details, message } = assertError(answer, 403, "FORBIDDEN");
      assert.match(`${message} ${details}`, /password/i);
    }
    await server.stop();
    logged += await server.stderr() + await server.stdout() + answers.map(({ text }) => text).join("");
  }
  assert.ok(logged.includes("/backup/create"));
  assert.ok(!logged.includes(password), "the password is logged");
  assert.ok(!logged.includes("another password"), "a wrong password is logged");
  assert.equal(await shell('grep -rlF -e "$1" . || test $? = 1', [password], { cwd: sandbox.dataDir }), "");

  await using server = await start(password);
  await restore(server, at, versionId);
  await assertSameTree(at.source, at.restorePath);
});

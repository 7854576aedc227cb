/** Repositories of every format that there was, made when it was new, can be read and written. */
import assert from "node:assert/strict";
import { backupOperations } from "../../engine/backup/mod.ts";
import { openRepository } from "../../engine/backup/repository/repository.ts";
import type { StoreLocation } from "../../engine/cloud/object_store.ts";
import { openStore } from "../../engine/cloud/open_store.ts";
import { EngineError } from "../../engine/errors.ts";
import { inlinePool } from "../../engine/files/inline_pool.ts";
import { PathLocks } from "../../engine/files/locks.ts";
import { FIXTURE_PASSWORD } from "../fixtures/make_backup_repositories.ts";
import { command } from "../harness/command.ts";
import { compareSnapshots, type Entry, snapshot } from "../harness/compare.ts";
import { makeSandbox } from "../harness/sandbox.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url).pathname;

for (const format of [1]) {
  for (const [kind, password] of [["plain", undefined], ["encrypted", FIXTURE_PASSWORD]] as const) {
    Deno.test(`a repository of format ${format} is read and written, ${kind}`, async () => {
      await using sandbox = await makeSandbox();
      const fixture = `${FIXTURES}backup-format-${format}`;
      const repository: StoreLocation = { type: "directory", path: `${sandbox.root}/repository` };
      await command("cp", ["-r", `${fixture}/${kind}`, repository.path]);
      const expected: Record<string, Record<string, Entry>> = JSON.parse(
        await Deno.readTextFile(`${fixture}/expected.json`),
      );
      const services = { pool: inlinePool(), dataDir: sandbox.dataDir, locks: new PathLocks(), password, host: "here" };
      await Deno.mkdir(`${sandbox.dataDir}/tmp`, { recursive: true });
      const operations = backupOperations(services);
      const job = { sessionId: "format", signal: new AbortController().signal, progress: () => {} };
      const check = async () => {
        const { problems, success } = await operations.check({ repository, readData: true, subset: 100 }, job);
        assert.deepEqual([problems, success], [[], true]);
      };

      await check();
      const { versions } = await operations.versions(repository);
      assert.deepEqual(versions.map(({ description }) => description), ["change", "makeFirst"]);
      const options = { repository, paths: [], overwrite: true, deleteExtra: true, dryRun: false, verify: true };
      const restorePath = `${sandbox.root}/restored`;
      for (const { versionId } of versions) {
        const { errors } = await operations.restore({ ...options, versionId, restorePath }, job);
        assert.deepEqual(errors, []);
        const tree = new Map(Object.entries(expected[versionId]));
        assert.deepEqual(compareSnapshots(tree, await snapshot(restorePath)), []);
      }

      const request = {
        sourceDirectory: restorePath,
        repository,
        isFullBackup: false,
        description: "",
        excludePatterns: [],
      };
      const before = await dataPacks(repository);
      const made = await operations.create(request, job);
      assert.deepEqual([made.success, made.errors], [true, []]);
      assert.deepEqual(await dataPacks(repository), before, "every file's bytes were there");
      await check();
    });
  }
}

/** The names of the packs that hold files' bytes (FORMAT.md section 4). */
async function dataPacks(repository: StoreLocation): Promise<string[]> {
  const store = openStore(repository);
  const names: string[] = [];
  for await (const { key } of store.list("packs/")) {
    const [kind] = await store.read(key, { offset: 9, length: 1 });
    if (kind === 0) names.push(key);
  }
  return names;
}

Deno.test("the encrypted fixture stays shut without its password", async () => {
  const place: StoreLocation = { type: "directory", path: `${FIXTURES}backup-format-1/encrypted` };
  for (const password of [undefined, "wrong"]) {
    const isRefused = (error: unknown) => error instanceof EngineError && error.kind === "wrong-password";
    await assert.rejects(openRepository(place, password), isRefused);
  }
});

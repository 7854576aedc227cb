/** Repositories on S3 and Azure, over HTTP: all of the backup API works there. */
import assert from "node:assert/strict";
import { type CloudEmulators, startClouds } from "../harness/cloud.ts";
import { commandText } from "../harness/command.ts";
import { createRandom } from "../harness/random.ts";
import { type Answer, type Server, startServer } from "../harness/server.ts";
import { assertError } from "../harness/sync.ts";
import { BUCKET } from "../harness/cloud.ts";

let clouds: CloudEmulators;
let server: Server;

Deno.test.beforeAll(async () => {
  clouds = await startClouds();
  server = await startServer({ env: clouds.env });
});

Deno.test.afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await clouds[Symbol.asyncDispose]();
});

async function done(answer: Promise<Answer>): Promise<Answer["body"]> {
  const { status, body, text } = await answer;
  assert.equal(status, 200, text);
  return body;
}

async function makeTree(directory: string): Promise<void> {
  const random = createRandom(21);
  for (let i = 0; i < 60; i++) {
    await Deno.mkdir(`${directory}/d${i % 7}/ü ${i % 3}`, { recursive: true });
    await Deno.writeFile(`${directory}/d${i % 7}/ü ${i % 3}/f${i}`, random.bytes(random.below(60_000)));
  }
  await Deno.writeFile(`${directory}/large`, random.bytes(70_000_000));
  await Deno.symlink("d1", `${directory}/link`);
}

const same = (a: string, b: string) => commandText("diff", ["-r", "--no-dereference", a, b]);

for (const [scheme, password] of [["s3", ""], ["azure", ""], ["s3", "correct horse"]]) {
  Deno.test(`a repository in ${scheme}${password && ", encrypted"}: create, list, browse, restore, check, prune`, async () => {
    const own = password === ""
      ? undefined
      : await startServer({ env: { ...clouds.env, SYNCLINE_REPOSITORY_PASSWORD: password } });
    const at = own ?? server;
    try {
      const id = crypto.randomUUID();
      const [source, restored] = [`${at.root}/source-${id}`, `${at.root}/restored-${id}`];
      await makeTree(source);
      const backupPath = `${scheme}://${BUCKET}/repositories/${id}`;
      const query = new URLSearchParams({ backupPath });
      assertError(await at.request("GET", `/backup/versions?${query}`), 404, "NOT_FOUND");

      const create = () =>
        done(at.request("POST", "/backup/create", { sourceDirectory: source, backupPath, isFullBackup: false }));
      const first = await create();
      assert.equal(first.fileCount, 61);
      await Deno.writeTextFile(`${source}/new`, "new");
      const second = await create();
      assert.deepEqual(second.changedFiles, ["new"]);
      const list = await done(at.request("GET", `/backup/versions?${query}`));
      assert.equal(list.totalCount, 2);

      const check = await done(at.request("POST", "/backup/check", { backupPath, readData: true }));
      assert.deepEqual([check.success, check.problems], [true, []]);
      await done(
        at.request("POST", "/backup/restore", { backupPath, versionId: second.versionId, restorePath: restored }),
      );
      await same(source, restored);

      const content = await at.fetch(`/backup/versions/${second.versionId}/content?${query}&path=new`, {
        headers: { authorization: `Bearer ${at.token}` },
      });
      assert.equal(await content.text(), "new");
      const files = await done(at.request("GET", `/backup/versions/${first.versionId}/files?${query}&path=d1`));
      assert.equal(files.entries.length, 3);

      await Deno.remove(`${source}/large`);
      await create();
      const pruned = await done(at.request("POST", "/backup/prune", { backupPath, retentionDays: 0 }));
      assert.equal(pruned.deletedCount, 2);
      assert.ok(pruned.reclaimedBytes > 60_000_000, String(pruned.reclaimedBytes));
      assert.equal((await done(at.request("POST", "/backup/check", { backupPath, readData: true }))).success, true);
      const [{ versionId }] = (await done(at.request("GET", `/backup/versions?${query}`))).versions;
      const restore = { backupPath, versionId, restorePath: restored, deleteExtra: true };
      await done(at.request("POST", "/backup/restore", restore));
      await same(source, restored);
    } finally {
      await own?.[Symbol.asyncDispose]();
    }
  });
}

Deno.test("a repository in a bucket that is not there, or at an endpoint that is not, is CLOUD_ERROR", async () => {
  const sourceDirectory = `${server.root}/small`;
  await Deno.mkdir(sourceDirectory);
  for (const backupPath of ["s3://no-such-bucket/r", "azure://no-such-container/r"]) {
    const query = new URLSearchParams({ backupPath });
    assertError(await server.request("POST", "/backup/create", { sourceDirectory, backupPath }), 503, "CLOUD_ERROR");
    assertError(await server.request("GET", `/backup/versions?${query}`), 503, "CLOUD_ERROR");
    assertError(await server.request("POST", "/backup/check", { backupPath }), 503, "CLOUD_ERROR");
  }
});

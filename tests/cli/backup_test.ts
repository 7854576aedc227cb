/** Backups from the command line: whoever has the repository, its password and the program gets the data back. */
import assert from "node:assert/strict";
import { createBackup } from "../harness/backup.ts";
import { syncline, synclineJson, synclineResult } from "../harness/command_line.ts";
import { assertSameTree } from "../harness/compare.ts";
import { createRandom, testSeed } from "../harness/random.ts";
import { RandomTree } from "../harness/random_tree.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { startServer } from "../harness/server.ts";

const PASSWORD = "correct horse battery staple";

Deno.test("what a server backed up comes back without it, from the repository and its password alone", async () => {
  const random = createRandom(testSeed("command line restore"));
  await using sandbox = await makeSandbox();
  const at = {
    source: `${sandbox.root}/source`,
    backupPath: `${sandbox.root}/repo`,
    restorePath: `${sandbox.root}/out`,
  };
  await Deno.mkdir(at.source);
  const tree = new RandomTree(at.source, random);
  tree.grow(60);
  await using server = await startServer({ sandbox, env: { SYNCLINE_REPOSITORY_PASSWORD: PASSWORD } });
  const { versionId } = await createBackup(server, at);

  // While the server runs and holds its data directory.
  const options = { cwd: sandbox.root, env: { SYNCLINE_DATA_DIR: sandbox.dataDir } };
  await Deno.writeTextFile(`${sandbox.root}/password`, `${PASSWORD}\n`);
  const withFile = ["--password-file", "password"];
  const refused = await synclineResult(["backup", "list", "repo"], 1, options);
  assert.equal(refused.errorCode, "FORBIDDEN");
  const listed = await synclineResult(["backup", "list", "repo", ...withFile], 0, options);
  assert.deepEqual(listed.versions.map((version: { versionId: string }) => version.versionId), [versionId]);
  const restored = await synclineResult(["backup", "restore", "repo", "latest", "out", ...withFile], 0, options);
  assert.deepEqual([restored.versionId, restored.success], [versionId, true]);
  await assertSameTree(at.source, at.restorePath);
});

Deno.test("create, list, restore, diff, prune, check and repair, as lines and as JSON", async () => {
  await using sandbox = await makeSandbox();
  const options = { cwd: sandbox.root };
  const run = (...args: string[]) => syncline(["backup", ...args], options);
  await Deno.mkdir(`${sandbox.root}/docs`);
  await Deno.writeTextFile(`${sandbox.root}/docs/a.txt`, "one");
  await Deno.writeTextFile(`${sandbox.root}/docs/b.tmp`, "temporary");

  const lines = await synclineJson(
    ["backup", "create", "docs", "repo", "--exclude", "*.tmp", "--description", "x"],
    0,
    options,
  );
  assert.ok(lines.slice(0, -1).every(({ type }) => type === "progress"), JSON.stringify(lines));
  const first = lines.at(-1);
  assert.deepEqual([first.type, first.fileCount, first.isFullBackup, first.description], ["result", 1, true, "x"]);
  const between = new Date().toISOString();
  await Deno.writeTextFile(`${sandbox.root}/docs/a.txt`, "two!");
  const second = await run("create", "docs", "repo");
  assert.deepEqual([second.code, second.stderr], [0, ""]);
  assert.match(second.stdout, /^Version [0-9a-f-]{36}\n2 files of 13 bytes; 2 changed, 0 removed; /);

  const list = await run("list", "repo");
  assert.equal(list.stdout.trimEnd().split("\n").length, 3, list.stdout);
  const restored = await run("restore", "repo", between, "old");
  assert.deepEqual([restored.code, await Deno.readTextFile(`${sandbox.root}/old/a.txt`)], [0, "one"]);
  const chosen = await run("restore", "repo", "latest", "new", "--path", "b.tmp");
  assert.match(chosen.stdout, /^Restored 1 file of 9 bytes/);
  const diff = await run("diff", "repo", first.versionId, "latest");
  const changes = diff.stdout.split("\n").filter((line) => line.includes("."));
  assert.deepEqual(changes, ["M a.txt", "+ b.tmp"]);
  const differences = await synclineJson(["backup", "diff", "repo", first.versionId, "latest"], 0, options);
  assert.equal(differences.at(-1).totalCount, differences.length - 1);

  const planned = await run("prune", "repo", "--keep-last", "1", "--dry-run");
  assert.match(planned.stdout, new RegExp(`^Would delete ${first.versionId}\n`));
  assert.equal((await synclineResult(["backup", "prune", "repo", "--keep-last", "1"], 0, options)).deletedCount, 1);
  const checked = await run("check", "repo", "--read-data");
  assert.match(checked.stdout, /^No problems in 1 version, /);

  await damage(`${sandbox.root}/repo/packs`);
  const found = await synclineResult(["backup", "check", "repo", "--read-data"], 3, options);
  assert.ok(found.problemCount > 0);
  assert.equal((await synclineResult(["backup", "repair", "repo"], 3, options)).lostFileCount > 0, true);
  assert.equal((await run("check", "repo", "--read-data")).code, 0);

  const missing = await synclineResult(["backup", "restore", "repo", first.versionId, "x"], 1, options);
  assert.equal(missing.errorCode, "NOT_FOUND");
});

/** Flips a bit in the first frame of each pack. */
async function damage(packs: string): Promise<void> {
  for await (const folder of Deno.readDir(packs)) {
    for await (const { name } of Deno.readDir(`${packs}/${folder.name}`)) {
      const path = `${packs}/${folder.name}/${name}`;
      const bytes = await Deno.readFile(path);
      // Only packs of files' data: without a tree nothing could be named.
      if (bytes[9] !== 0) continue;
      bytes[50] ^= 1;
      await Deno.chmod(path, 0o600);
      await Deno.writeFile(path, bytes);
    }
  }
}

Deno.test("passwords are added, listed, changed and removed, and never an argument", async () => {
  await using sandbox = await makeSandbox();
  await Deno.mkdir(`${sandbox.root}/docs`);
  await Deno.writeTextFile(`${sandbox.root}/docs/a`, "a");
  const options = (password: string) => ({ cwd: sandbox.root, env: { SYNCLINE_REPOSITORY_PASSWORD: password } });
  const write = (name: string, text: string) => Deno.writeTextFile(`${sandbox.root}/${name}`, `${text}\n`);
  await write("second", "the second one");
  await write("third", "the third one");
  await synclineResult(["backup", "create", "docs", "repo"], 0, options("the first one"));
  const adding = ["key", "add", "repo", "--new-password-file", "second", "--label", "laptop"];
  const added = await synclineResult(adding, 0, options("the first one"));
  const { keys } = await synclineResult(["key", "list", "repo"], 0, options("the second one"));
  assert.deepEqual(keys.map(({ label }: { label: string }) => label).sort(), ["first", "laptop"].sort());
  const first = keys.find(({ keyId }: { keyId: string }) => keyId !== added.keyId);
  await synclineResult(["key", "change", "repo", "--new-password-file", "third"], 0, options("the second one"));
  await synclineResult(["backup", "list", "repo"], 1, options("the second one"));
  await synclineResult(["key", "remove", "repo", first.keyId], 0, options("the third one"));
  await synclineResult(["backup", "list", "repo"], 1, options("the first one"));
  assert.equal((await synclineResult(["backup", "list", "repo"], 0, options("the third one"))).totalCount, 1);
  const [last] = (await synclineResult(["key", "list", "repo"], 0, options("the third one"))).keys;
  const refused = await synclineResult(["key", "remove", "repo", last.keyId], 1, options("the third one"));
  assert.equal(refused.errorCode, "CONFLICT");
});

/** Backups over HTTP, as the reference shows them. */
import assert from "node:assert/strict";
import {
  assertSound,
  createBackup,
  makeBackupPlaces,
  ok,
  postCreate,
  query,
  remember,
  restore,
  versions,
} from "../harness/backup.ts";
import { assertSameTree, compareSnapshots } from "../harness/compare.ts";
import { createRandom, testSeed } from "../harness/random.ts";
import { RandomTree } from "../harness/random_tree.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError, TIMESTAMP } from "../harness/sync.ts";

const server = sharedServer();
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

Deno.test("create answers as the reference shows, the first version of a source being full", async () => {
  const at = await makeBackupPlaces(server());
  await Deno.writeTextFile(`${at.source}/file1.txt`, "one");
  await Deno.mkdir(`${at.source}/sub`);
  await Deno.writeTextFile(`${at.source}/sub/file2.dat`, "22");
  const body = await createBackup(server(), at, {
    isFullBackup: false,
    description: "Incremental backup of application data",
  });
  assert.match(body.versionId, UUID);
  assert.match(body.createdAt, TIMESTAMP);
  assert.deepEqual([body.totalSize, body.fileCount, body.isFullBackup], [5, 2, true]);
  assert.deepEqual(body.changedFiles.sort(), ["file1.txt", "sub/file2.dat"]);
  assert.equal(body.changedFileCount, 2);

  await Deno.writeTextFile(`${at.source}/file1.txt`, "three");
  const next = await createBackup(server(), at);
  assert.deepEqual([next.totalSize, next.fileCount, next.isFullBackup], [7, 2, false]);
  assert.deepEqual([next.changedFiles, next.parentVersionId], [["file1.txt"], body.versionId]);
  const full = await createBackup(server(), at, { isFullBackup: true });
  assert.deepEqual([full.isFullBackup, full.changedFiles, full.newBytes], [true, [], 0]);
});

Deno.test("versions lists them newest first, as the reference shows", async () => {
  const at = await makeBackupPlaces(server());
  await Deno.writeTextFile(`${at.source}/a`, "a");
  const made = [await createBackup(server(), at, { description: "first" }), await createBackup(server(), at)];
  const listed = await versions(server(), at.backupPath);
  assert.deepEqual(listed.map(({ versionId }) => versionId), made.map(({ versionId }) => versionId).reverse());
  const { versionId, createdAt, totalSize, fileCount, isFullBackup, description } = listed[1];
  assert.deepEqual(
    { versionId, createdAt, totalSize, fileCount, isFullBackup, description },
    {
      versionId: made[0].versionId,
      createdAt: made[0].createdAt,
      totalSize: 1,
      fileCount: 1,
      isFullBackup: true,
      description: "first",
    },
  );
});

Deno.test("each version of a random tree is restored as it was, and the repository is sound", async () => {
  const random = createRandom(testSeed("backups over HTTP"));
  const at = await makeBackupPlaces(server());
  const tree = new RandomTree(at.source, random);
  tree.grow(150);
  const kept = [];
  for (let round = 0; round < 3; round++) {
    kept.push({ versionId: (await createBackup(server(), at)).versionId, tree: await remember(at.source) });
    tree.mutate(40);
  }
  for (const { versionId, tree } of kept) {
    const restorePath = `${at.restorePath}-${versionId}`;
    const body = await restore(server(), { ...at, restorePath }, versionId, { verify: true });
    assert.equal(body.versionId, versionId);
    assert.deepEqual(compareSnapshots(tree, await remember(restorePath)), []);
  }
  // In place: from the last version to the first, and nothing is left of what came after it.
  const restorePath = `${at.restorePath}-${kept[2].versionId}`;
  await restore(server(), { ...at, restorePath }, kept[0].versionId, { deleteExtra: true });
  assert.deepEqual(compareSnapshots(kept[0].tree, await remember(restorePath)), []);
  await assertSound(server(), at.backupPath);
});

Deno.test("restore takes chosen paths, and says what it would do", async () => {
  const at = await makeBackupPlaces(server());
  await Deno.mkdir(`${at.source}/wanted/deep`, { recursive: true });
  await Deno.writeTextFile(`${at.source}/wanted/deep/file`, "wanted");
  await Deno.writeTextFile(`${at.source}/other`, "other");
  const { versionId } = await createBackup(server(), at);
  const planned = await restore(server(), at, versionId, { dryRun: true });
  assert.deepEqual([planned.dryRun, planned.filesRestored, planned.bytesRestored], [true, 2, 11]);
  await assert.rejects(Deno.stat(at.restorePath), Deno.errors.NotFound);
  const body = await restore(server(), at, versionId, { paths: ["wanted/deep"] });
  assert.deepEqual([body.filesRestored, body.bytesRestored], [1, 6]);
  assert.deepEqual(await names(at.restorePath), ["wanted"]);
  assert.equal(await Deno.readTextFile(`${at.restorePath}/wanted/deep/file`), "wanted");
});

Deno.test("restore-point-in-time takes the newest version not after it, by GET and POST", async () => {
  const at = await makeBackupPlaces(server());
  await Deno.writeTextFile(`${at.source}/file`, "old");
  const first = await createBackup(server(), at);
  await Deno.writeTextFile(`${at.source}/file`, "newer");
  const second = await createBackup(server(), at);
  const { backupPath } = at;
  const restoreTo = async (method: string, restorePath: string, pointInTime: string) => {
    const parameters = { backupPath, restorePath, pointInTime };
    return method === "GET"
      ? await server().request("GET", `/backup/restore-point-in-time?${query(parameters)}`)
      : await server().request("POST", "/backup/restore-point-in-time", parameters);
  };
  for (const method of ["GET", "POST"]) {
    const old = ok(await restoreTo(method, `${at.restorePath}-${method}-1`, first.createdAt));
    assert.deepEqual([old.success, old.versionId], [true, first.versionId]);
    assert.equal(await Deno.readTextFile(`${at.restorePath}-${method}-1/file`), "old");
    const newest = ok(await restoreTo(method, `${at.restorePath}-${method}-2`, "2999-01-01T00:00:00Z"));
    assert.equal(newest.versionId, second.versionId);
    const none = await restoreTo(method, `${at.restorePath}-${method}-3`, "2001-01-01T00:00:00Z");
    assertError(none, 404, "NOT_FOUND");
  }
  const parameters = { backupPath, restorePath: `${at.restorePath}-HEAD`, pointInTime: second.createdAt };
  const head = await server().request("HEAD", `/backup/restore-point-in-time?${query(parameters)}`);
  assert.deepEqual([head.status, head.headers.get("allow")], [405, "GET, POST"]);
  await assert.rejects(Deno.stat(parameters.restorePath), Deno.errors.NotFound);
});

Deno.test("prune deletes what no rule keeps, never the newest, and what is left is whole", async () => {
  const at = await makeBackupPlaces(server());
  const made = [];
  for (let round = 0; round < 4; round++) {
    await Deno.writeFile(`${at.source}/file-${round}`, crypto.getRandomValues(new Uint8Array(50_000)));
    if (round > 0) await Deno.remove(`${at.source}/file-${round - 1}`);
    made.push((await createBackup(server(), at)).versionId);
  }
  const { backupPath } = at;
  const prune = async (parameters: Record<string, string>, body?: object) =>
    ok(await server().request("POST", `/backup/prune?${query({ backupPath, ...parameters })}`, body));
  const kept = await prune({ retentionDays: "30" });
  assert.deepEqual([kept.deletedCount, kept.keptVersions], [0, 4]);
  const planned = await prune({ keepLast: "2", dryRun: "true" });
  assert.deepEqual([planned.deletedCount, planned.dryRun], [2, true]);
  assert.equal((await versions(server(), backupPath)).length, 4);
  const done = await prune({ keepLast: "2" });
  assert.deepEqual([done.deletedCount, done.deletedVersions.sort()], [2, made.slice(0, 2).sort()]);
  assert.ok(done.reclaimedBytes >= 90_000, JSON.stringify(done));
  assert.equal((await prune({}, { retentionDays: 0 })).deletedCount, 1);
  await assertSound(server(), backupPath);
  await restore(server(), at, made[3]);
  await assertSameTree(at.source, at.restorePath);
});

Deno.test("prune without any rule is refused, since it would keep next to nothing", async () => {
  const at = await makeBackupPlaces(server());
  await createBackup(server(), at);
  const answer = await server().request("POST", `/backup/prune?${query({ backupPath: at.backupPath })}`);
  assert.match(assertError(answer, 400, "INVALID_REQUEST").details, /retentionDays/);
});

Deno.test("check names what a flipped bit costs, repair salvages the rest", async () => {
  const at = await makeBackupPlaces(server());
  for (const name of ["a", "b", "c"]) {
    await Deno.writeFile(`${at.source}/${name}`, createRandom(name.charCodeAt(0)).bytes(700_000));
  }
  const { versionId } = await createBackup(server(), at);
  await flipBitInLargestPack(at.backupPath);
  const { backupPath } = at;
  const checked = ok(await server().request("POST", "/backup/check", { backupPath, readData: true }));
  assert.equal(checked.success, false);
  assert.equal(checked.problemCount, checked.problems.length);
  const lost = checked.problems.flatMap(({ files }: { files: string[] }) => files);
  assert.equal(lost.length, 1, JSON.stringify(checked.problems));
  assert.match(lost[0], new RegExp(`^${versionId}:[abc]$`));

  const damaged = ok(
    await server().request("POST", "/backup/restore", { backupPath, versionId, restorePath: at.restorePath }),
  );
  assert.deepEqual([damaged.success, damaged.filesRestored, damaged.errors.length], [false, 2, 1]);
  assert.ok(damaged.errors[0].startsWith(`${lost[0].slice(-1)}: `), damaged.errors[0]);

  const repaired = ok(await server().request("POST", "/backup/repair", { backupPath }));
  assert.deepEqual([repaired.success, repaired.lostFileCount], [false, 1], JSON.stringify(repaired));
  assert.deepEqual(repaired.lostFiles, lost);
  await assertSound(server(), backupPath);
  const [version] = await versions(server(), backupPath);
  assert.equal(version.fileCount, 2);
});

async function names(directory: string): Promise<string[]> {
  return await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
}

/** In its middle, which a frame covers. */
async function flipBitInLargestPack(backupPath: string): Promise<void> {
  let largest = { path: "", size: 0 };
  for (const folder of await names(`${backupPath}/packs`)) {
    for (const pack of await names(`${backupPath}/packs/${folder}`)) {
      const path = `${backupPath}/packs/${folder}/${pack}`;
      const { size } = await Deno.stat(path);
      if (size > largest.size) largest = { path, size };
    }
  }
  const bytes = await Deno.readFile(largest.path);
  bytes[bytes.length >> 1] ^= 1;
  await Deno.chmod(largest.path, 0o600);
  await Deno.writeFile(largest.path, bytes);
}

Deno.test("what is not there, foreign or not possible has an error of its own", async () => {
  const at = await makeBackupPlaces(server());
  const { backupPath, restorePath } = at;
  const nowhere = await server().request("GET", `/backup/versions?${query({ backupPath })}`);
  assert.match(assertError(nowhere, 404, "NOT_FOUND").details, /repository/i);
  await Deno.writeTextFile(`${at.source}/file`, "x");
  await createBackup(server(), at);
  for (const versionId of [crypto.randomUUID(), "550e8400", "../config"]) {
    const answer = await server().request("POST", "/backup/restore", { backupPath, versionId, restorePath });
    assert.match(assertError(answer, 404, "NOT_FOUND").details, /version/i);
  }
  const missing = await postCreate(server(), { ...at, source: `${at.source}/missing` });
  assert.match(assertError(missing, 500, "BACKUP_FAILED").details, /missing/);
  for (const source of [backupPath, `${backupPath}/packs`]) {
    assert.match(
      assertError(await postCreate(server(), { ...at, source }), 400, "INVALID_REQUEST").details,
      /repository/,
    );
  }
  await Deno.mkdir(`${backupPath}-foreign`);
  await Deno.writeTextFile(`${backupPath}-foreign/somebody's`, "data");
  const foreign = await postCreate(server(), { ...at, backupPath: `${backupPath}-foreign` });
  assertError(foreign, 409, "CONFLICT");
  assert.deepEqual(await names(`${backupPath}-foreign`), ["somebody's"]);
  await assert.rejects(Deno.stat(restorePath), Deno.errors.NotFound);
});

/** A full disk: files that do not fit are named, none is half there, the others are fine, and room heals it. */
import assert from "node:assert/strict";
import { assertSameTree, snapshot } from "../harness/compare.ts";
import { shell } from "../harness/command.ts";
import { poll } from "../harness/poll.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { type Json, startServer } from "../harness/server.ts";
import { sharedServer } from "../harness/suite.ts";
import { makePair, type Pair, postSync, sync } from "../harness/sync.ts";
import { CANNOT_MOUNT, mountTmpfs, resizeTmpfs } from "./tmpfs.ts";

const server = sharedServer();

/** Registers a test that needs to mount; skipped, by name, where that is not allowed. */
function mountingTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `${name} (mounts a tmpfs as root)`, ignore: CANNOT_MOUNT, fn });
}

/** Every file of the target is one of the given whole versions of its path; returns the paths that are there. */
async function assertWholeFiles(target: string, versions: Map<string, string[]>): Promise<string[]> {
  const found = [...await snapshot(target)].filter(([, { type }]) => type === "f");
  for (const [path, { sha256 }] of found) {
    assert.ok(versions.get(path)?.includes(sha256), `${JSON.stringify(path)} is no whole file of the source`);
  }
  return found.map(([path]) => path);
}

async function hashes(directory: string, into = new Map<string, string[]>()): Promise<Map<string, string[]>> {
  for (const [path, { sha256 }] of await snapshot(directory)) into.set(path, [...into.get(path) ?? [], sha256]);
  return into;
}

function assertEachMissingIsNamed(body: Json, missing: string[]): void {
  assert.equal(body.success, false);
  for (const path of missing) {
    assert.ok(body.errors.some((error: string) => error.startsWith(`${path}: `)), `${path} is not in ${body.errors}`);
  }
}

async function syncIntoFull(pair: Pair, fields: Json = {}): Promise<Json> {
  const answer = await postSync(server(), pair, fields);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

mountingTest("a first copy into a disk that is too small", async () => {
  const pair = await makePair(server());
  await shell(
    "mkdir d; for i in $(seq 30); do head -c 500000 /dev/urandom >d/large$i; printf small$i >small$i; done",
    [],
    { cwd: pair.source },
  );
  await using _disk = await mountTmpfs(pair.target, "6m");
  const body = await syncIntoFull(pair);
  const versions = await hashes(pair.source);
  const there = await assertWholeFiles(pair.target, versions);
  const wanted = [...versions].filter(([path]) => path !== "d").map(([path]) => path);
  const missing = wanted.filter((path) => !there.includes(path));
  assert.ok(missing.length > 0 && missing.length < wanted.length);
  assertEachMissingIsNamed(body, missing);
  await resizeTmpfs(pair.target, "64m");
  await sync(server(), pair);
  await assertSameTree(pair.source, pair.target);
});

mountingTest("an update that does not fit keeps the old versions whole", async () => {
  const pair = await makePair(server());
  const make = "for i in $(seq 10); do head -c 400000 /dev/urandom >file$i; done";
  await shell(make, [], { cwd: pair.source });
  await using _disk = await mountTmpfs(pair.target, "4500k");
  await sync(server(), pair);
  const versions = await hashes(pair.source);
  await shell(`${make}; head -c 3000000 /dev/urandom >file3`, [], { cwd: pair.source });
  await hashes(pair.source, versions);
  const body = await syncIntoFull(pair, { deleteMissingInTarget: true });
  assert.equal((await assertWholeFiles(pair.target, versions)).length, 10, "each file is there, old or new");
  assertEachMissingIsNamed(body, ["file3"]);
  await resizeTmpfs(pair.target, "64m");
  await sync(server(), pair);
  await assertSameTree(pair.source, pair.target);
});

mountingTest("a target with no inode left", async () => {
  const pair = await makePair(server());
  await shell("mkdir d; for i in $(seq 40); do printf $i >d/$i; ln -s $i l$i; done", [], { cwd: pair.source });
  await using _disk = await mountTmpfs(pair.target, "4m,nr_inodes=30");
  const body = await syncIntoFull(pair);
  assert.equal(body.success, false);
  await assertWholeFiles(pair.target, await hashes(pair.source));
  await shell('mount -o remount,nr_inodes=1000 "$1"', [pair.target]);
  await sync(server(), pair);
  await assertSameTree(pair.source, pair.target);
});

mountingTest("a trash on another file system keeps what is overwritten and deleted, modes and times too", async () => {
  const pair = await makePair(server());
  const trashDirectory = `${server().root}/trash-elsewhere`;
  await Deno.mkdir(trashDirectory);
  await using _disk = await mountTmpfs(trashDirectory, "16m");
  await shell(
    "mkdir d; printf old >file; chmod 640 file; touch -d 2001-01-01 file; printf gone >d/gone; ln -s gone d/link",
    [],
    {
      cwd: pair.source,
    },
  );
  await sync(server(), pair);
  await shell("printf new >file; rm -r d", [], { cwd: pair.source });
  await sync(server(), pair, { trashDirectory, deleteMissingInTarget: true });
  await assertSameTree(pair.source, pair.target);
  const kept = await shell(
    "find . -type f -printf '%f %m %TY '  -exec cat {} ';' -printf '\n' | sort; find . -type l -printf '%l\n'",
    [],
    {
      cwd: trashDirectory,
    },
  );
  assert.match(kept, /^file 640 2001 old\ngone \d+ \d+ gone\ngone\n$/);
});

mountingTest("a full trash costs nothing: what cannot be kept is not overwritten or deleted", async () => {
  const pair = await makePair(server());
  const trashDirectory = `${server().root}/trash-full`;
  await Deno.mkdir(trashDirectory);
  await using _disk = await mountTmpfs(trashDirectory, "1m");
  await shell("head -c 3000000 /dev/urandom >large; head -c 3000000 /dev/urandom >doomed; printf 1 >small", [], {
    cwd: pair.source,
  });
  await sync(server(), pair);
  const before = await hashes(pair.target);
  await shell("head -c 3000001 /dev/urandom >large; rm doomed; printf 22 >small", [], { cwd: pair.source });
  const body = await syncIntoFull(pair, { trashDirectory, deleteMissingInTarget: true });
  assertEachMissingIsNamed(body, ["large", "doomed"]);
  const after = await hashes(pair.target);
  for (const path of ["large", "doomed"]) assert.deepEqual(after.get(path), before.get(path), path);
  assert.equal(await Deno.readTextFile(`${pair.target}/small`), "22");
});

mountingTest("a read-only target is an error that says so", async () => {
  const pair = await makePair(server());
  await shell("printf 1 >file", [], { cwd: pair.source });
  await using _disk = await mountTmpfs(pair.target, "1m");
  await shell('mount -o remount,ro "$1"', [pair.target]);
  const answer = await postSync(server(), pair);
  assert.ok(answer.status >= 400 || answer.body.success === false, answer.text);
  assert.match(answer.text, /read-only/i);
  await shell('mount -o remount,rw "$1"', [pair.target]);
  await sync(server(), pair);
  await assertSameTree(pair.source, pair.target);
});

mountingTest("/health measures the data directory's disk: full is not healthy, room is", async () => {
  await using sandbox = await makeSandbox();
  await Deno.mkdir(sandbox.dataDir);
  await using _disk = await mountTmpfs(sandbox.dataDir, "32m");
  await using own = await startServer({ sandbox });
  await Deno.mkdir(`${own.root}/source`);
  const health = async () => (await own.request("GET", "/health")).body.status;
  await shell('head -c 100000000 /dev/zero >"$1/filler" || true', [sandbox.dataDir]);
  await poll("health to notice the full disk", async () => ["degraded", "unhealthy"].includes(await health()));
  // What cannot be stored durably must not be promised.
  const started = await own.request("POST", "/sync/session/start", {
    sourceLocation: "a",
    targetLocation: "b",
    syncType: "Full",
  });
  if (started.status < 300) {
    const status = await own.request("GET", `/sync/session/${started.body.sessionId}/status`);
    assert.equal(status.status, 200, status.text);
  }
  await Deno.remove(`${sandbox.dataDir}/filler`);
  await poll("health to notice the room", async () => ["healthy", "degraded"].includes(await health()));
  const pair = { source: `${own.root}/source`, target: `${own.root}/target` };
  assert.equal((await postSync(own, pair)).status, 200);
  await own.stop();
});

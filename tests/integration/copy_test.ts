/** The main job: first copy, nothing to do, update, delete. */
import assert from "node:assert/strict";
import { assertSameTree, snapshot } from "../harness/compare.ts";
import { shell } from "../harness/command.ts";
import { sharedServer } from "../harness/suite.ts";
import { makePair, type Pair, sync, TIMESTAMP } from "../harness/sync.ts";

const server = sharedServer();

/** A small tree with one of each. */
async function makeTree({ source }: Pair): Promise<void> {
  await shell(
    `mkdir -p a/b/c empty 'with space'
    printf one >one.txt; printf two >a/two.txt; printf three >a/b/three.bin; : >'with space/empty file'
    head -c 3000000 /dev/urandom >a/large
    ln -s ../one.txt a/link; ln one.txt hard.txt
    chmod 640 a/two.txt; chmod 750 a/b
    touch -d '2020-02-02 02:02:02.123456789' one.txt a/b/c; touch -h -d '1999-01-01 00:00:00.5' a/link`,
    [],
    { cwd: source },
  );
}

Deno.test("a first copy is exact, and answers as the reference says", async () => {
  const pair = await makePair(server());
  await makeTree(pair);
  const body = await sync(server(), pair);
  await assertSameTree(pair.source, pair.target);
  // Directories a, a/b, a/b/c, empty, "with space"; six files, two of them one; one link.
  assert.equal(body.changesApplied, 12);
  assert.equal(body.conflictsEncountered, 0);
  assert.match(body.syncedAt, TIMESTAMP);
  assert.ok(Number.isInteger(body.executionTimeMs) && body.executionTimeMs >= 0);
});

Deno.test("with nothing to do nothing is done", async () => {
  const pair = await makePair(server());
  await makeTree(pair);
  await sync(server(), pair);
  const before = await snapshot(pair.target);
  for (const fields of [{}, { deleteMissingInTarget: true }, { verifyIntegrity: true }]) {
    assert.equal((await sync(server(), pair, fields)).changesApplied, 0);
  }
  // Inode numbers are compared too: no file was written anew.
  assert.deepEqual(await snapshot(pair.target), before);
});

Deno.test("a source that does not change is not touched", async () => {
  const pair = await makePair(server());
  await makeTree(pair);
  const before = await snapshot(pair.source);
  await sync(server(), pair, { deleteMissingInTarget: true, verifyIntegrity: true });
  assert.deepEqual(await snapshot(pair.source), before);
});

Deno.test("an update applies exactly what changed", async () => {
  const pair = await makePair(server());
  await makeTree(pair);
  await sync(server(), pair);
  const before = await snapshot(pair.target);
  await shell(`printf TWO >a/two.txt; printf new >a/new.txt; touch -d 2021-01-01 a`, [], { cwd: pair.source });
  const { changesApplied } = await sync(server(), pair);
  await assertSameTree(pair.source, pair.target);
  // The directory's own time may count as a change of it.
  assert.ok(changesApplied === 2 || changesApplied === 3, String(changesApplied));
  const after = await snapshot(pair.target);
  for (const path of ["a/large", "one.txt", "a/b/three.bin", "a/link"]) {
    assert.deepEqual(after.get(path), before.get(path));
  }
});

Deno.test("a change of the same size, seen by its time alone, is copied", async () => {
  const pair = await makePair(server());
  await shell("printf aaaa >file; touch -d '2020-01-01 00:00:00.000000001' file", [], { cwd: pair.source });
  await sync(server(), pair);
  await shell("printf bbbb >file; touch -d '2020-01-01 00:00:00.000000002' file", [], { cwd: pair.source });
  assert.equal((await sync(server(), pair)).changesApplied, 1);
  await assertSameTree(pair.source, pair.target);
});

Deno.test("an older file in the source replaces a newer one in the target", async () => {
  const pair = await makePair(server());
  await shell("printf newer >file; touch -d 2030-01-01 file", [], { cwd: pair.source });
  await sync(server(), pair);
  await shell("printf restored >file; touch -d 2000-01-01 file", [], { cwd: pair.source });
  await sync(server(), pair);
  await assertSameTree(pair.source, pair.target);
});

Deno.test("what is missing in the source stays, until deleteMissingInTarget", async () => {
  const pair = await makePair(server());
  await makeTree(pair);
  await sync(server(), pair);
  await shell(`rm -r a/b one.txt a/link`, [], { cwd: pair.source });
  await sync(server(), pair);
  assert.equal(await Deno.readTextFile(`${pair.target}/a/b/three.bin`), "three");
  assert.equal(await Deno.readTextFile(`${pair.target}/one.txt`), "one");
  const { changesApplied } = await sync(server(), pair, { deleteMissingInTarget: true });
  await assertSameTree(pair.source, pair.target);
  // a/b, a/b/c, a/b/three.bin, one.txt, a/link; the parent's time may count.
  assert.ok(changesApplied === 5 || changesApplied === 6, String(changesApplied));
});

Deno.test("modes and times alone are brought over without writing the file", async () => {
  const pair = await makePair(server());
  await makeTree(pair);
  await sync(server(), pair);
  const { ino } = await Deno.stat(`${pair.target}/a/large`);
  await shell("chmod 600 a/large; chmod 700 empty", [], { cwd: pair.source });
  const { changesApplied } = await sync(server(), pair);
  await assertSameTree(pair.source, pair.target);
  assert.equal(changesApplied, 2);
  assert.equal((await Deno.stat(`${pair.target}/a/large`)).ino, ino);
});

Deno.test("verifyIntegrity copies just as exactly", async () => {
  const pair = await makePair(server());
  await makeTree(pair);
  await sync(server(), pair, { verifyIntegrity: true });
  await assertSameTree(pair.source, pair.target);
});

Deno.test("an empty source and an empty target are in agreement", async () => {
  const pair = await makePair(server());
  assert.equal((await sync(server(), pair, { deleteMissingInTarget: true })).changesApplied, 0);
});

Deno.test("a renamed file and a renamed directory arrive under their new names only", async () => {
  const pair = await makePair(server());
  await makeTree(pair);
  await sync(server(), pair);
  await shell("mv a renamed; mv one.txt ONE.TXT; mv hard.txt empty/", [], { cwd: pair.source });
  await sync(server(), pair, { deleteMissingInTarget: true });
  await assertSameTree(pair.source, pair.target);
});

Deno.test("file and directory names that differ in case only change places", async () => {
  const pair = await makePair(server());
  await shell("printf aa >Name; printf b >name; mkdir Dir; printf c >Dir/x", [], { cwd: pair.source });
  await sync(server(), pair);
  await shell("mv Name between; mv name Name; mv between name; mv Dir dir", [], { cwd: pair.source });
  await sync(server(), pair, { deleteMissingInTarget: true });
  await assertSameTree(pair.source, pair.target);
});

Deno.test("a sparse file stays sparse and equal", async () => {
  const pair = await makePair(server());
  await shell(
    `truncate -s 300M sparse; printf head | dd of=sparse conv=notrunc status=none
    printf middle | dd of=sparse conv=notrunc bs=1 seek=123456789 status=none; truncate -s 5M hole`,
    [],
    { cwd: pair.source },
  );
  await sync(server(), pair);
  await assertSameTree(pair.source, pair.target);
  const allocated = Number((await shell('du -k "$1" | cut -f1', [`${pair.target}/sparse`])).trim());
  assert.ok(allocated < 16_000, `${allocated} KiB allocated`);
});

Deno.test("what lies beyond 4 GiB of a file arrives", async () => {
  const pair = await makePair(server());
  const tail = `printf "$1" | dd of=huge conv=notrunc bs=1 seek=4294967301 status=none; truncate -s 5G huge`;
  const readTail = () => shell("tail -c +4294967302 huge | head -c 8; stat -c %s huge", [], { cwd: pair.target });
  await shell(tail, ["beyond-1"], { cwd: pair.source });
  await sync(server(), pair);
  assert.equal(await readTail(), "beyond-15368709120\n");
  await shell(tail, ["beyond-2"], { cwd: pair.source });
  await sync(server(), pair);
  assert.equal(await readTail(), "beyond-25368709120\n");
});

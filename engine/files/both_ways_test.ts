import assert from "node:assert/strict";
import * as fs from "node:fs";
import { type Part, World } from "./world.ts";

const BOTH: Part = { direction: "two-way" };

/** Every path below a side but its trash. */
function list(world: World, side: "source" | "target"): Record<string, string> {
  return Object.fromEntries(
    Object.entries(world.list(world[side])).filter(([path]) => !path.startsWith(".syncline-trash")),
  );
}

/** The contents that a side's trash keeps. */
function trashed(world: World, side: "source" | "target"): string[] {
  return Object.entries(world.list(world[side])).filter(([path, text]) =>
    path.startsWith(".syncline-trash") && text !== "/"
  ).map(([, text]) => text).sort();
}

function assertBoth(world: World, expected: Record<string, string>): void {
  assert.deepEqual(list(world, "source"), expected);
  assert.deepEqual(list(world, "target"), expected);
}

/** A later time than any before, so that a write is seen as one whatever the clock's steps are. */
let clock = 1_700_000_000;
function write(world: World, path: string, text: string): void {
  world.write(path, text);
  fs.utimesSync(`${world.path}/${path}`, ++clock, clock);
}

Deno.test("changes on either side go to the other", async () => {
  using world = new World();
  write(world, "source/left", "1");
  write(world, "source/both", "same");
  write(world, "target/right/deep", "2");
  fs.mkdirSync(`${world.target}/empty`);
  const first = await world.sync(BOTH);
  assert.deepEqual([first.errors, first.conflictsEncountered, first.statistics.deleted], [[], 0, 0]);
  assertBoth(world, { left: "1", both: "same", right: "/", "right/deep": "2", empty: "/" });
  assert.equal((await world.sync(BOTH)).changesApplied, 0);

  write(world, "target/left", "1 changed there");
  write(world, "source/right/deep", "2 changed here");
  write(world, "source/right/new", "3");
  fs.rmSync(`${world.target}/both`);
  fs.rmdirSync(`${world.source}/empty`);
  const second = await world.sync(BOTH);
  assert.deepEqual([second.errors, second.conflicts, second.statistics.deleted], [[], [], 2]);
  assertBoth(world, { left: "1 changed there", right: "/", "right/deep": "2 changed here", "right/new": "3" });
  assert.deepEqual(trashed(world, "source"), ["1", "same"]);
  assert.deepEqual(trashed(world, "target"), ["2"]);
  assert.equal((await world.sync(BOTH)).changesApplied, 0);
});

Deno.test("a conflict goes as the strategy says, and what lost is in the trash", async () => {
  const expected = {
    SourceWins: [{ file: "left" }, "source"],
    TargetWins: [{ file: "right" }, "target"],
    LastWriteWins: [{ file: "right" }, "target"],
  } as const;
  for (const [conflictStrategy, [files, resolution]] of Object.entries(expected)) {
    using world = new World();
    const part = { ...BOTH, conflictStrategy } as Part;
    write(world, "source/file", "common");
    await world.sync(part);
    write(world, "source/file", "left");
    write(world, "target/file", "right");
    const result = await world.sync(part);
    assert.deepEqual(result.conflicts, [{ path: "file", kind: "modified", resolution }], conflictStrategy);
    assertBoth(world, files);
    const lost = [...trashed(world, "source"), ...trashed(world, "target")];
    assert.ok(lost.includes(files.file === "left" ? "right" : "left"), conflictStrategy);
    assert.deepEqual((await world.sync(part)).conflicts, []);
  }
});

Deno.test("KeepBoth has both versions on both sides, Manual changes neither", async () => {
  using world = new World();
  write(world, "source/file.txt", "common");
  await world.sync(BOTH);
  write(world, "source/file.txt", "left");
  write(world, "target/file.txt", "right");
  const manual = await world.sync({ ...BOTH, conflictStrategy: "Manual" });
  assert.deepEqual(manual.conflicts, [{ path: "file.txt", kind: "modified", resolution: "unresolved" }]);
  assert.deepEqual([list(world, "source"), list(world, "target")], [{ "file.txt": "left" }, { "file.txt": "right" }]);
  const { conflicts: [conflict], errors } = await world.sync({ ...BOTH, conflictStrategy: "KeepBoth" });
  assert.deepEqual(errors, []);
  assert.match(conflict.keptAs ?? "", /^file\.conflict-\d{8}T\d{6}Z\.txt$/);
  assertBoth(world, { "file.txt": "left", [conflict.keptAs as string]: "right" });
  assert.equal((await world.sync(BOTH)).changesApplied, 0);
});

Deno.test("an edit outlives a deletion on the other side, in directories too", async () => {
  for (const [edited, deleted] of [["source", "target"], ["target", "source"]] as const) {
    using world = new World();
    for (const name of ["file", "dir/edited", "dir/other", "dir/sub/deep", "gone/a/b", "kept"]) {
      write(world, `source/${name}`, name);
    }
    await world.sync(BOTH);
    for (const name of ["file", "dir", "gone"]) fs.rmSync(`${world[deleted]}/${name}`, { recursive: true });
    write(world, `${edited}/file`, "file edited");
    write(world, `${edited}/dir/edited`, "dir edited");
    write(world, `${edited}/dir/sub/new`, "new");
    const { errors, conflicts } = await world.sync({
      ...BOTH,
      conflictStrategy: deleted === "source" ? "SourceWins" : "TargetWins",
    });
    assert.deepEqual(errors, []);
    assert.deepEqual(conflicts.map(({ path }) => path).sort(), ["dir/edited", "file"]);
    assertBoth(world, {
      file: "file edited",
      dir: "/",
      "dir/edited": "dir edited",
      "dir/sub": "/",
      "dir/sub/new": "new",
      kept: "kept",
    });
    assert.deepEqual(trashed(world, edited), ["dir/other", "dir/sub/deep", "gone/a/b"]);
    assert.equal((await world.sync(BOTH)).changesApplied, 0);
  }
});

Deno.test("both came to the same: no conflict, also in a first run", async () => {
  using world = new World();
  write(world, "source/a", "equal");
  write(world, "target/a", "equal");
  write(world, "source/b", "one!");
  write(world, "target/b", "two!");
  const first = await world.sync(BOTH);
  assert.deepEqual(first.conflicts, [{ path: "b", kind: "added", resolution: "source" }]);
  assertBoth(world, { a: "equal", b: "one!" });
  write(world, "source/a", "again");
  write(world, "target/a", "again");
  fs.rmSync(`${world.source}/b`);
  fs.rmSync(`${world.target}/b`);
  assert.deepEqual((await world.sync(BOTH)).conflicts, []);
  assertBoth(world, { a: "again" });
});

Deno.test("a lost or damaged baseline deletes nothing", async () => {
  for (const spoil of [fs.rmSync, (path: string) => fs.writeFileSync(path, "x".repeat(8192))]) {
    using world = new World();
    write(world, "source/kept", "1");
    write(world, "source/deleted", "2");
    await world.sync(BOTH);
    fs.rmSync(`${world.target}/deleted`);
    const directory = `${world.path}/data/baselines`;
    for (const name of fs.readdirSync(directory)) {
      if (name.endsWith(".db")) spoil(`${directory}/${name}`);
      else fs.rmSync(`${directory}/${name}`);
    }
    const { statistics, errors } = await world.sync(BOTH);
    assert.deepEqual([statistics.deleted, errors], [0, []]);
    assertBoth(world, { kept: "1", deleted: "2" });
  }
});

Deno.test("an emptied or missing side stops the run before its first change", async () => {
  for (const side of ["source", "target"] as const) {
    using world = new World();
    write(world, "source/a", "1");
    write(world, "source/b", "2");
    await world.sync(BOTH);
    const other = side === "source" ? "target" : "source";
    write(world, `${other}/new`, "3");
    fs.rmSync(`${world[side]}/a`);
    fs.rmSync(`${world[side]}/b`);
    await assert.rejects(world.sync(BOTH), { kind: "conflict" });
    assert.deepEqual(list(world, other), { a: "1", b: "2", new: "3" });
    assert.deepEqual(list(world, side), {});
    fs.renameSync(world[side], `${world.path}/away`);
    await assert.rejects(world.sync(BOTH), { kind: side === "source" ? "sync-failed" : "conflict" });
    assert.deepEqual(list(world, other), { a: "1", b: "2", new: "3" });
    fs.renameSync(`${world.path}/away`, world[side]);
    await assert.rejects(world.sync({ ...BOTH, maxDelete: 1 }), { kind: "conflict" });
    await world.sync({ ...BOTH, maxDelete: 2 });
    assertBoth(world, { new: "3" });
  }
});

Deno.test("a dry run names the side of each step and touches nothing", async () => {
  using world = new World();
  write(world, "source/left", "1");
  write(world, "target/right", "2");
  const { plan, changesApplied } = await world.sync({ ...BOTH, dryRun: true });
  assert.deepEqual(plan?.map(({ action, path, side }) => [action, path, side]), [
    ["create", "left", "target"],
    ["create", "right", "source"],
  ]);
  assert.equal(changesApplied, 2);
  assert.deepEqual([list(world, "source"), list(world, "target")], [{ left: "1" }, { right: "2" }]);
});

Deno.test("a target that is not there yet is made; permissions that were changed last count", async () => {
  using world = new World();
  write(world, "source/dir/file", "1");
  assert.deepEqual((await world.sync(BOTH)).errors, []);
  assertBoth(world, { dir: "/", "dir/file": "1" });
  fs.chmodSync(`${world.target}/dir/file`, 0o600);
  await world.sync(BOTH);
  assert.equal(fs.statSync(`${world.source}/dir/file`).mode & 0o777, 0o600);
  fs.chmodSync(`${world.source}/dir/file`, 0o640);
  await world.sync(BOTH);
  assert.equal(fs.statSync(`${world.target}/dir/file`).mode & 0o777, 0o640);
});

Deno.test("a directory and a file that take each other's place", async () => {
  using world = new World();
  write(world, "source/a", "file");
  write(world, "source/b/in", "dir");
  await world.sync(BOTH);
  fs.rmSync(`${world.target}/a`);
  write(world, "target/a/in", "now a directory");
  fs.rmSync(`${world.target}/b`, { recursive: true });
  write(world, "target/b", "now a file");
  assert.deepEqual((await world.sync(BOTH)).errors, []);
  assertBoth(world, { a: "/", "a/in": "now a directory", b: "now a file" });
  assert.deepEqual(trashed(world, "source"), ["dir", "file"]);
});

Deno.test("a trash keeps things for as long as is asked", async () => {
  using world = new World();
  write(world, "source/a", "1");
  await world.sync(BOTH);
  const old = `${world.target}/.syncline-trash/20200101T000000Z-0123456789ab`;
  fs.mkdirSync(old, { recursive: true });
  write(world, `target/.syncline-trash/20200101T000000Z-0123456789ab/x`, "old");
  write(world, "source/a", "2");
  await world.sync({ ...BOTH, trashRetentionDays: 100_000 });
  assert.deepEqual(trashed(world, "target"), ["1", "old"]);
  await world.sync(BOTH);
  assert.deepEqual(trashed(world, "target"), ["1"]);
});

Deno.test("emptying a trash follows no link", async () => {
  using world = new World();
  write(world, "source/a", "1");
  await world.sync(BOTH);
  const folder = "20200101T000000Z-0123456789ab";
  write(world, `outside/${folder}/x`, "not ours");
  // A link is no trash, whatever it leads to.
  fs.symlinkSync(`${world.path}/outside`, `${world.target}/.syncline-trash`);
  await assert.rejects(world.sync(BOTH), { kind: "invalid" });
  fs.unlinkSync(`${world.target}/.syncline-trash`);
  // A link in it goes, and not what it leads to.
  fs.mkdirSync(`${world.target}/.syncline-trash/${folder}/deep`, { recursive: true });
  fs.symlinkSync(`${world.path}/outside`, `${world.target}/.syncline-trash/${folder}/deep/link`);
  assert.deepEqual((await world.sync(BOTH)).errors, []);
  assert.deepEqual(fs.readdirSync(`${world.target}/.syncline-trash`), []);
  assert.equal(fs.readFileSync(`${world.path}/outside/${folder}/x`, "utf8"), "not ours");
});

Deno.test("what changes between the comparison and its turn is neither overwritten nor deleted", async () => {
  for (const [from, to] of [["source", "target"], ["target", "source"]] as const) {
    using world = new World();
    for (const name of ["edited", "deleted", "other"]) write(world, `source/${name}`, name);
    await world.sync(BOTH);
    /** A run during which the other side edits a file. */
    const meanwhile = async (name: string) => {
      let isDone = false;
      return await world.sync(BOTH, (task) => {
        if (task !== "files.begin" || isDone) return;
        isDone = true;
        write(world, `${to}/${name}`, "edited there at the same time");
      });
    };
    write(world, `${from}/edited`, "edited here");
    write(world, `${from}/other`, "other, edited here");
    assert.match((await meanwhile("edited")).errors.join(), /^edited: changed during the run/);
    const { conflicts: [edited, ...others] } = await world.sync({ ...BOTH, conflictStrategy: "KeepBoth" });
    assert.deepEqual([edited.path, others], ["edited", []]);
    fs.rmSync(`${world[from]}/deleted`);
    assert.match((await meanwhile("deleted")).errors.join(), /^deleted: changed during the run/);
    await world.sync(BOTH);
    const { deleted, other, ...kept } = list(world, "source");
    assert.deepEqual([deleted, other], ["edited there at the same time", "other, edited here"]);
    assert.deepEqual(Object.values(kept).sort(), ["edited here", "edited there at the same time"]);
    assert.deepEqual(list(world, "target"), list(world, "source"));
  }
});

Deno.test("edits that time and size do not tell apart are conflicts all the same, until someone decides", async () => {
  for (const isFirst of [true, false]) {
    using world = new World();
    fs.mkdirSync(world.target);
    if (!isFirst) {
      write(world, "source/file", "base");
      await world.sync(BOTH);
    }
    const time = isFirst ? Date.now() / 1_000 : ++clock;
    for (const [side, text] of [["source", "left!"], ["target", "right"]]) {
      world.write(`${side}/file`, text);
      fs.utimesSync(`${world.path}/${side}/file`, time, time);
    }
    for (let round = 0; round < 2; round++) {
      const { conflicts } = await world.sync({ ...BOTH, conflictStrategy: "Manual" });
      assert.deepEqual(conflicts.map(({ resolution }) => resolution), ["unresolved"], `first ${isFirst} ${round}`);
    }
    assert.equal((await world.sync({ ...BOTH, conflictStrategy: "TargetWins" })).conflicts.length, 1);
    assertBoth(world, { file: "right" });
    assert.equal((await world.sync(BOTH)).changesApplied, 0);
  }
});

Deno.test("versions that were left different are not taken for one whose time a file system has cut", async () => {
  for (const direction of ["two-way", "one-way"] as const) {
    using world = new World();
    const part: Part = { direction, conflictStrategy: "Manual" };
    const at = (path: string, text: string, seconds: number) => {
      world.write(path, text);
      fs.utimesSync(`${world.path}/${path}`, seconds, seconds);
    };
    at("source/file", "common", 1_700_000_000);
    await world.sync(part);
    at("source/file", "source", 1_700_000_101);
    at("target/file", "target", 1_700_000_100);
    for (let run = 1; run <= 3; run++) {
      const { conflicts } = await world.sync(part);
      assert.deepEqual(conflicts.map(({ path }) => path), ["file"], `${direction}, run ${run}`);
    }
    await world.sync({ ...part, conflictStrategy: "SourceWins" });
    assert.equal(list(world, "target").file, "source");
  }
});

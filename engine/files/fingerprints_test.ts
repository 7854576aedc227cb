/** Runs in both directions see what files hold where sizes and times do not tell. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { BaselineEncoder, decodeBaseline } from "./baseline.ts";
import { BaselineRows, BaselineStore } from "./baseline_store.ts";
import { settledTime } from "./fingerprint.ts";
import { poll } from "../../tests/harness/poll.ts";
import { type Part, World } from "./world.ts";

const BOTH: Part = { direction: "two-way" };
const SIDES = [["source", "target"], ["target", "source"]] as const;
type Side = typeof SIDES[number][number];

function list(world: World, side: Side): Record<string, string> {
  return Object.fromEntries(
    Object.entries(world.list(world[side])).filter(([path]) => !path.startsWith(".syncline-trash")),
  );
}

function assertBoth(world: World, expected: Record<string, string>, words?: string): void {
  assert.deepEqual([list(world, "source"), list(world, "target")], [expected, expected], words);
}

/** A later time than any before. */
let clock = 1_700_000_000;
function write(world: World, path: string, text: string): void {
  world.write(path, text);
  touch(world, path);
}

function touch(world: World, path: string, time = ++clock): void {
  fs.utimesSync(`${world.path}/${path}`, time, time);
}

/** Writes another text of the same length under the same time. */
function rewrite(world: World, path: string, text: string): void {
  const { size, mtime } = fs.statSync(`${world.path}/${path}`);
  assert.equal(text.length, size);
  fs.writeFileSync(`${world.path}/${path}`, text);
  fs.utimesSync(`${world.path}/${path}`, mtime, mtime);
}

/** The same by another file that takes its place. */
function replace(world: World, path: string, text: string): void {
  const { size, mtime } = fs.statSync(`${world.path}/${path}`);
  assert.equal(text.length, size);
  world.write(`${path}.new`, text);
  fs.utimesSync(`${world.path}/${path}.new`, mtime, mtime);
  fs.renameSync(`${world.path}/${path}.new`, `${world.path}/${path}`);
}

/** How a pair came to have a file in common. */
const BEGINNINGS: Record<string, (world: World) => Promise<void>> = {
  "after a copy": async (world) => {
    write(world, "source/file", "common");
    await world.sync(BOTH);
  },
  "of equal trees that nobody has read": async (world) => {
    write(world, "source/file", "common");
    world.write("target/file", "common");
    touch(world, "target/file", clock);
    assert.equal((await world.sync(BOTH)).changesApplied, 0);
    // Times that are too new do not count yet.
    await world.sync(BOTH);
  },
};

/** Waits until change times of before are old enough to tell changes apart. */
async function clockGoesOn(): Promise<void> {
  const from = Date.now();
  await poll("the clock to go on", () => settledTime({ ctime: from / 1_000, ctimeNs: 1 }, Date.now()).ctime > 0);
}

/** All changes that a run reports beside the errors. */
async function syncAll(world: World, part: Part = BOTH): Promise<[changes: number, conflicts: string[]]> {
  const { errors, changesApplied, conflicts } = await world.sync(part);
  assert.deepEqual(errors, []);
  return [changesApplied, conflicts.map(({ path }) => path)];
}

for (const [beginning, begin] of Object.entries(BEGINNINGS)) {
  Deno.test(`an edit that keeps size and time is seen on either side, ${beginning}`, async () => {
    for (const [side, other] of SIDES) {
      for (const [how, edit] of Object.entries({ rewrite, replace })) {
        using world = new World();
        await begin(world);
        edit(world, `${side}/file`, "edited");
        assert.deepEqual(await syncAll(world), [1, []], `${side} ${how}`);
        assertBoth(world, { file: "edited" }, `${side} ${how}`);
        // And once more, in the other direction.
        edit(world, `${other}/file`, "again!");
        assert.deepEqual(await syncAll(world), [1, []], `${other} ${how}`);
        assertBoth(world, { file: "again!" }, `${other} ${how}`);
        assert.deepEqual(await syncAll(world), [0, []]);
      }
    }
  });

  Deno.test(`edits on both sides that keep size and time are a conflict, and equal ones none, ${beginning}`, async () => {
    for (const [second, conflicts] of [["right!", ["file"]], ["lefty!", []]] as const) {
      using world = new World();
      await begin(world);
      rewrite(world, "source/file", "lefty!");
      rewrite(world, "target/file", second);
      for (let round = 0; round < 2; round++) {
        assert.deepEqual(await syncAll(world, { ...BOTH, conflictStrategy: "Manual" }), [0, conflicts]);
      }
      assert.deepEqual(await syncAll(world, { ...BOTH, conflictStrategy: "TargetWins" }), [
        conflicts.length,
        conflicts,
      ]);
      assertBoth(world, { file: second });
      assert.deepEqual(await syncAll(world), [0, []]);
    }
  });
}

Deno.test("a file whose time alone has changed is no edit beside an edit or a deletion on the other side", async () => {
  for (const [side, other] of SIDES) {
    for (
      const conflictStrategy of ["SourceWins", "TargetWins", "LastWriteWins", "KeepBoth", "Merge", "Manual"] as const
    ) {
      using world = new World();
      const part: Part = { ...BOTH, conflictStrategy };
      for (const name of ["edited", "kept-time", "deleted"]) write(world, `source/${name}`, "common");
      await world.sync(part);
      write(world, `${other}/edited`, "edited");
      rewrite(world, `${other}/kept-time`, "edited");
      fs.rmSync(`${world[other]}/deleted`);
      for (const name of ["edited", "kept-time", "deleted"]) touch(world, `${side}/${name}`);
      assert.deepEqual(await syncAll(world, part), [3, []], `${side} ${conflictStrategy}`);
      assertBoth(world, { edited: "edited", "kept-time": "edited" });
      for (const name of ["edited", "kept-time"]) {
        const [left, right] = SIDES.map(([each]) => fs.statSync(`${world[each]}/${name}`).mtimeMs);
        assert.equal(left, right);
      }
      assert.deepEqual(await syncAll(world, part), [0, []]);
    }
  }
});

Deno.test("times that have changed alone on both sides are made one, without a conflict", async () => {
  for (const conflictStrategy of ["SourceWins", "Manual", "KeepBoth"] as const) {
    using world = new World();
    write(world, "source/file", "common");
    await world.sync(BOTH);
    touch(world, "source/file");
    const wanted = clock;
    touch(world, "target/file");
    assert.deepEqual(await syncAll(world, { ...BOTH, conflictStrategy }), [1, []]);
    for (const [side] of SIDES) assert.equal(fs.statSync(`${world[side]}/file`).mtimeMs, wanted * 1_000);
    assert.deepEqual(await syncAll(world), [0, []]);
  }
});

Deno.test("an edit beside one that keeps size and time is a conflict; a deletion gives way to it", async () => {
  for (const [side, other] of SIDES) {
    using world = new World();
    for (const name of ["edited", "deleted"]) write(world, `source/${name}`, "common");
    await world.sync(BOTH);
    write(world, `${side}/edited`, "edited");
    rewrite(world, `${other}/edited`, "hidden");
    fs.rmSync(`${world[side]}/deleted`);
    rewrite(world, `${other}/deleted`, "hidden");
    const [, conflicts] = await syncAll(world, { ...BOTH, conflictStrategy: "KeepBoth" });
    assert.deepEqual(conflicts.sort(), ["deleted", "edited"]);
    const { deleted, ...rest } = list(world, "source");
    assert.deepEqual([deleted, Object.values(rest).sort()], ["hidden", ["edited", "hidden"]]);
    assert.deepEqual(list(world, "target"), list(world, "source"));
    assert.deepEqual(await syncAll(world), [0, []]);
  }
});

Deno.test("inodes that change alone cost no copy and no conflict", async () => {
  for (const [beginning, begin] of Object.entries(BEGINNINGS)) {
    using world = new World();
    await begin(world);
    const names = Array.from({ length: 50 }, (_, index) => `dir/${index}`);
    for (const name of names) write(world, `source/${name}`, name);
    await syncAll(world);
    const before = list(world, "source");
    for (const name of names) fs.chmodSync(`${world.source}/${name}`, 0o600);
    for (const name of names) fs.chmodSync(`${world.target}/${name}`, 0o640);
    fs.chmodSync(`${world.target}/file`, 0o640);
    for (const name of names.slice(0, 10)) {
      // To another name and back.
      fs.renameSync(`${world.source}/${name}`, `${world.source}/${name}-away`);
      fs.renameSync(`${world.source}/${name}-away`, `${world.source}/${name}`);
    }
    for (let round = 0; round < 3; round++) {
      const { statistics, conflicts, errors } = await world.sync(BOTH);
      assert.deepEqual([statistics.bytesTransferred, conflicts, errors], [0, [], []], `${beginning} ${round}`);
      assertBoth(world, before);
    }
    assert.deepEqual(await syncAll(world), [0, []]);
  }
});

Deno.test("what was verified is not read again, and the baseline not written again", async () => {
  using world = new World();
  for (const name of ["a", "b"]) write(world, `source/${name}`, name);
  await world.sync(BOTH);
  await clockGoesOn();
  await world.sync(BOTH);
  fs.chmodSync(`${world.source}/a`, 0o600);
  await world.sync(BOTH);
  await clockGoesOn();
  // The run has changed the target's permissions, so that one is read once more.
  await world.sync(BOTH);
  const tasks: string[] = [];
  await world.sync(BOTH, (task) => tasks.push(task));
  assert.ok(!tasks.includes("files.begin"), tasks.join());
});

Deno.test("edits that keep size and time outlive a kill at any moment", async () => {
  let moments = Infinity;
  for (let moment = 0; moment < moments; moment++) {
    using world = new World();
    for (const name of ["left", "right", "after"]) write(world, `source/${name}`, "common");
    await world.sync(BOTH);
    rewrite(world, "source/left", "edited");
    replace(world, "target/right", "edited");
    write(world, "source/new", "new 1");
    let count = 0;
    const strike = () => {
      if (count++ === moment) throw new TypeError("killed");
    };
    const isKilled = await world.sync(BOTH, { before: strike, atCheckpoint: strike }).then(() => false, (error) => {
      assert.ok(error instanceof TypeError, String(error));
      return true;
    });
    if (!isKilled) moments = moment;
    // Nor is an edit right after the kill lost, of a file that was or was not carried over yet.
    rewrite(world, "target/after", "edited");
    const isCarried = fs.existsSync(`${world.target}/new`);
    rewrite(world, isCarried ? "target/new" : "source/new", "new 2");
    const { conflicts, errors } = await world.sync({ ...BOTH, conflictStrategy: "SourceWins" });
    assert.deepEqual([conflicts, errors], [[], []], `moment ${moment}`);
    assertBoth(world, { left: "edited", right: "edited", after: "edited", new: "new 2" }, `moment ${moment}`);
    await world.sync(BOTH);
    assert.deepEqual(await syncAll(world), [0, []], `moment ${moment}`);
  }
  assert.ok(moments > 20);
});

Deno.test("a conflict between versions of one size and time stays one, whenever a run that settles it is killed", async () => {
  let moments = Infinity;
  for (let moment = 0; moment < moments; moment++) {
    using world = new World();
    write(world, "source/file", "common");
    await world.sync(BOTH);
    write(world, "source/file", "lefty!");
    world.write("target/file", "right!");
    touch(world, "target/file", clock);
    let count = 0;
    const strike = () => {
      if (count++ === moment) throw new TypeError("killed");
    };
    await world.sync(BOTH, { before: strike, atCheckpoint: strike }).then(() => moments = moment, () => {});
    assert.deepEqual((await world.sync(BOTH)).errors, []);
    assertBoth(world, { file: "lefty!" }, `moment ${moment}`);
  }
  assert.ok(moments > 10);
});

Deno.test("a run in one direction between two in both leaves no wrong knowledge", async () => {
  for (const [side, other] of SIDES) {
    using world = new World();
    for (const name of ["a", "b", "c"]) write(world, `source/${name}`, "common");
    await world.sync(BOTH);
    rewrite(world, `${side}/a`, "edited");
    // This run does not see the edit, as it knows no contents, but carries others over.
    write(world, "source/b", "one-way");
    await world.sync({ deleteMissingInTarget: false });
    assert.deepEqual(await syncAll(world), [1, []]);
    assertBoth(world, { a: "edited", b: "one-way", c: "common" }, side);
    rewrite(world, `${other}/b`, "two-way");
    assert.deepEqual(await syncAll(world), [1, []]);
    assertBoth(world, { a: "edited", b: "two-way", c: "common" }, side);
    assert.deepEqual(await syncAll(world), [0, []]);
  }
});

/** Takes all that is known of contents out of a pair's baseline, as those were written that knew none. */
function makeOld(world: World): void {
  const [name] = fs.readdirSync(`${world.path}/data/baselines`).filter((name) => name.endsWith(".db"));
  const path = `${world.path}/data/baselines/${name}`;
  using store = new BaselineStore(path);
  const rows: [string, Uint8Array][] = [];
  using all = new BaselineRows(path);
  for (const [directory, row] of all.after(undefined)) {
    const encoder = new BaselineEncoder();
    for (const [name, { fingerprint: _, ...entry }] of decodeBaseline(row)) encoder.add(name, entry);
    assert.ok(encoder.row.length < row.length);
    rows.push([directory, encoder.row]);
  }
  store.settle({}, rows);
}

Deno.test("a baseline without contents is read, and gets them", async () => {
  using world = new World();
  for (const name of ["dir/deleted", "dir/edited", "kept"]) write(world, `source/${name}`, "common");
  await world.sync(BOTH);
  makeOld(world);
  await clockGoesOn();
  fs.rmSync(`${world.target}/dir/deleted`);
  write(world, "target/dir/edited", "edited");
  assert.deepEqual(await syncAll(world), [2, []]);
  assertBoth(world, { dir: "/", "dir/edited": "edited", kept: "common" });
  rewrite(world, "target/kept", "edited");
  assert.deepEqual(await syncAll(world), [1, []]);
  assertBoth(world, { dir: "/", "dir/edited": "edited", kept: "edited" });
});

Deno.test("files with several names", async () => {
  using world = new World();
  write(world, "source/a", "common");
  fs.linkSync(`${world.source}/a`, `${world.source}/b`);
  await world.sync(BOTH);
  await world.sync(BOTH);
  for (const [side] of SIDES) {
    rewrite(world, `${side}/a`, side);
    const { conflicts, errors } = await world.sync(BOTH);
    assert.deepEqual([conflicts, errors], [[], []]);
    assertBoth(world, { a: side, b: side });
    await world.sync(BOTH);
    assert.deepEqual(await syncAll(world), [0, []]);
  }
});

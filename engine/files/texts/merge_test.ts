import assert from "node:assert/strict";
import * as fs from "node:fs";
import { type Part, World } from "../world.ts";
import { BASE, BOTH, edited, LEFT, list, MERGE, ONE_WAY, OTHER, RIGHT, trashed, write } from "./testing.ts";

Deno.test("edits of different lines come together on both sides, and the trashes keep what they were made of", async () => {
  using world = await edited(MERGE);
  const { conflicts, errors, changesApplied } = await world.sync(MERGE);
  assert.deepEqual(conflicts, [{ path: "file", kind: "modified", resolution: "merged" }]);
  assert.deepEqual([errors, changesApplied], [[], 2]);
  assert.deepEqual([list(world, "source"), list(world, "target")], [{ file: BOTH }, { file: BOTH }]);
  assert.deepEqual([trashed(world, "source"), trashed(world, "target")], [[LEFT], [RIGHT]]);
  const again = await world.sync(MERGE);
  assert.deepEqual([again.conflicts, again.changesApplied], [[], 0]);
  // The merge is the version in common from here on.
  write(world, "source/file", BOTH.replace("two", "TWO"));
  write(world, "target/file", BOTH.replace("four", "FOUR"));
  assert.equal((await world.sync(MERGE)).conflicts[0].resolution, "merged");
  const expected = { file: BOTH.replace("two", "TWO").replace("four", "FOUR") };
  assert.deepEqual([list(world, "source"), list(world, "target")], [expected, expected]);
});

Deno.test("one-way, the merge goes to the target, which keeps its own edits from then on", async () => {
  using world = await edited(ONE_WAY);
  assert.deepEqual((await world.sync(ONE_WAY)).conflicts, [
    { path: "file", kind: "modified", resolution: "merged" },
  ]);
  assert.deepEqual([list(world, "source"), list(world, "target")], [{ file: LEFT }, { file: BOTH }]);
  const again = await world.sync(ONE_WAY);
  assert.deepEqual([again.changesApplied, again.conflicts], [0, []]);
  write(world, "source/file", LEFT.replace("three", "THREE"));
  assert.equal((await world.sync(ONE_WAY)).conflicts[0].resolution, "merged");
  assert.deepEqual(list(world, "target"), { file: BOTH.replace("three", "THREE") });
  await world.sync({ conflictStrategy: "SourceWins" });
  world.assertEqual();
});

Deno.test("a side that has the other's edits already is what both get", async () => {
  for (const [left, right] of [[BOTH, RIGHT], [LEFT, BOTH]]) {
    using world = await edited(MERGE, BASE, left, right);
    const { conflicts, errors } = await world.sync(MERGE);
    assert.deepEqual([conflicts.length, errors], [1, []]);
    assert.deepEqual([list(world, "source"), list(world, "target")], [{ file: BOTH }, { file: BOTH }]);
    assert.equal((await world.sync(MERGE)).changesApplied, 0);
  }
});

Deno.test("JSON is merged by what it says", async () => {
  const [base, left, right] = [{ a: 1, b: 2 }, { a: 3, b: 2 }, { a: 1, b: 4 }].map((value) => JSON.stringify(value));
  using world = await edited(MERGE, base, left, right, "data.json");
  await world.sync(MERGE);
  for (const side of ["source", "target"] as const) {
    assert.deepEqual(JSON.parse(list(world, side)["data.json"]), { a: 3, b: 4 });
  }
});

const large = (line: string) => `${line}\n${"x\n".repeat(2 << 20)}`;

const UNMERGED: [reason: string, base: string, left: string, right: string][] = [
  ["overlapping-edits", BASE, LEFT, OTHER],
  ["binary", `\0${BASE}`, `\0${LEFT}`, `\0${RIGHT}`],
  ["binary", BASE, LEFT, `${RIGHT}\0`],
  ["too-large", large("base"), large("left"), large("right")],
];

for (const part of [MERGE, ONE_WAY]) {
  for (const [reason, base, left, right] of UNMERGED) {
    Deno.test(`${reason}: both versions stay, ${part.direction ?? "one-way"}`, async () => {
      using world = await edited(part, base, left, right);
      const { conflicts: [conflict, ...others], errors } = await world.sync(part);
      assert.deepEqual([others, errors], [[], []]);
      const { keptAs = "", ...rest } = conflict;
      assert.deepEqual(rest, { path: "file", kind: "modified", resolution: "both", reason });
      assert.deepEqual(list(world, "target"), { file: left, [keptAs]: right });
      if (part === MERGE) assert.deepEqual(list(world, "source"), list(world, "target"));
      assert.equal((await world.sync(part)).changesApplied, 0);
    });
  }
}

Deno.test("both versions stay where no common one is known, and where a file has another name", async () => {
  using world = new World();
  write(world, "source/file", BASE);
  await world.sync({ ...MERGE, conflictStrategy: "SourceWins" });
  write(world, "source/file", LEFT);
  write(world, "target/file", RIGHT);
  write(world, "source/new", LEFT);
  write(world, "target/new", RIGHT);
  const { conflicts } = await world.sync(MERGE);
  assert.deepEqual(conflicts.map(({ path, reason }) => [path, reason]).sort(), [
    ["file", "no-common-version"],
    ["new", "no-common-version"],
  ]);
  assert.equal(Object.keys(list(world, "source")).length, 4);
  assert.deepEqual(list(world, "source"), list(world, "target"));

  fs.linkSync(`${world.source}/file`, `${world.source}/name`);
  await world.sync(MERGE);
  fs.writeFileSync(`${world.source}/name`, BOTH);
  write(world, "target/file", BASE);
  const linked = await world.sync(MERGE);
  assert.deepEqual(linked.errors, []);
  assert.deepEqual(linked.conflicts.map(({ path, reason }) => [path, reason]).sort(), [
    ["file", "not-mergeable"],
    ["name", "not-mergeable"],
  ]);
});

Deno.test("a file of which a killed run has put a link into the trash is merged as any other", async () => {
  for (const side of ["source", "target"] as const) {
    using world = new World();
    write(world, "source/sub/file", BASE);
    await world.sync(MERGE);
    write(world, "source/sub/file", LEFT);
    write(world, "target/sub/file", RIGHT);
    const folder = `${world[side]}/.syncline-trash/20261130T101010Z-0123456789ab/sub`;
    fs.mkdirSync(folder, { recursive: true });
    fs.mkdirSync(`${world[side]}/.syncline-trash/20261129T101010Z-0123456789ab`);
    fs.linkSync(`${world[side]}/sub/file`, `${folder}/file`);
    const { conflicts } = await world.sync(MERGE);
    assert.deepEqual(conflicts.map(({ path, resolution, reason }) => [path, resolution, reason]), [[
      "sub/file",
      "merged",
      undefined,
    ]], side);
    for (const root of [world.source, world.target]) {
      assert.equal(fs.readFileSync(`${root}/sub/file`, "utf8"), BOTH, side);
    }
    assert.equal(fs.readFileSync(`${folder}/file`, "utf8"), side === "source" ? LEFT : RIGHT);
  }
});

Deno.test("an edit that keeps size and time is what the next edits are merged from", async () => {
  // The second run keeps no texts.
  for (const second of ["Merge", "SourceWins"] as const) {
    using world = new World();
    write(world, "source/file", BASE);
    await world.sync(MERGE);
    const { mtime } = fs.statSync(`${world.source}/file`);
    const hidden = BASE.replace("three", "THREE");
    world.write("source/file", hidden);
    fs.utimesSync(`${world.source}/file`, mtime, mtime);
    await world.sync({ ...MERGE, conflictStrategy: second });
    assert.deepEqual(list(world, "target"), { file: hidden });
    // Back to what was there before, which a merge from that would leave out.
    write(world, "source/file", BASE);
    write(world, "target/file", hidden.replace("five", "FIVE"));
    const { conflicts } = await world.sync(MERGE);
    if (second === "Merge") {
      assert.equal(conflicts[0].resolution, "merged");
      assert.deepEqual(list(world, "source"), { file: BASE.replace("five", "FIVE") });
    } else {
      assert.deepEqual(conflicts.map(({ resolution, reason }) => [resolution, reason]), [[
        "both",
        "no-common-version",
      ]]);
    }
  }
});

Deno.test("a dry run says what the run will do, and does nothing", async () => {
  const keepBoth: Part = { ...MERGE, conflictStrategy: "KeepBoth" };
  for (const [left, right] of [[LEFT, RIGHT], [LEFT, OTHER], [BOTH, RIGHT], [LEFT, BOTH]]) {
    for (const part of [MERGE, ONE_WAY, keepBoth]) {
      using world = await edited(part, BASE, left, right);
      const dry = await world.sync({ ...part, dryRun: true });
      assert.deepEqual([list(world, "source"), list(world, "target")], [{ file: left }, { file: right }]);
      const real = await world.sync(part);
      const figures = ({ changesApplied, conflicts, statistics }: typeof dry) => [
        changesApplied,
        conflicts.map(({ keptAs: _, ...rest }) => rest),
        { ...statistics, entriesCompared: 0 },
      ];
      assert.deepEqual(figures(dry), figures(real));
      assert.equal(dry.plan?.length, dry.changesApplied);
    }
  }
});

Deno.test("what changes between the comparison and the merge is not overwritten, and merged by the next run", async () => {
  for (const side of ["source", "target"] as const) {
    for (const task of ["files.merge", "files.apply"]) {
      using world = await edited(MERGE);
      let isDone = false;
      const { errors, conflicts } = await world.sync(MERGE, (name) => {
        if (name !== task || isDone) return;
        isDone = true;
        write(world, `${side}/file`, (side === "source" ? LEFT : RIGHT).replace("three", "THREE"));
      });
      assert.ok(isDone);
      assert.ok(
        errors.length > 0 || conflicts[0].reason === "changed-meanwhile",
        JSON.stringify({ errors, conflicts }),
      );
      assert.deepEqual((await world.sync(MERGE)).errors, []);
      const expected = { file: BOTH.replace("three", "THREE") };
      assert.deepEqual([list(world, "source"), list(world, "target")], [expected, expected], `${side} ${task}`);
    }
  }
});

Deno.test("a run that is killed before any of its tasks is brought to its end by the next", async () => {
  let tasks = Infinity;
  for (let kill = 0; kill < tasks; kill++) {
    using world = await edited(MERGE);
    let count = 0;
    try {
      await world.sync(MERGE, () => {
        if (count++ === kill) throw new Error("killed");
      });
      tasks = count;
    } catch (error) {
      if ((error as Error).message !== "killed") throw error;
    }
    assert.deepEqual((await world.sync(MERGE)).errors, []);
    assert.deepEqual([list(world, "source"), list(world, "target")], [{ file: BOTH }, { file: BOTH }], `kill ${kill}`);
    write(world, "source/file", BOTH.replace("two", "TWO"));
    write(world, "target/file", BOTH.replace("four", "FOUR"));
    assert.equal((await world.sync(MERGE)).conflicts[0]?.resolution, "merged", `kill ${kill}`);
  }
  assert.ok(tasks > 10);
});

/** Runs until a kill before the given task; whether it came to that. */
async function killed(world: World, part: Part, task: number): Promise<boolean> {
  let count = 0;
  try {
    await world.sync(part, () => {
      if (count++ === task) throw new TypeError("killed");
    });
    return false;
  } catch (error) {
    if (!(error instanceof TypeError && error.message === "killed")) throw error;
    return true;
  }
}

Deno.test("whenever a run is killed, what both sides edit then is merged from what they had in common", async () => {
  const lines = (...changed: number[]) => {
    return Array.from({ length: 9 }, (_, line) => changed.includes(line) ? `changed ${line}\n` : `${line}\n`).join("");
  };
  const beginnings: Record<string, [left: string, right: string]> = {
    "edits on both sides": [lines(0), lines(8)],
    "an edit on one side": [lines(0, 8), lines()],
    "an edit on the other side": [lines(), lines(0, 8)],
    "the same edit on both sides": [lines(0, 8), lines(0, 8)],
  };
  for (const [beginning, [left, right]] of Object.entries(beginnings)) {
    for (let task = 0, isOver = false; !isOver; task++) {
      using world = new World();
      write(world, "source/file", lines());
      await world.sync(MERGE);
      if (left !== lines()) write(world, "source/file", left);
      if (right !== lines()) write(world, "target/file", right);
      isOver = !await killed(world, MERGE, task);
      for (const [side, line] of [["source", 3], ["target", 5]] as const) {
        write(world, `${side}/file`, list(world, side).file.replace(`${line}\n`, `changed ${line}\n`));
      }
      const { conflicts, errors } = await world.sync(MERGE);
      const words = `${beginning}, task ${task}`;
      assert.deepEqual([conflicts.map(({ resolution }) => resolution), errors], [["merged"], []], words);
      const expected = { file: lines(0, 3, 5, 8) };
      assert.deepEqual([list(world, "source"), list(world, "target")], [expected, expected], words);
      assert.ok(!isOver || task > 10);
    }
  }
});

Deno.test("permissions of a merge are those that a copy would have", async () => {
  for (const preservePermissions of [true, false]) {
    using world = await edited({ ...ONE_WAY, preservePermissions });
    fs.chmodSync(`${world.source}/file`, 0o640);
    fs.chmodSync(`${world.target}/file`, 0o600);
    await world.sync({ ...ONE_WAY, preservePermissions, verifyIntegrity: true });
    assert.deepEqual(list(world, "target"), { file: BOTH });
    assert.equal(fs.statSync(`${world.target}/file`).mode & 0o777, preservePermissions ? 0o640 : 0o600);
  }
});

/** What the store has: chunks, their bytes, versions. */

/** Conflicts in one-way mode: the target was changed by someone else since the last run of the pair. */
import assert from "node:assert/strict";
import { assertSameTree } from "../harness/compare.ts";
import { commandText, shell } from "../harness/command.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { type Json, startServer } from "../harness/server.ts";
import { sharedServer } from "../harness/suite.ts";
import { makePair, type Pair, postSync, sync } from "../harness/sync.ts";

const server = sharedServer();

/** A pair in agreement; then both sides change `file`, the source later. */
async function changedOnBothSides(newer: "source" | "target" = "source"): Promise<Pair> {
  const pair = await makePair(server());
  await shell("printf base >file; printf same >other; mkdir d; printf base >d/untouched", [], { cwd: pair.source });
  assert.equal((await sync(server(), pair)).conflictsEncountered, 0);
  const [early, late] = ["2031-01-01", "2031-01-02"];
  await shell('printf "from the source" >file; touch -d "$1" file', [newer === "source" ? late : early], {
    cwd: pair.source,
  });
  await shell('printf "from the target" >file; touch -d "$1" file', [newer === "target" ? late : early], {
    cwd: pair.target,
  });
  return pair;
}

const read = (pair: Pair) => Deno.readTextFile(`${pair.target}/file`);

async function run(pair: Pair, fields: Json): Promise<Json> {
  const answer = await postSync(server(), pair, fields);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

function assertOneConflict(body: Json, path = "file"): void {
  assert.equal(body.conflictsEncountered, 1, JSON.stringify(body));
  assert.deepEqual(body.conflicts.map((conflict: Json) => conflict.path), [path]);
}

Deno.test("SourceWins is the default", async () => {
  for (const fields of [{}, { conflictStrategy: "SourceWins" }]) {
    const pair = await changedOnBothSides("target");
    const body = await sync(server(), pair, fields);
    assertOneConflict(body);
    await assertSameTree(pair.source, pair.target);
    assert.equal((await sync(server(), pair, fields)).conflictsEncountered, 0);
  }
});

Deno.test("a change of the target alone is a conflict too", async () => {
  const pair = await changedOnBothSides();
  await shell("printf base >file", [], { cwd: pair.source });
  await sync(server(), pair);
  await shell("printf 'by someone else' >other", [], { cwd: pair.target });
  assertOneConflict(await sync(server(), pair), "other");
  await assertSameTree(pair.source, pair.target);
});

Deno.test("a change of the source alone is none", async () => {
  const pair = await changedOnBothSides();
  await sync(server(), pair);
  await shell("printf changed >file; printf changed >other", [], { cwd: pair.source });
  for (const conflictStrategy of ["Manual", "TargetWins", "KeepBoth", "LastWriteWins"]) {
    await shell("printf x >>file", [], { cwd: pair.source });
    const body = await sync(server(), pair, { conflictStrategy });
    assert.deepEqual([body.conflictsEncountered, body.conflicts], [0, []], conflictStrategy);
    await assertSameTree(pair.source, pair.target);
  }
});

Deno.test("TargetWins keeps the target's version, at the next runs too", async () => {
  const pair = await changedOnBothSides();
  assertOneConflict(await run(pair, { conflictStrategy: "TargetWins" }));
  for (let again = 0; again < 3; again++) {
    assert.equal(await read(pair), "from the target");
    await run(pair, { conflictStrategy: "TargetWins" });
  }
  assert.equal(await read(pair), "from the target");
  assert.equal(await Deno.readTextFile(`${pair.source}/file`), "from the source");
});

Deno.test("LastWriteWins takes the newer one, whichever side it is on", async () => {
  const fields = { conflictStrategy: "LastWriteWins" };
  const sourceNewer = await changedOnBothSides("source");
  assertOneConflict(await run(sourceNewer, fields));
  assert.equal(await read(sourceNewer), "from the source");
  const targetNewer = await changedOnBothSides("target");
  assertOneConflict(await run(targetNewer, fields));
  assert.equal(await read(targetNewer), "from the target");
  await run(targetNewer, fields);
  assert.equal(await read(targetNewer), "from the target");
});

Deno.test("KeepBoth keeps both contents, once, and never deletes the copy at its own run", async () => {
  const pair = await changedOnBothSides();
  const fields = { conflictStrategy: "KeepBoth" };
  const body = await run(pair, { ...fields, deleteMissingInTarget: true });
  assertOneConflict(body);
  const contents = async () =>
    (await commandText("sh", ["-c", 'cd "$1"; for f in file*; do cat "$f"; echo; done', "sh", pair.target]))
      .split("\n").filter((line) => line !== "").sort();
  const both = ["from the source", "from the target"];
  assert.deepEqual(await contents(), both);
  assert.equal(await read(pair), "from the source");
  assert.equal(await Deno.readTextFile(`${pair.target}/${body.conflicts[0].keptAs}`), "from the target");
  await run(pair, fields);
  assert.deepEqual(await contents(), both);
});

Deno.test("KeepBoth with a name of 255 bytes", async () => {
  const pair = await makePair(server());
  const name = `${"é".repeat(125)}x.txt`;
  await Deno.writeTextFile(`${pair.source}/${name}`, "base");
  await sync(server(), pair);
  await Deno.writeTextFile(`${pair.source}/${name}`, "from the source");
  await Deno.writeTextFile(`${pair.target}/${name}`, "and from the target");
  const body = await run(pair, { conflictStrategy: "KeepBoth" });
  assertOneConflict(body, name);
  assert.equal(await Deno.readTextFile(`${pair.target}/${name}`), "from the source");
  assert.equal(await Deno.readTextFile(`${pair.target}/${body.conflicts[0].keptAs}`), "and from the target");
});

Deno.test("Manual leaves both and reports, as often as it is run", async () => {
  const pair = await changedOnBothSides();
  for (let again = 0; again < 3; again++) {
    assertOneConflict(await run(pair, { conflictStrategy: "Manual", deleteMissingInTarget: true }));
    assert.equal(await read(pair), "from the target");
    assert.equal(await Deno.readTextFile(`${pair.source}/file`), "from the source");
  }
});

Deno.test("the rest is synchronised beside a conflict", async () => {
  for (const conflictStrategy of ["SourceWins", "TargetWins", "LastWriteWins", "KeepBoth", "Manual"]) {
    const pair = await changedOnBothSides();
    await shell("printf changed >other; printf n >d/new", [], { cwd: pair.source });
    assertOneConflict(await run(pair, { conflictStrategy }));
    assert.equal(await Deno.readTextFile(`${pair.target}/other`), "changed", conflictStrategy);
    assert.equal(await Deno.readTextFile(`${pair.target}/d/new`), "n", conflictStrategy);
  }
});

Deno.test("a file that someone deleted in the target comes back with SourceWins and stays away with TargetWins", async () => {
  const pair = await changedOnBothSides();
  await sync(server(), pair);
  await Deno.remove(`${pair.target}/other`);
  assertOneConflict(await run(pair, { conflictStrategy: "TargetWins" }), "other");
  await run(pair, { conflictStrategy: "TargetWins" });
  await assert.rejects(Deno.stat(`${pair.target}/other`), Deno.errors.NotFound);
  await run(pair, { conflictStrategy: "SourceWins" });
  assert.equal(await Deno.readTextFile(`${pair.target}/other`), "same");
});

Deno.test("a file that the source deleted and someone changed in the target", async () => {
  const fields = { deleteMissingInTarget: true };
  const prepare = async () => {
    const pair = await changedOnBothSides();
    await Deno.remove(`${pair.source}/file`);
    return pair;
  };
  for (const conflictStrategy of ["TargetWins", "Manual"]) {
    const kept = await prepare();
    assertOneConflict(await run(kept, { ...fields, conflictStrategy }));
    assert.equal(await read(kept), "from the target", conflictStrategy);
  }
  const gone = await prepare();
  assertOneConflict(await run(gone, { ...fields, conflictStrategy: "SourceWins" }));
  await assertSameTree(gone.source, gone.target);
});

Deno.test("the same file added on both sides with different contents is a conflict", async () => {
  const pair = await changedOnBothSides();
  await sync(server(), pair);
  await Deno.writeTextFile(`${pair.source}/added`, "from the source");
  await Deno.writeTextFile(`${pair.target}/added`, "and from the target");
  assertOneConflict(await run(pair, { conflictStrategy: "Manual" }), "added");
  assert.equal(await Deno.readTextFile(`${pair.target}/added`), "and from the target");
});

Deno.test("a dry run reports the conflicts and forgets nothing", async () => {
  const pair = await changedOnBothSides();
  assertOneConflict(await run(pair, { conflictStrategy: "Manual", dryRun: true }));
  assertOneConflict(await run(pair, { conflictStrategy: "Manual" }));
  assert.equal(await read(pair), "from the target");
});

Deno.test("what was there before the first run of a pair does not stop it", async () => {
  const pair = await makePair(server());
  await shell("printf source >file", [], { cwd: pair.source });
  await shell("printf target >file; touch -d 2030-01-01 file", [], { cwd: pair.target });
  await sync(server(), pair);
  await assertSameTree(pair.source, pair.target);
});

Deno.test("Merge brings edits of both sides together; what cannot be merged is there twice", async () => {
  const versions: Record<string, [base: string, source: string, target: string]> = {
    "text": ["1\n2\n3\n", "one\n2\n3\n", "1\n2\nthree\n"],
    "data.json": ['{"a": 1, "b": 1}', '{"a": 2, "b": 1}', '{"a": 1, "b": 2}'],
    "overlap": ["1\n2\n", "left\n2\n", "right\n2\n"],
    "binary": ["\0base", "\0source", "\0target"],
  };
  for (const direction of ["one-way", "two-way"]) {
    const pair = await makePair(server());
    const fields = { direction, conflictStrategy: "Merge" };
    const write = async (side: keyof Pair, version: 0 | 1 | 2) => {
      for (const [name, texts] of Object.entries(versions)) {
        await Deno.writeTextFile(`${pair[side]}/${name}`, texts[version]);
      }
    };
    await write("source", 0);
    await sync(server(), pair, fields);
    await write("source", 1);
    await write("target", 2);
    const planned = (await sync(server(), pair, { ...fields, dryRun: true })).conflicts;
    const { conflicts } = await sync(server(), pair, fields);
    const brief = ({ path, resolution, reason }: Json) => [path, resolution, reason];
    const expected = [
      ["binary", "both", "binary"],
      ["data.json", "merged", undefined],
      ["overlap", "both", "overlapping-edits"],
      ["text", "merged", undefined],
    ];
    for (const found of [planned, conflicts]) assert.deepEqual(found.map(brief).sort(), expected);
    const kept = new Map<string, string>(conflicts.map(({ path, keptAs }: Json) => [path, keptAs]));
    for (const side of direction === "two-way" ? [pair.source, pair.target] : [pair.target]) {
      const text = (name = "") => Deno.readTextFile(`${side}/${name}`);
      assert.equal(await text("text"), "one\n2\nthree\n");
      assert.deepEqual(JSON.parse(await text("data.json")), { a: 2, b: 2 });
      for (const name of ["overlap", "binary"]) {
        const [, source, target] = versions[name];
        assert.deepEqual([await text(name), await text(kept.get(name))], [source, target]);
      }
    }
    const again = await sync(server(), pair, fields);
    assert.deepEqual([again.changesApplied, again.conflicts], [0, []]);
  }
});

Deno.test("a conflict is still seen after a restart and a kill", async () => {
  await using sandbox = await makeSandbox();
  const token = "conflicts-restart-token";
  await using first = await startServer({ sandbox, token });
  const pair = await makePair(first);
  await Deno.writeTextFile(`${pair.source}/file`, "base");
  await sync(first, pair);
  await first.kill();
  await Deno.writeTextFile(`${pair.target}/file`, "by someone else");
  await using second = await startServer({ sandbox, token });
  const answer = await postSync(second, pair, { conflictStrategy: "Manual" });
  assert.equal(answer.status, 200, answer.text);
  assertOneConflict(answer.body);
  assert.equal(await read(pair), "by someone else");
});

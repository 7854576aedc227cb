import assert from "node:assert/strict";
import { memoryTable } from "../testing/memory_database.ts";
import { isEngineError, numbered, World } from "../testing/world.ts";

const ITEMS = ["id#", "name?"];

async function world(source: ReturnType<typeof numbered>, target: ReturnType<typeof numbered>): Promise<World> {
  const made = await World.open();
  made.source.add(memoryTable("items", ITEMS), source);
  made.target.add(memoryTable("items", ITEMS), target);
  return made;
}

Deno.test("an empty target table is filled; a second run finds nothing to do", async () => {
  await using w = await world(numbered(0, 2500), []);
  const first = await w.sync(["items"]);
  assert.deepEqual([first.changesApplied, first.entities[0].method, first.success], [2500, "copy", true]);
  assert.deepEqual(w.target.sorted("items"), w.source.sorted("items"));
  const second = await w.sync(["items"]);
  assert.deepEqual([second.changesApplied, second.entities[0].method], [0, "md5"]);
  assert.deepEqual(second.entities[0].differingSegments, 0);
  assert.ok(second.entities[0].segments > 5);
});

Deno.test("inserted, changed and deleted rows go to the target; what a first run overwrites is counted apart", async () => {
  await using w = await world(numbered(0, 1000, (n) => n === 500 ? "changed" : `row ${n}`), numbered(100, 1100));
  const result = await w.sync(["items"]);
  const { inserted, updated, deleted, overwritten, sourceRows, targetRows } = result.entities[0];
  assert.deepEqual({ inserted, updated, deleted, overwritten, sourceRows, targetRows }, {
    inserted: 100,
    updated: 1,
    deleted: 100,
    overwritten: 101,
    sourceRows: 1000,
    targetRows: 1000,
  });
  assert.equal(result.conflictsEncountered, 0);
  assert.deepEqual(w.target.sorted("items"), w.source.sorted("items"));
});

Deno.test("rows of the target that changed since the last run are conflicts, decided by the strategy", async () => {
  for (
    const [conflictStrategy, resolution, wins] of [
      ["SourceWins", "source", true],
      ["TargetWins", "target", false],
      ["Manual", "unresolved", false],
    ] as const
  ) {
    await using w = await world(numbered(0, 1000), []);
    await w.sync(["items"]);
    w.target.rows.set("items", [
      ...numbered(0, 1000, (n) => n === 7 ? "theirs" : `row ${n}`).filter(([id]) => id !== "8"),
      ["5000", "new"],
    ]);
    w.source.rows.get("items")![9] = ["9", "ours"];
    for (let again = 0; again < 2; again++) {
      const result = await w.sync(["items"], { conflictStrategy });
      if (again === 1 && wins) {
        assert.deepEqual(result.conflicts, []);
        continue;
      }
      const kinds = result.conflicts.map(({ key, kind, resolution }) => [key.id, kind, resolution]).sort();
      assert.deepEqual(kinds, [
        ["5000", "absent-added", resolution],
        ["7", "unchanged-modified", resolution],
        ["8", "unchanged-deleted", resolution],
      ]);
      assert.equal(result.entities[0].overwritten, 0);
      assert.deepEqual(w.target.rows.get("items")!.find(([id]) => id === "9"), ["9", "ours"]);
      const theirs = w.target.rows.get("items")!.find(([id]) => id === "7");
      assert.deepEqual(theirs, ["7", wins ? "row 7" : "theirs"]);
    }
    if (wins) assert.deepEqual(w.target.sorted("items"), w.source.sorted("items"));
  }
});

Deno.test("a row that changed while the run went on is left alone and told", async () => {
  await using w = await world(numbered(0, 100, () => "new"), numbered(0, 100));
  w.target.meanwhile.push({
    table: "items",
    change: (rows) => rows.map(([id, name]) => [id, id === "5" ? "!" : name]),
  });
  const result = await w.sync(["items"]);
  assert.deepEqual(result.conflicts, [{
    entity: "items",
    key: { id: "5" },
    kind: "guard",
    resolution: "unresolved",
  }]);
  assert.equal(result.changesApplied, 99);
  assert.deepEqual(w.target.rows.get("items")![5], ["5", "!"]);
});

Deno.test("with transactions a refused row leaves the target as it was, and is named", async () => {
  await using w = await World.open();
  w.source.add(memoryTable("items", ITEMS), numbered(0, 100, (n) => n % 50 === 49 ? "same" : `row ${n}`));
  w.target.add(memoryTable("items", ITEMS, { unique: [["name"]] }), [["1000", "left"]]);
  await assert.rejects(
    w.sync(["items"]),
    isEngineError("database-failed", /target: items \(id=\d+\): name of items must/),
  );
  assert.deepEqual(w.target.rows.get("items"), [["1000", "left"]]);
});

Deno.test("without them refused rows are reported one by one and the others are written", async () => {
  await using w = await World.open();
  w.source.add(memoryTable("items", ITEMS), numbered(0, 1000, (n) => n >= 998 ? "same" : `row ${n}`));
  w.target.add(memoryTable("items", ITEMS, { unique: [["name"]] }), [["7", "row 5"]]);
  const result = await w.sync(["items"], { useTransactions: false, batchSize: 100 });
  assert.equal(result.success, false);
  assert.equal(result.errors.length, 1);
  assert.match(result.errors[0], /^items \(id=99[89]\): name of items must be unique$/);
  assert.equal(w.target.rows.get("items")!.length, 999);
});

Deno.test("unique values that rows swap, and one that a deleted row still has", async () => {
  for (const useTransactions of [true, false]) {
    await using w = await World.open();
    const names = ["a", "b", "c", "d", "e"];
    w.source.add(memoryTable("items", ITEMS, { unique: [["name"]] }), [
      ...names.map((_, i) => [String(i), names[(i + 1) % 5]]),
      ["7", "z"],
    ]);
    w.target.add(memoryTable("items", ITEMS, { unique: [["name"]] }), [
      ...names.map((name, i) => [String(i), name]),
      ["6", "z"],
    ]);
    const result = await w.sync(["items"], { useTransactions, batchSize: 2 });
    assert.deepEqual(result.errors, []);
    assert.deepEqual(w.target.sorted("items"), w.source.sorted("items"));
  }
});

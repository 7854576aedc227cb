import assert from "node:assert/strict";
import { DatabaseError } from "../error.ts";
import { memoryTable } from "../testing/memory_database.ts";
import { isEngineError, numbered, World } from "../testing/world.ts";
import type { Row } from "../types.ts";

const ITEMS = ["id#", "name?"];

async function world(source: Row[], target: Row[], columns = ITEMS): Promise<World> {
  const made = await World.open();
  made.source.add(memoryTable("items", columns), source);
  made.target.add(memoryTable("items", columns), target);
  return made;
}

Deno.test("everything that keeps tables from being pairs is told at once", async () => {
  await using w = await World.open();
  w.source.add(memoryTable("a", ["id#", "same", "gone", "kind#"]));
  w.target.add(memoryTable("a", ["ID#", "same", "more?", "kind"]));
  w.source.add(memoryTable("b", ["id#"]));
  w.target.add(memoryTable("b", ["id#"], { kind: "view" }));
  await assert.rejects(w.sync(["a", "b"]), (error) => {
    for (const words of [/a: .*"gone"/, /a: .*"more"/, /a: .*kind/, /b: the target is a view/]) {
      isEngineError("invalid", words)(error);
    }
    return true;
  });
  await assert.rejects(w.sync(["none"]), isEngineError("not-found", 'the source has no table "none"'));
  w.source.add(memoryTable("c", ["id#"]));
  await assert.rejects(w.sync(["c"]), isEngineError("not-found", "createMissingTables"));
});

Deno.test("columns are paired ignoring case and order, and columns picks some of them", async () => {
  await using w = await World.open();
  w.source.add(memoryTable("items", ["id#", "name", "more?"]), [["1", "one", "x"], ["2", "two", "y"]]);
  w.target.add(memoryTable("Items", ["Name?", "extra?", "ID#"], { key: ["ID"] }), [["old", "kept", "2"]]);
  await assert.rejects(w.sync(["items"], { columns: { items: ["name"] } }), isEngineError("invalid", "name the key"));
  const result = await w.sync(["items"], { columns: { items: ["ID", "name"] } });
  assert.equal(result.entities[0].target, "Items");
  assert.deepEqual(w.target.sorted("Items"), [["one", null, "1"], ["two", "kept", "2"]]);
});

Deno.test("limits on deleting: maxDelete, and an empty source", async () => {
  await using w = await world(numbered(0, 5), numbered(0, 10));
  await assert.rejects(w.sync(["items"], { maxDelete: 4 }), isEngineError("conflict", "5 rows would be deleted"));
  assert.equal((await w.sync(["items"], { maxDelete: 5 })).changesApplied, 5);
  w.source.rows.set("items", []);
  await assert.rejects(w.sync(["items"]), isEngineError("conflict", "items is empty in the source, and 5 rows"));
  const dry = await w.sync(["items"], { dryRun: true });
  assert.match(dry.errors[0], /refused: items is empty/);
  assert.equal((await w.sync(["items"], { deleteMissingInTarget: false })).changesApplied, 0);
  assert.equal((await w.sync(["items"], { maxDelete: 5 })).changesApplied, 5);
});

Deno.test("a dry run has the same figures and writes nothing", async () => {
  await using w = await world(numbered(0, 1000, (n) => `new ${n}`), numbered(500, 1500));
  const before = structuredClone(w.target.rows);
  const dry = await w.sync(["items"], { dryRun: true });
  assert.deepEqual(w.target.rows, before);
  assert.ok(!w.target.calls.includes("writer"));
  assert.deepEqual(await Array.fromAsync(Deno.readDir(`${w.directory}/baselines`)), []);
  const real = await w.sync(["items"]);
  assert.deepEqual({ ...dry, dryRun: false }, real);
});

Deno.test("a diff tells each row and what differs in it", async () => {
  await using w = await world([["1", "one"], ["2", "two"], ["3", null]], [["2", "zwei"], ["3", null], ["4", "four"]]);
  const rows = await w.diff(["items"]);
  assert.deepEqual(rows.sort((a, b) => Number(a.key.id) - Number(b.key.id)), [
    {
      entity: "items",
      side: "target",
      change: "insert",
      key: { id: "1" },
      columns: { id: { source: "1" }, name: { source: "one" } },
    },
    {
      entity: "items",
      side: "target",
      change: "update",
      key: { id: "2" },
      columns: { name: { source: "two", target: "zwei" } },
    },
    {
      entity: "items",
      side: "target",
      change: "delete",
      key: { id: "4" },
      columns: { id: { target: "4" }, name: { target: "four" } },
    },
  ]);
});

Deno.test("the later of two rows wins, and of the same time the source's", async () => {
  const columns = ["id#", "text", "at#?"];
  for (const direction of ["one-way", "two-way"] as const) {
    await using w = await world([["1", "", "0"], ["2", "", "0"], ["3", "", "0"], ["4", "", "0"]], [], columns);
    const options = { direction, conflictStrategy: "LastWriteWins", conflictColumn: "AT" } as const;
    await w.sync(["items"], options);
    w.source.rows.set("items", [["1", "s", "9"], ["2", "s", "10"], ["3", "s", "7"], ["4", "s", null]]);
    w.target.rows.set("items", [["1", "t", "10"], ["2", "t", "9"], ["3", "t", "7"], ["4", "t", "1"]]);
    const result = await w.sync(["items"], options);
    const resolutions = result.conflicts.map(({ key: { id }, resolution }) => [id, resolution]).sort();
    assert.deepEqual(resolutions, [["1", "target"], ["2", "source"], ["3", "source"], ["4", "target"]]);
    assert.deepEqual(w.target.sorted("items").map(([, text]) => text), ["t", "s", "s", "t"]);
    if (direction === "two-way") assert.deepEqual(w.source.sorted("items"), w.target.sorted("items"));
  }
  await using w = await world(numbered(0, 1), []);
  const wrong = w.sync(["items"], { conflictStrategy: "LastWriteWins", conflictColumn: "changed" });
  await assert.rejects(wrong, isEngineError("invalid", 'conflictColumn "changed"'));
});

Deno.test("tables without a key are multisets", async () => {
  await using w = await World.open();
  const table = memoryTable("log", ["line?", "n#"], { key: [] });
  w.source.add(table, [["a", "1"], ["a", "1"], ["a", "1"], ["b", "2"], [null, "3"]]);
  w.target.add(table, [["a", "1"], ["c", "2"], ["c", "2"], [null, "3"], [null, "3"]]);
  const result = await w.sync(["log"]);
  assert.deepEqual([result.entities[0].inserted, result.entities[0].deleted], [3, 3]);
  assert.deepEqual(w.target.sorted("log"), w.source.sorted("log"));
  assert.equal((await w.sync(["log"])).changesApplied, 0);
  await assert.rejects(w.sync(["log"], { direction: "two-way" }), isEngineError("invalid", "two-way needs a"));
});

Deno.test("a missing table is made and filled; where that fails with transactions it is not there", async () => {
  await using w = await World.open();
  w.source.add(memoryTable("items", ITEMS), numbered(0, 700));
  const options = { createMissingTables: true };
  assert.equal((await w.sync(["items"], { ...options, dryRun: true })).entities[0].inserted, 700);
  w.target.before = (operation) => {
    if (operation === "insert") throw new DatabaseError("permission", "permission denied for items");
  };
  await assert.rejects(w.sync(["items"], options), isEngineError("database-failed", "target: permission denied"));
  assert.equal(w.target.tables.size, 0);
  w.target.before = () => {};
  const result = await w.sync(["items"], options);
  assert.deepEqual([result.entities[0].created, result.changesApplied], [true, 700]);
  w.target.rows.get("items")![3] = ["3", "theirs"];
  assert.equal((await w.sync(["items"], options)).conflictsEncountered, 1);
});

Deno.test("a damaged baseline is none", async () => {
  await using w = await world(numbered(0, 1000), []);
  await w.sync(["items"]);
  const [{ name }] = await Array.fromAsync(Deno.readDir(`${w.directory}/baselines`));
  await Deno.writeTextFile(`${w.directory}/baselines/${name}`, "no database ".repeat(1000));
  w.target.rows.get("items")![3] = ["3", "theirs"];
  const result = await w.sync(["items"]);
  assert.deepEqual([result.conflictsEncountered, result.entities[0].overwritten], [0, 1]);
  w.target.rows.get("items")![3] = ["3", "theirs"];
  assert.equal((await w.sync(["items"])).conflictsEncountered, 1);
});

Deno.test("segments of a baseline that became too large are split, and all still tell conflicts", async () => {
  const rows = [...numbered(0, 1000), ...numbered(100_000, 101_000)];
  await using w = await world(rows, []);
  await w.sync(["items"]);
  w.source.rows.set("items", [...rows, ...numbered(1000, 45_000)]);
  const theirs = ["3", "949", "40000", "100000", "100990"];
  const change = (ids: string[], text: string) => {
    const target = w.target.rows.get("items")!;
    for (const row of target) if (ids.includes(row[0] as string)) row[1] = text;
  };
  change(["3", "100990"], "theirs");
  const options = { conflictStrategy: "TargetWins" } as const;
  assert.equal((await w.sync(["items"], options)).entities[0].segments, 14);
  change(theirs, "theirs");
  const again = await w.sync(["items"], options);
  assert.ok(again.entities[0].segments > 300);
  const conflicts = again.conflicts.map(({ key, kind }) => `${key.id} ${kind}`);
  assert.deepEqual(conflicts.sort(), theirs.map((id) => `${id} unchanged-modified`).sort());
  assert.equal(again.entities[0].differingSegments, 5);
});

Deno.test("a baseline cut by hashes of the keys is cut anew for many more rows, and still tells conflicts", async () => {
  const rows = (to: number): Row[] => numbered(0, to).map(([id, text]) => [`key ${id}`, text]);
  await using w = await world(rows(1000), [], ["id", "name?"]);
  await w.sync(["items"]);
  w.source.rows.set("items", rows(5000));
  w.target.rows.get("items")![3][1] = "theirs";
  const options = { conflictStrategy: "TargetWins" } as const;
  assert.equal((await w.sync(["items"], options)).entities[0].segments, 8);
  const again = await w.sync(["items"], options);
  assert.equal(again.entities[0].segments, 64);
  assert.deepEqual(again.conflicts.map(({ key, kind }) => [key.id, kind]), [["key 3", "unchanged-modified"]]);
  assert.equal(again.entities[0].differingSegments, 1);
});

Deno.test("a deadlock is tried again; a commit whose outcome nobody knows is not", async () => {
  for (const useTransactions of [true, false]) {
    await using w = await world(numbered(0, 10), [["11", "old"]]);
    let left = 2;
    w.target.before = (operation) => {
      if (operation === "insert" && left-- > 0) throw new DatabaseError("deadlock", "deadlock", { aborts: true });
    };
    assert.equal((await w.sync(["items"], { useTransactions })).changesApplied, 11);
    w.source.rows.get("items")!.push(["12", "new"]);
    w.target.before = (operation) => {
      if (operation === "commit") throw new DatabaseError("connection", "connection lost", { aborts: true });
    };
    await assert.rejects(w.sync(["items"], { useTransactions }), isEngineError("database-failed", "nobody knows"));
  }
});

Deno.test("a cancelled run rolls back", async () => {
  await using w = await world(numbered(0, 1000), [["1", "old"]]);
  w.target.before = (operation) => {
    if (operation === "update") w.controller.abort(new DOMException("enough", "AbortError"));
  };
  await assert.rejects(w.sync(["items"]), { name: "AbortError" });
  assert.deepEqual(w.target.rows.get("items"), [["1", "old"]]);
  assert.equal(w.target.calls.filter((call) => call === "close writer").length, 1);
});

Deno.test("progress never falls and ends with everything written", async () => {
  await using w = await world(numbered(0, 3000), numbered(0, 1500, () => "old"));
  await w.sync(["items"]);
  const percentages = w.progress.map(({ percentage }) => percentage ?? 0);
  assert.deepEqual(percentages, percentages.toSorted((a, b) => a - b));
});

Deno.test("what a first run sets aside stays known of segments that it does not compare", async () => {
  // The target has as many segments as differ, but other ones.
  await using w = await world(numbered(0, 300), numbered(0, 150));
  const options = { direction: "two-way" } as const;
  assert.equal((await w.sync(["items"], options)).changesApplied, 150);
  const edited = w.target.rows.get("items")!.find(([id]) => id === "5")!;
  edited[1] = "edited in the target";
  w.source.rows.set("items", w.source.rows.get("items")!.filter(([id]) => id !== "7"));
  const { conflictsEncountered } = await w.sync(["items"], { ...options, deleteMissingInTarget: true });
  assert.equal(conflictsEncountered, 0);
  for (const side of [w.source, w.target]) {
    const rows = side.rows.get("items")!;
    assert.deepEqual([rows.find(([id]) => id === "5"), rows.find(([id]) => id === "7")], [edited, undefined]);
  }
});

Deno.test("a segment that grows keeps what is known of rows that the source has no more", async () => {
  await using w = await world(numbered(0, 1000), numbered(0, 1000));
  const options = { direction: "two-way", conflictStrategy: "Manual" } as const;
  await w.sync(["items"], options);
  w.source.rows.set("items", w.source.rows.get("items")!.filter(([id]) => id !== "990"));
  w.target.rows.get("items")!.find(([id]) => id === "990")![1] = "edited in the target";
  const run = async (changes: number) => {
    const { changesApplied, conflicts } = await w.sync(["items"], options);
    assert.deepEqual([changesApplied, conflicts.map(({ kind }) => kind)], [changes, ["deleted-modified"]]);
    assert.equal(w.source.rows.get("items")!.find(([id]) => id === "990"), undefined);
  };
  await run(0);
  w.source.rows.get("items")!.push(...numbered(1000, 42_000));
  await run(41_000);
  await run(0);
});

import assert from "node:assert/strict";
import { UsageError } from "../options.ts";
import { readOptions, SCENARIOS } from "./options.ts";

Deno.test("readOptions: defaults, and everything given", () => {
  const defaults = readOptions(["database"]);
  assert.deepEqual([defaults?.largeRows, defaults?.rows, defaults?.changes, defaults?.upserts], [
    5_000_000,
    1_000_000,
    1000,
    100_000,
  ]);
  assert.deepEqual([...defaults?.only ?? []], [...SCENARIOS]);
  const args = "database --rounds 1 --rows 2000 --large-rows 3000 --changes 5 --upserts 20 --seed 7 --only copy,equal";
  const given = readOptions([...args.split(" "), "--json", "/o.json"]);
  assert.deepEqual(given, {
    rounds: 1,
    seed: 7,
    largeRows: 3000,
    rows: 2000,
    changes: 5,
    upserts: 20,
    only: new Set(["copy", "equal"]),
    json: "/o.json",
  });
});

Deno.test("readOptions: help, and what it refuses", () => {
  assert.equal(readOptions(["database", "--help"]), undefined);
  for (const args of ["a", "--rounds 0", "--only tiny", "--rows 1000 --changes 101", "--rows 1000 --upserts 1001"]) {
    assert.throws(() => readOptions(["database", ...args.split(" ")]), UsageError, args);
  }
});

import assert from "node:assert/strict";
import { nestingDepth } from "./nesting_depth.ts";

Deno.test("brackets count outside of strings only", () => {
  const cases: [string, number][] = [
    ["1", 0],
    ['"[[["', 0],
    ['"\\"[{"', 0],
    ["[]", 1],
    ["[[],[]]", 2],
    ['{"a":[{"b":1}]}', 3],
    ['{"a\\\\":[1]}', 2],
  ];
  for (const [json, depth] of cases) assert.equal(nestingDepth(json), depth, json);
  assert.equal(nestingDepth("[".repeat(500_000)), 500_000);
});

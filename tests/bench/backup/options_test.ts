import assert from "node:assert/strict";
import { UsageError } from "../options.ts";
import { readOptions } from "./options.ts";

Deno.test("readOptions: defaults, and everything given", () => {
  const defaults = readOptions(["backup"]);
  assert.deepEqual([defaults?.rounds, defaults?.bigBytes, [...defaults?.only ?? []]], [3, 4 * 1024 ** 3, [
    "tree",
    "big",
  ]]);
  const args = "backup /srv/tree --rounds 1 --only big --big-file-size 64 --versions 2 --json /o.json".split(" ");
  const given = readOptions(args);
  assert.equal(given?.directory, "/srv/tree");
  assert.deepEqual([given?.rounds, given?.bigBytes, given?.versions], [1, 64 * 1024 ** 2, 2]);
  assert.deepEqual([...readOptions(["backup", "--only", "small,history"])?.only ?? []], ["small", "history"]);
  assert.deepEqual([[...given?.only ?? []], given?.json], [["big"], "/o.json"]);
});

Deno.test("readOptions: help, and what it refuses", () => {
  assert.equal(readOptions(["backup", "--help"]), undefined);
  for (const args of [["backup", "a", "b"], ["backup", "--rounds", "0"], ["backup", "--only", "tiny"]]) {
    assert.throws(() => readOptions(args), UsageError, args.join(" "));
  }
});

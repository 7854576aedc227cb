import assert from "node:assert/strict";
import { readOptions, UsageError } from "./options.ts";

Deno.test("readOptions: defaults", () => {
  const options = readOptions(["files"]);
  assert.equal(options?.directory, undefined);
  assert.equal(options?.rounds, 3);
  assert.equal(options?.largeBytes, 4 * 1024 ** 3);
  assert.deepEqual([...options?.only ?? []], ["first", "nothing", "changed", "verify", "large", "requests"]);
  assert.equal(options?.settle, true);
});

Deno.test("readOptions: everything given", () => {
  const options = readOptions(
    "files /srv/tree --rounds 5 --only first,large --keep --json /out.json --large-mib 64 --no-settle".split(" "),
  );
  assert.equal(options?.directory, "/srv/tree");
  assert.equal(options?.rounds, 5);
  assert.deepEqual([...options?.only ?? []], ["first", "large"]);
  assert.equal(options?.keep, true);
  assert.equal(options?.json, "/out.json");
  assert.equal(options?.largeBytes, 64 * 1024 ** 2);
  assert.equal(options?.settle, false);
});

Deno.test("readOptions: help, and what it refuses", () => {
  assert.equal(readOptions(["--help"]), undefined);
  for (
    const args of [
      [],
      ["databases"],
      ["files", "a", "b"],
      ["files", "--rounds", "0"],
      ["files", "--rounds", "two"],
      ["files", "--only", "first,second"],
      ["files", "--unknown"],
    ]
  ) assert.throws(() => readOptions(args), UsageError, args.join(" "));
});

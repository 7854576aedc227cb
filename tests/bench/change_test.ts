import assert from "node:assert/strict";
import { changeFiles } from "./change.ts";
import { list } from "./listing.ts";
import { makeTree } from "./tree.ts";

Deno.test("changeFiles changes exactly so many files, each in contents and time", async () => {
  const root = await Deno.makeTempDir({ prefix: "syncline-change-" });
  try {
    await makeTree(root, { seed: 5, files: 400 });
    const before = await list(root);
    const contents = new Map<string, Uint8Array>();
    for (const { type, path } of before.entries) {
      if (type === "f") contents.set(path, await Deno.readFile(`${root}/${path}`));
    }
    assert.equal(await changeFiles(root, before, 100, 9), 100);

    const after = await list(root);
    const changed = after.entries.filter((entry, i) => entry.mtime !== before.entries[i].mtime);
    assert.equal(changed.length, 100);
    let sameSize = 0;
    for (const { path } of changed) {
      const now = await Deno.readFile(`${root}/${path}`);
      const then = contents.get(path);
      assert.notDeepEqual(now, then, path);
      if (now.length === then?.length) sameSize++;
    }
    assert.equal(sameSize, 50);
    assert.ok(await changeFiles(root, after, 1_000_000, 10) < 400, "no more than there are");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

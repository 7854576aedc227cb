import assert from "node:assert/strict";
import { list } from "./listing.ts";
import { makeTree } from "./tree.ts";
import { planTree } from "./tree_plan.ts";

Deno.test("planTree: the same options give the same plan, another seed another", () => {
  assert.deepEqual(planTree({ seed: 7, files: 500 }), planTree({ seed: 7, files: 500 }));
  assert.notDeepEqual(planTree({ seed: 7, files: 500 }), planTree({ seed: 8, files: 500 }));
});

Deno.test("planTree: counts, depth, sizes and names are those of a home directory", () => {
  const { files, directories, symlinks, hardLinks } = planTree({ seed: 1, files: 57_000 });
  assert.equal(files.length, 57_000);
  assert.equal(directories.length, 5_000);
  assert.ok(symlinks.length > 100 && hardLinks.length > 100);
  const depths = directories.map((directory) => directory.path.split("/").length);
  assert.equal(Math.max(...depths), 12);
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  assert.ok(bytes > 1.2e9 && bytes < 1.8e9, `${bytes} bytes`);
  const largest = files.reduce((max, file) => Math.max(max, file.size), 0);
  assert.ok(largest > 10e6 && largest <= 64 * 1024 * 1024, `largest ${largest}`);
  assert.ok(files.filter((file) => file.size <= 4096).length > 20_000);
  assert.ok(files.some((file) => file.size === 0));
  assert.ok(files.every((file) => Math.max(...file.path.split("/").map((name) => byteLength(name))) <= 255));
  const paths = [...files, ...directories, ...symlinks, ...hardLinks].map((entry) => entry.path);
  assert.equal(new Set(paths).size, paths.length);
});

Deno.test("makeTree makes what was planned, with nanosecond times", async () => {
  const root = await Deno.makeTempDir({ prefix: "syncline-tree-" });
  try {
    const options = { seed: 3, files: 300 };
    await makeTree(root, options);
    const plan = planTree(options);
    const listing = await list(root);
    assert.equal(listing.files, plan.files.length + plan.hardLinks.length);
    assert.equal(listing.directories, plan.directories.length);
    assert.equal(listing.symlinks, plan.symlinks.length);
    assert.equal(listing.bytes, plan.files.reduce((sum, file) => sum + file.size, 0));
    for (const entry of [...plan.files, ...plan.directories, ...plan.symlinks].slice(0, 400)) {
      const [seconds, nanoseconds] = entry.mtime;
      const found = listing.entries.find(({ path }) => path === entry.path);
      assert.equal(found?.mtime, `${seconds}.${String(nanoseconds).padStart(9, "0")}`, entry.path);
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

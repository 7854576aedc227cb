import assert from "node:assert/strict";
import { run } from "./command.ts";
import { assertEqual } from "./equality.ts";
import { makeTree } from "./tree.ts";

Deno.test("assertEqual tells equal trees from those with one difference", async () => {
  const root = await Deno.makeTempDir({ prefix: "syncline-equality-" });
  const { signal } = new AbortController();
  try {
    await Deno.mkdir(`${root}/a`);
    await makeTree(`${root}/a`, { seed: 2, files: 50 });
    await run(["cp", "-a", `${root}/a`, `${root}/b`]);
    await assertEqual(`${root}/a`, `${root}/b`, signal);
    await Deno.writeTextFile(`${root}/b/extra`, "x");
    await assert.rejects(assertEqual(`${root}/a`, `${root}/b`, signal), /differs/);
    await assert.rejects(assertEqual(`${root}/b`, `${root}/a`, signal), /extra/);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

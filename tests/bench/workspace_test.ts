import assert from "node:assert/strict";
import { settleTime, Workspace } from "./workspace.ts";

Deno.test("Workspace: room is checked, everything is removed unless kept", async () => {
  const temp = await Deno.makeTempDir({ prefix: "syncline-workspace-" });
  try {
    await assert.rejects(Workspace.create(temp, { bytes: 1e18, entries: 1 }, false), /free/);
    await assert.rejects(Workspace.create(temp, { bytes: 1, entries: 1e15 }, false), /inodes/);
    {
      await using workspace = await Workspace.create(temp, { bytes: 1, entries: 1 }, false);
      await Deno.writeTextFile(`${await workspace.directory("a/b")}/file`, "x");
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(temp)), []);
    {
      await using _kept = await Workspace.create(temp, { bytes: 1, entries: 1 }, true);
    }
    assert.equal((await Array.fromAsync(Deno.readDir(temp))).length, 1);
  } finally {
    await Deno.remove(temp, { recursive: true });
  }
});

Deno.test("settleTime counts down from the last removal", async () => {
  const temp = await Deno.makeTempDir({ prefix: "syncline-settle-" });
  try {
    assert.equal(await settleTime(temp), 0);
    await Deno.writeTextFile(`${temp}/syncline-bench-last-removal`, "");
    const { mtime } = await Deno.stat(`${temp}/syncline-bench-last-removal`);
    const removed = mtime?.getTime() ?? 0;
    assert.equal(await settleTime(temp, removed + 60_000), 300_000);
    assert.equal(await settleTime(temp, removed + 400_000), 0);
  } finally {
    await Deno.remove(temp, { recursive: true });
  }
});

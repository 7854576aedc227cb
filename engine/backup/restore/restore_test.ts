import assert from "node:assert/strict";
import * as fs from "node:fs";
import { BackupWorld } from "../testing/backup_world.ts";
import { assertSameTree } from "../../../tests/harness/compare.ts";

Deno.test("a version comes back as it was", async () => {
  using world = await BackupWorld.make();
  world.write("source/a/b/file", "text");
  world.write("source/empty", "");
  world.write("source/large", new Uint8Array(300_000).map((_, i) => i * i >> 7));
  fs.mkdirSync(`${world.source}/nothing`, 0o750);
  fs.symlinkSync("../nowhere", `${world.source}/a/link`);
  fs.linkSync(`${world.source}/a/b/file`, `${world.source}/same`);
  fs.chmodSync(`${world.source}/a/b/file`, 0o4711);
  fs.chmodSync(`${world.source}/a`, 0o555);
  const version = await world.backup();
  const result = await world.restore(version);
  assert.deepEqual([result.success, result.errors, result.filesRestored], [true, [], 5]);
  assert.equal(result.bytesRestored, 300_004);
  await assertSameTree(world.source, world.target);
  const again = await world.restore(version);
  assert.deepEqual([again.filesRestored, again.unchanged, again.bytesRestored], [0, 5, 0]);
});

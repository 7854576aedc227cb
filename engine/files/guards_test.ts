/** What a run must not take or give away. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { World } from "./world.ts";
import { EngineError } from "../errors.ts";

Deno.test("what someone added to a directory that a file replaces is kept, unless the source wins", async () => {
  for (const conflictStrategy of ["TargetWins", "Manual", "LastWriteWins"] as const) {
    using world = new World();
    world.write("source/d/a", "a");
    await world.sync();
    world.write("target/d/mine", "precious");
    fs.rmSync(`${world.source}/d`, { recursive: true });
    world.write("source/d", "a file now");
    const result = await world.sync({ deleteMissingInTarget: true, conflictStrategy });
    assert.equal(world.list(world.target)["d/mine"], "precious", conflictStrategy);
    assert.deepEqual(result.conflicts.map(({ path }) => path), ["d/mine"], conflictStrategy);
  }
});

Deno.test("a target's file that no include pattern names stays", async () => {
  using world = new World();
  world.write("source/d/other.bin", "x");
  world.write("source/a.txt", "a");
  world.write("target/d", "not theirs to take");
  const result = await world.sync({ includePatterns: ["*.txt"] });
  assert.deepEqual(world.list(world.target), { "a.txt": "a", d: "not theirs to take" });
  assert.equal(result.success, false);
});

Deno.test("a hard link is not made to a file that could not be copied", async () => {
  using world = new World();
  world.write("source/a", "new");
  fs.linkSync(`${world.source}/a`, `${world.source}/b`);
  world.write("target/a", "old a");
  world.write("target/b", "another file");
  const result = await world.sync({}, (task) => {
    if (task === "files.apply" && fs.existsSync(`${world.source}/a`)) {
      fs.renameSync(`${world.source}/a`, `${world.path}/away`);
    }
  });
  assert.equal(result.success, false);
  assert.equal(world.list(world.target).b, "another file");
});

Deno.test("maxDelete counts what is in directories that files replace", async () => {
  using world = new World();
  for (let i = 0; i < 3; i++) {
    world.write(`source/x${i}`, "file");
    world.write(`target/x${i}/keep.bak`, "kept");
    world.write(`target/x${i}/other`, "gone");
  }
  const options = { deleteMissingInTarget: true, excludePatterns: ["*.bak"], maxDelete: 0 };
  await assert.rejects(world.sync(options), (error) => error instanceof EngineError && error.kind === "conflict");
  assert.equal(world.list(world.target)["x0/other"], "gone");
});

Deno.test("the trash is neither the target nor in the source", async () => {
  using world = new World();
  world.write("source/docs/a", "a");
  for (const trashDirectory of [world.target, world.source, `${world.source}/docs`]) {
    await assert.rejects(
      world.sync({ trashDirectory }),
      (error) => error instanceof EngineError && error.kind === "invalid" && error.details.includes("trashDirectory"),
    );
  }
});

Deno.test("where permissions are not kept, new directories are as open as the umask allows", async () => {
  using world = new World();
  world.write("source/dir/file", "x");
  fs.chmodSync(`${world.source}/dir`, 0o700);
  await world.sync({ preservePermissions: false });
  const open = 0o777 & ~Deno.umask();
  for (const path of [world.target, `${world.target}/dir`]) assert.equal(fs.statSync(path).mode & 0o777, open, path);
});

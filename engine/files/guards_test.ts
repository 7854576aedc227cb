/** What a run must not take or give away. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import type { ApplyInput } from "./apply.ts";
import { temporaryName } from "./rules.ts";
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
    world.write(`target/x${i}/other`, "gone");
  }
  const options = { deleteMissingInTarget: true, maxDelete: 2 };
  await assert.rejects(world.sync(options), (error) => error instanceof EngineError && error.kind === "conflict");
  assert.equal(world.list(world.target)["x0/other"], "gone");
});

Deno.test("a directory in a file's place stays whole where something in it is kept", async () => {
  using world = new World();
  world.write("source/x", "a file");
  world.write("source/y", "a file");
  world.write("source/z", "a file");
  fs.linkSync(`${world.source}/y`, `${world.source}/y2`);
  for (const name of ["x", "y2"]) {
    world.write(`target/${name}/deep/mine.bak`, "kept");
    world.write(`target/${name}/a/b`, "beside it");
  }
  world.write("target/z/a/b", "gone");
  const options = { deleteMissingInTarget: true, excludePatterns: ["*.bak"] };
  const dry = await world.sync({ ...options, dryRun: true });
  const result = await world.sync(options);
  const words = "something that stays is in the directory in its place";
  assert.deepEqual(result.errors.toSorted(), [`x: ${words}`, `y2: ${words}`]);
  assert.deepEqual([dry.statistics, dry.errors.toSorted()], [result.statistics, result.errors.toSorted()]);
  assert.deepEqual([result.statistics.deleted, dry.plan?.length], [2, result.changesApplied]);
  const { x, y2, "x/a/b": first, "y2/a/b": second, z, y } = world.list(world.target);
  assert.deepEqual([x, y2, first, second, z, y], ["/", "/", "beside it", "beside it", "a file", "a file"]);
});

Deno.test("a directory keeps what is in it where the file that replaces it cannot be copied", async () => {
  for (const kind of ["file", "symlink", "hard link"]) {
    using world = new World();
    world.write("source/leader", "new");
    if (kind === "file") world.write("source/x", "a file");
    else if (kind === "symlink") fs.symlinkSync("anywhere", `${world.source}/x`);
    else fs.linkSync(`${world.source}/leader`, `${world.source}/x`);
    world.write("target/x/a/b", "precious");
    const result = await world.sync({ deleteMissingInTarget: true }, (task) => {
      if (task === "files.apply") {
        fs.rmSync(`${world.source}/${kind === "hard link" ? "leader" : "x"}`, { force: true });
      }
    });
    assert.equal(result.success, false, kind);
    assert.equal(world.list(world.target)["x/a/b"], "precious", kind);
    assert.ok(!Object.keys(world.list(world.target)).some((path) => path.includes(".syncline-")), kind);
  }
});

Deno.test("no directory gives way to a file after something could not be read", async () => {
  using world = new World();
  world.write("source/x", "a file");
  world.write("source/a", "vanishes");
  world.write("target/x/deep", "kept");
  const result = await world.sync({ deleteMissingInTarget: true }, (task) => {
    if (task === "files.apply") fs.rmSync(`${world.source}/a`, { force: true });
  });
  assert.deepEqual(result.errors.toSorted(), [
    "a: disappeared during the run",
    "x: a directory that is not empty is in its place",
  ]);
  assert.deepEqual(world.list(world.target), { x: "/", "x/deep": "kept" });
});

Deno.test("a file stays where the directory that replaces it cannot be made", async () => {
  using world = new World();
  world.write("source/x/y", "new");
  world.write("target/x", "precious");
  let [count, temporary] = [0, ""];
  // Something of the run's own next temporary name is in the way.
  const result = await world.sync({ deleteMissingInTarget: true }, (task, input) => {
    if (task !== "files.apply" || count++ > 0) return;
    const { options, segments } = input as ApplyInput;
    temporary = `${world.target}/${temporaryName(options.run, segments[0].offset)}`;
    fs.mkdirSync(temporary);
  });
  assert.equal(result.success, false);
  assert.equal(world.list(world.target).x, "precious");
  const again = await world.sync({ deleteMissingInTarget: true });
  assert.deepEqual(again.errors, []);
  world.assertEqual();
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

Deno.test("the trash hides nobody's data", async () => {
  using world = new World();
  world.write("source/docs/a", "a");
  world.write("source/other/b", "b");
  world.write("target/docs/a", "old");
  world.write("target/mine/x", "x");
  world.write("target/file", "x");
  fs.mkdirSync(`${world.target}/other`);
  for (const place of ["docs", "mine", "mine/x", "file", "other"]) {
    await assert.rejects(
      world.sync({ trashDirectory: `${world.target}/${place}`, dryRun: place === "docs" }),
      (error) => error instanceof EngineError && error.kind === "invalid" && error.details.includes("trashDirectory"),
      place,
    );
  }
  fs.mkdirSync(`${world.target}/empty`);
  for (const content of ["new", "newer", "newest"]) {
    world.write("source/docs/a", content);
    const result = await world.sync({ trashDirectory: `${world.target}/empty`, deleteMissingInTarget: true });
    assert.deepEqual(result.errors, []);
  }
  const kept = world.list(`${world.target}/empty`);
  assert.deepEqual(Object.values(kept).filter((text) => text !== "/").sort(), ["new", "newer", "old", "x", "x"]);
});

Deno.test("another place for the trash does not count as other patterns", async () => {
  using world = new World();
  world.write("source/a", "a");
  await world.sync({ trashDirectory: `${world.target}/.first` });
  world.write("target/added", "by someone else");
  const options = { trashDirectory: `${world.target}/.second`, deleteMissingInTarget: true } as const;
  const result = await world.sync({ ...options, conflictStrategy: "Manual" });
  assert.deepEqual(result.conflicts, [{ path: "added", kind: "added", resolution: "unresolved" }]);
});

Deno.test("what the patterns left out before is nobody's deletion, unless the source wins", async () => {
  for (const conflictStrategy of ["TargetWins", "Manual", "LastWriteWins", "KeepBoth", "SourceWins"] as const) {
    using world = new World();
    world.write("source/a", "a");
    world.write("target/mine.bak", "precious");
    world.write("target/d/mine.bak", "precious");
    await world.sync({ excludePatterns: ["*.bak"] });
    const result = await world.sync({ deleteMissingInTarget: true, conflictStrategy });
    const left = conflictStrategy === "SourceWins" ? ["a"] : ["a", "d", "d/mine.bak", "mine.bak"];
    assert.deepEqual(Object.keys(world.list(world.target)).sort(), left, conflictStrategy);
    assert.deepEqual([result.errors, result.conflicts], [[], []], conflictStrategy);
  }
});

Deno.test("a kept version's name that is not UTF-8 is shown with its bytes", async () => {
  using world = new World();
  const write = (side: string, text: string) => {
    const script = `printf %s "$1" >"$(printf 'n\\377.txt')"`;
    const { success } = new Deno.Command("sh", { args: ["-c", script, "sh", text], cwd: side }).outputSync();
    assert.ok(success);
  };
  write(world.source, "one");
  await world.sync();
  write(world.source, "mine now");
  write(world.target, "theirs");
  const { conflicts, errors } = await world.sync({ conflictStrategy: "KeepBoth" });
  assert.deepEqual([errors, conflicts.length], [[], 1]);
  assert.equal(conflicts[0].path, "n\\xff.txt");
  assert.match(conflicts[0].keptAs as string, /^n\\xff\.conflict-\d{8}T\d{6}Z\.txt$/);
  assert.ok(JSON.stringify(conflicts).isWellFormed());
});

Deno.test("where permissions are not kept, new directories are as open as the umask allows", async () => {
  using world = new World();
  world.write("source/dir/file", "x");
  fs.chmodSync(`${world.source}/dir`, 0o700);
  await world.sync({ preservePermissions: false });
  const open = 0o777 & ~Deno.umask();
  for (const path of [world.target, `${world.target}/dir`]) assert.equal(fs.statSync(path).mode & 0o777, open, path);
});

import assert from "node:assert/strict";
import * as fs from "node:fs";
import type { SyncFilesRequest } from "./types.ts";
import { type Hook, type Part, World } from "./world.ts";
import { EngineError } from "../errors.ts";

function isError(kind: string, words: string) {
  return (error: unknown) => error instanceof EngineError && error.kind === kind && error.details.includes(words);
}

Deno.test("a parent that turns into a link midway leads nowhere", async () => {
  using world = new World();
  for (const name of ["a", "b", "c"]) world.write(`source/dir/deep/${name}`, name);
  world.write("outside/deep/kept", "kept");
  const result = await world.sync({}, (task) => {
    if (task !== "files.apply" || fs.existsSync(`${world.target}/dir`)) return;
    fs.symlinkSync("../outside", `${world.target}/dir`);
  });
  assert.equal(result.success, false);
  assert.deepEqual(world.list(`${world.path}/outside`), { deep: "/", "deep/kept": "kept" });
});

Deno.test("a source's directory that turns into a link midway is not read through", async () => {
  using world = new World();
  world.write("source/dir/file", "mine");
  world.write("outside/file", "a secret");
  const result = await world.sync({}, (task) => {
    if (task !== "files.apply" || fs.lstatSync(`${world.source}/dir`).isSymbolicLink()) return;
    fs.renameSync(`${world.source}/dir`, `${world.path}/away`);
    fs.symlinkSync("../outside", `${world.source}/dir`);
  });
  assert.equal(result.success, false);
  assert.ok(!JSON.stringify(world.list(world.target)).includes("secret"));
});

Deno.test("a source that vanishes or is replaced midway deletes nothing", async () => {
  using world = new World();
  world.write("source/a", "a");
  world.write("target/old", "old");
  const vanish: Hook = (task) => {
    if (task !== "files.apply" || !fs.existsSync(world.source)) return;
    fs.renameSync(world.source, `${world.path}/away`);
  };
  await assert.rejects(world.sync({ deleteMissingInTarget: true }, vanish), isError("sync-failed", "not found"));
  const replace: Hook = (task) => {
    if (task !== "files.apply" || fs.existsSync(`${world.path}/elsewhere`)) return;
    fs.renameSync(world.source, `${world.path}/elsewhere`);
    fs.mkdirSync(world.source);
  };
  fs.renameSync(`${world.path}/away`, world.source);
  await assert.rejects(world.sync({ deleteMissingInTarget: true }, replace), isError("sync-failed", "replaced"));
  assert.equal(world.list(world.target).old, "old");
});

Deno.test("one failing file turns deletion off and stops nothing else", async () => {
  using world = new World();
  for (const name of ["a", "b", "c"]) world.write(`source/${name}`, name);
  world.write("target/old", "old");
  const result = await world.sync({ deleteMissingInTarget: true }, (task) => {
    if (task === "files.apply") fs.rmSync(`${world.source}/b`, { force: true });
  });
  assert.equal(result.success, false);
  assert.deepEqual(result.errors, [
    "b: disappeared during the run",
    ".: 1 deletions were left out, because not everything could be read or copied",
  ]);
  assert.deepEqual(world.list(world.target), { a: "a", c: "c", old: "old" });
  const again = await world.sync({ deleteMissingInTarget: true });
  assert.deepEqual([again.success, again.statistics.deleted], [true, 1]);
  world.assertEqual();
});

Deno.test("a name that appears in the target during the run is not overwritten", async () => {
  using world = new World();
  world.write("source/file", "mine");
  fs.mkdirSync(world.target);
  const result = await world.sync({}, (task) => {
    if (task === "files.apply") fs.writeFileSync(`${world.target}/file`, "theirs");
  });
  assert.deepEqual(result.errors, ["file: something appeared in its place during the run"]);
  assert.deepEqual(world.list(world.target), { file: "theirs" });
});

Deno.test("cancelled in the middle, it leaves no temporary file and is brought to its end by the next run", async () => {
  using world = new World();
  for (let i = 0; i < 20; i++) world.write(`source/d${i % 3}/${i}`, "x".repeat(i));
  await world.sync();
  for (let i = 0; i < 20; i++) world.write(`source/d${i % 3}/${i}`, "changed" + i);
  const cancel = new AbortController();
  const abort: Hook = (task) => task === "files.flush" && cancel.abort(new DOMException("stop", "AbortError"));
  await assert.rejects(
    world.sync({}, {
      before: (task, input) => {
        abort(task, input);
        if (task === "files.flush") cancel.signal.throwIfAborted();
      },
      signal: cancel.signal,
    }),
    { name: "AbortError" },
  );
  assert.ok(!Object.keys(world.list(world.target)).some((path) => path.includes(".syncline-")));
  const result = await world.sync();
  assert.equal(result.success, true);
  world.assertEqual();
});

Deno.test("a dry run's figures are those of the run", async () => {
  using world = new World();
  for (const path of ["a.txt", "d/b.txt", "d/e/f/c.txt", "d/skip.bin", "empty/x.bin", "twin"]) {
    world.write(`source/${path}`, path);
  }
  fs.linkSync(`${world.source}/twin`, `${world.source}/d/twin.txt`);
  fs.symlinkSync("a.txt", `${world.source}/link.txt`);
  for (const path of ["old/keep.bin", "old/gone.txt", "old/deep/gone.txt", "d/old.txt", "empty2/z/y.txt"]) {
    world.write(`target/${path}`, path);
  }
  const variants: Part[] = [
    {},
    { deleteMissingInTarget: true },
    { deleteMissingInTarget: true, excludePatterns: ["*.bin"] },
    { deleteMissingInTarget: true, includePatterns: ["*.txt"] },
    { includePatterns: ["f/", "/empty"] },
  ];
  for (const variant of variants) {
    fs.cpSync(world.target, `${world.path}/before`, { recursive: true, verbatimSymlinks: true });
    const before = world.list(world.target);
    const dry = await world.sync({ ...variant, dryRun: true });
    assert.deepEqual(world.list(world.target), before);
    const real = await world.sync(variant);
    assert.deepEqual(dry.statistics, real.statistics, JSON.stringify(variant));
    assert.equal(dry.plan?.length, real.changesApplied, JSON.stringify([variant, dry.plan]));
    const again = await world.sync(variant);
    assert.deepEqual([again.changesApplied, again.errors], [0, []], JSON.stringify(variant));
    fs.rmSync(world.target, { recursive: true });
    fs.renameSync(`${world.path}/before`, world.target);
    fs.rmSync(`${world.path}/data`, { recursive: true });
  }
});

Deno.test("include patterns make only the directories that something wanted lies in", async () => {
  using world = new World();
  for (const path of ["a/b/c.txt", "a/x.bin", "none/y.bin", "whole/z.bin"]) world.write(`source/${path}`, path);
  fs.chmodSync(`${world.source}/a`, 0o750);
  fs.utimesSync(`${world.source}/a/b`, 1, 1);
  await world.sync({ includePatterns: ["*.txt", "whole/"] });
  assert.deepEqual(Object.keys(world.list(world.target)).sort(), ["a", "a/b", "a/b/c.txt", "whole", "whole/z.bin"]);
  assert.equal(fs.statSync(`${world.target}/a`).mode & 0o777, 0o750);
  assert.equal(fs.statSync(`${world.target}/a/b`).mtimeMs, 1000);
});

Deno.test("directories, files and links take each other's place", async () => {
  using world = new World();
  const shapes: ((path: string) => void)[] = [
    (path) => fs.writeFileSync(path, "file"),
    (path) => fs.symlinkSync("anywhere", path),
    (path) => fs.mkdirSync(path),
    (path) => {
      fs.mkdirSync(`${path}/sub`, { recursive: true });
      fs.writeFileSync(`${path}/sub/file`, "file");
    },
  ];
  for (const [i, from] of shapes.entries()) {
    for (const [j, to] of shapes.entries()) {
      for (const side of [world.source, world.target]) {
        fs.rmSync(side, { recursive: true, force: true });
        fs.mkdirSync(side);
      }
      from(`${world.source}/x`);
      to(`${world.target}/x`);
      const result = await world.sync({ deleteMissingInTarget: true, maxDelete: 10 });
      assert.deepEqual(result.errors, [], `${i} over ${j}`);
      world.assertEqual();
    }
  }
});

Deno.test("without deletion, a directory with something in it does not give way to a file", async () => {
  using world = new World();
  world.write("source/x", "file");
  world.write("source/y", "file");
  world.write("target/x/kept", "kept");
  fs.mkdirSync(`${world.target}/y`);
  const result = await world.sync();
  assert.deepEqual(result.errors, ["x: a directory that is not empty is in its place"]);
  assert.deepEqual(world.list(world.target), { x: "/", "x/kept": "kept", y: "file" });
});

Deno.test("conflicts are what someone else changed since the last run", async () => {
  const expected: Record<string, [Record<string, string>, string[]]> = {
    SourceWins: [{ a: "one", b: "source", c: "one" }, ["a:modified:source", "b:modified:source", "c:deleted:source"]],
    TargetWins: [{ a: "theirs", b: "theirs" }, ["a:modified:target", "b:modified:target", "c:deleted:target"]],
    Manual: [{ a: "theirs", b: "theirs" }, ["a:modified:unresolved", "b:modified:unresolved", "c:deleted:unresolved"]],
    LastWriteWins: [{ a: "theirs", b: "source", c: "one" }, [
      "a:modified:target",
      "b:modified:source",
      "c:deleted:source",
    ]],
  };
  for (const [strategy, [files, conflicts]] of Object.entries(expected)) {
    using world = new World();
    for (const name of ["a", "b", "c"]) world.write(`source/${name}`, "one");
    assert.equal((await world.sync()).conflictsEncountered, 0);
    for (const name of ["a", "b"]) world.write(`target/${name}`, "theirs");
    fs.unlinkSync(`${world.target}/c`);
    world.write("source/b", "source");
    fs.utimesSync(`${world.source}/b`, 5e9, 5e9);
    const result = await world.sync({ conflictStrategy: strategy as SyncFilesRequest["conflictStrategy"] });
    assert.deepEqual(world.list(world.target), files, strategy);
    const seen = result.conflicts.map(({ path, kind, resolution }) => `${path}:${kind}:${resolution}`);
    assert.deepEqual(seen.sort(), conflicts, strategy);
  }
});

Deno.test("KeepBoth keeps the target's version beside the source's", async () => {
  using world = new World();
  world.write("source/a.txt", "one");
  await world.sync();
  world.write("source/a.txt", "mine now");
  world.write("target/a.txt", "theirs");
  const result = await world.sync({ conflictStrategy: "KeepBoth" });
  const keptAs = result.conflicts[0].keptAs as string;
  assert.match(keptAs, /^a\.conflict-\d{8}T\d{6}Z\.txt$/);
  assert.deepEqual(world.list(world.target), { "a.txt": "mine now", [keptAs]: "theirs" });
});

Deno.test("what was deleted in the source and edited in the target stays, unless the source wins", async () => {
  for (const strategy of ["TargetWins", "KeepBoth", "LastWriteWins", "Manual", "SourceWins"] as const) {
    using world = new World();
    for (const name of ["same", "edited"]) world.write(`source/dir/${name}`, "one");
    world.write("source/stays", "x");
    await world.sync();
    fs.rmSync(`${world.source}/dir`, { recursive: true });
    world.write("target/dir/edited", "two");
    const result = await world.sync({ conflictStrategy: strategy, deleteMissingInTarget: true });
    const left = strategy === "SourceWins" ? ["stays"] : ["dir", "dir/edited", "stays"];
    assert.deepEqual(Object.keys(world.list(world.target)).sort(), left, strategy);
    assert.deepEqual(result.conflicts.map(({ path }) => path), ["dir/edited"], strategy);
    assert.deepEqual(result.errors, []);
  }
});

Deno.test("overwritten and deleted files are kept in the trash, which is not synchronised", async () => {
  using world = new World();
  for (const name of ["a", "d/b"]) world.write(`source/${name}`, "one");
  await world.sync();
  world.write("source/a", "second");
  fs.rmSync(`${world.source}/d`, { recursive: true });
  const trashDirectory = `${world.target}/.trash`;
  const result = await world.sync({ deleteMissingInTarget: true, trashDirectory });
  assert.deepEqual([result.errors, result.statistics.deleted, result.statistics.updated], [[], 2, 1]);
  const [run] = fs.readdirSync(trashDirectory);
  assert.deepEqual(world.list(`${trashDirectory}/${run}`), { a: "one", d: "/", "d/b": "one" });
  const again = await world.sync({ deleteMissingInTarget: true, trashDirectory });
  assert.equal(again.changesApplied, 0);
});

Deno.test("a run that overwrites nothing needs no trash", async () => {
  using world = new World();
  world.write("source/a", "one");
  fs.mkdirSync(world.target, { mode: 0o700 });
  const result = await world.sync({ trashDirectory: `${world.path}/trash` });
  assert.deepEqual([result.errors, result.statistics.updated], [[], 1]);
  assert.ok(!fs.existsSync(`${world.path}/trash`));
});

Deno.test("pairs that cannot be", async () => {
  using world = new World();
  world.write("source/sub/file", "x");
  const target = (targetDirectory: string) => world.sync({ targetDirectory });
  await assert.rejects(target(world.source), isError("invalid", "same directory"));
  await assert.rejects(target(`${world.source}/sub`), isError("invalid", "inside sourceDirectory"));
  await assert.rejects(target(`${world.source}/new/deep`), isError("invalid", "inside sourceDirectory"));
  await assert.rejects(target(world.path), isError("invalid", "inside targetDirectory"));
  await assert.rejects(world.sync({ sourceDirectory: `${world.path}/none` }), isError("sync-failed", "not found"));
  world.write("plain", "x");
  await assert.rejects(world.sync({ sourceDirectory: `${world.path}/plain` }), isError("invalid", "not a directory"));
  await assert.rejects(target(`${world.path}/plain`), isError("invalid", "not a directory"));
});

Deno.test("a source with nothing but directories counts as empty", async () => {
  using world = new World();
  world.write("source/d/e/file", "x");
  await world.sync();
  fs.rmSync(`${world.source}/d/e/file`);
  await assert.rejects(world.sync({ deleteMissingInTarget: true }), isError("conflict", "maxDelete"));
  assert.equal(world.list(world.target)["d/e/file"], "x");
  assert.equal((await world.sync({ deleteMissingInTarget: true, maxDelete: 1 })).statistics.deleted, 1);
});

Deno.test("a dry run lists deletions in the order of their application", async () => {
  using world = new World();
  world.write("source/stays", "x");
  world.write("source/replaces", "a file");
  for (const path of ["a/b/c/1", "a/b/2", "d/3", "replaces/e/f/4"]) world.write(`target/${path}`, path);
  const { plan } = await world.sync({ deleteMissingInTarget: true, dryRun: true });
  const order = (plan ?? []).map(({ path }) => path);
  for (const path of order) {
    const parent = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
    if (parent !== "") assert.ok(order.indexOf(path) < order.indexOf(parent), `${path} in ${order.join()}`);
  }
  assert.equal(order.length, 12);
});

Deno.test("KeepBoth twice within a second, and two names that are cut to the same", async () => {
  using world = new World();
  const names = ["a.txt", ...["1", "2"].map((end) => "n".repeat(254) + end)];
  for (const name of names) world.write(`source/${name}`, "one");
  await world.sync();
  const kept = new Set<string>();
  for (let round = 0; round < 3; round++) {
    for (const name of names) {
      world.write(`source/${name}`, `mine ${round} ${name}`);
      world.write(`target/${name}`, `theirs, ${round} ${name}`);
    }
    const result = await world.sync({ conflictStrategy: "KeepBoth" });
    assert.deepEqual([result.errors, result.conflicts.length], [[], 3]);
    for (const { keptAs } of result.conflicts) kept.add(keptAs as string);
  }
  assert.equal(kept.size, 9);
  const left = world.list(world.target);
  assert.deepEqual(
    [...kept].map((name) => left[name].slice(0, 9)).sort(),
    [0, 1, 2].flatMap((round) => Array(3).fill(`theirs, ${round}`)),
  );
});

Deno.test("an empty source and too many deletions are refused, and a dry run says so", async () => {
  using world = new World();
  for (const name of ["a", "b"]) world.write(`target/${name}`, name);
  const all = { deleteMissingInTarget: true };
  await assert.rejects(world.sync(all), isError("conflict", "maxDelete"));
  const dry = await world.sync({ ...all, dryRun: true });
  assert.deepEqual([dry.success, dry.plan?.length], [false, 2]);
  world.write("source/c", "c");
  await assert.rejects(world.sync({ ...all, maxDelete: 1 }), isError("conflict", "2 entries"));
  assert.deepEqual(world.list(world.target), { a: "a", b: "b" });
  assert.equal((await world.sync({ ...all, maxDelete: 2 })).success, true);
  world.assertEqual();
});

/** Temporary names, where something happens to them or to the directories that they are in. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { type Hook, World } from "./world.ts";

function temporaries(directory: string): string[] {
  return fs.readdirSync(directory, { recursive: true }).map(String).filter((path) => path.includes(".syncline-"));
}

/** The number in a temporary name, which grows while a task goes on. */
function serial(path: string): number {
  return parseInt(path.slice(path.lastIndexOf("-") + 1), 36);
}

Deno.test("a cancelled run whose directory was moved away meanwhile removes nothing elsewhere", async () => {
  const moves: Record<string, (world: World, place: string) => void> = {
    "nothing": () => {},
    "a file": (_, place) => fs.writeFileSync(place, "in its place"),
    "a link": (world, place) => fs.symlinkSync(`${world.path}/decoy`, place),
    "another directory": (_, place) => fs.mkdirSync(place),
  };
  for (const [what, put] of Object.entries(moves)) {
    using world = new World();
    for (const path of ["a/file", "b/file"]) world.write(`source/${path}`, "one");
    await world.sync();
    for (const path of ["a/file", "b/file"]) world.write(`source/${path}`, "second");
    const cancel = new AbortController();
    let name = "";
    const atCheckpoint = (task: string) => {
      if (task !== "files.apply" || name !== "") return;
      const found = temporaries(world.target).sort((a, b) => serial(a) - serial(b));
      if (found.length < 2) return;
      // The first waits for its turn, and the run is in the other's directory.
      let directory: string;
      [directory, name] = found[0].split("/");
      fs.renameSync(`${world.target}/${directory}`, `${world.path}/away`);
      world.write(`decoy/${name}`, "not in the target");
      put(world, `${world.target}/${directory}`);
      cancel.abort(new DOMException("stop", "AbortError"));
    };
    await assert.rejects(world.sync({}, { atCheckpoint, signal: cancel.signal }), { name: "AbortError" }, what);
    assert.equal(fs.readFileSync(`${world.path}/decoy/${name}`, "utf8"), "not in the target", what);
    assert.equal(fs.readFileSync(`${world.path}/away/file`, "utf8"), "one", what);
    assert.deepEqual(temporaries(world.target), [], what);
  }
});

Deno.test("a hard link that cannot take its place leaves no temporary name", async () => {
  using world = new World();
  world.write("source/a", "new");
  fs.linkSync(`${world.source}/a`, `${world.source}/b`);
  world.write("target/b", "another file");
  const result = await world.sync({}, (task, input) => {
    if (task !== "files.apply" || !JSON.stringify(input).includes('"join"')) return;
    fs.rmSync(`${world.target}/b`);
    world.write("target/b/c", "a directory now");
  });
  assert.match(result.errors.join(), /^b: /);
  assert.deepEqual(world.list(world.target), { a: "new", b: "/", "b/c": "a directory now" });
});

Deno.test("a temporary directory of a killed run goes", async () => {
  using world = new World();
  world.write("source/a/b", "x");
  fs.mkdirSync(`${world.target}/a/.syncline-0123456789ab-1.tmp`, { recursive: true });
  const result = await world.sync();
  assert.deepEqual(result.errors, []);
  world.assertEqual();
});

Deno.test("temporary files of a killed run go, in directories that only the target has too", async () => {
  using world = new World();
  world.write("source/kept/a", "a");
  world.write("source/gone/b", "b");
  const die: Hook = (task) => {
    if (task === "files.end") throw new TypeError("killed");
  };
  await assert.rejects(world.sync({}, die), TypeError);
  for (const dir of ["kept", "gone"]) world.write(`target/${dir}/.syncline-0123456789ab-1.tmp`, "half");
  fs.rmSync(`${world.source}/gone`, { recursive: true });
  const result = await world.sync();
  assert.deepEqual([result.success, result.changesApplied], [true, 0]);
  assert.deepEqual(world.list(world.target), { gone: "/", "gone/b": "b", kept: "/", "kept/a": "a" });
});

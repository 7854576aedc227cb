/** The baseline that a plan foresees is the one that a look at both sides after the run makes out. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { BaselineStore } from "./baseline_store.ts";
import { decodeBaseline } from "./baseline.ts";
import { type Hook, World } from "./world.ts";

/** All that the pair's baseline knows. */
function known(world: World): Record<string, unknown> {
  const [name] = fs.readdirSync(`${world.path}/data/baselines`).filter((name) => name.endsWith(".db"));
  using store = new BaselineStore(`${world.path}/data/baselines/${name}`);
  const rows: Record<string, unknown> = {};
  for (const directory of directories(world.source)) {
    const stored = store.read(directory);
    rows[directory] = stored === undefined ? {} : Object.fromEntries(decodeBaseline(stored));
  }
  return rows;
}

function directories(root: string): string[] {
  const entries = fs.readdirSync(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isDirectory()).map(({ parentPath, name }) => `${parentPath}/${name}`);
  return ["", ...paths.map((path) => path.slice(root.length + 1))].sort();
}

/** Changes of which the baseline is foreseen. */
const FORESEEN: Record<string, (world: World) => void> = {
  "a new file": (world) => world.write("source/d/new", "new"),
  "a changed file": (world) => world.write("source/d/a", "second version"),
  "a new link": (world) => fs.symlinkSync("a", `${world.source}/d/link`),
  "a changed link": (world) => {
    fs.rmSync(`${world.source}/old`);
    fs.symlinkSync("elsewhere", `${world.source}/old`);
  },
  "new directories": (world) => world.write("source/n/e/w/file", "new"),
  "an empty directory": (world) => fs.mkdirSync(`${world.source}/d/empty`),
  "a link in the place of a file": (world) => {
    fs.rmSync(`${world.source}/d/b`);
    fs.symlinkSync("a", `${world.source}/d/b`);
  },
  "a directory in the place of a file": (world) => {
    fs.rmSync(`${world.source}/d/b`);
    world.write("source/d/b/inside", "x");
  },
  "the same new file on both sides": (world) => {
    for (const side of ["source", "target"]) {
      world.write(`${side}/d/same`, "x");
      fs.utimesSync(`${world.path}/${side}/d/same`, 1_700_000_000, 1_700_000_000);
    }
  },
  "a file that is gone on both sides": (world) => {
    for (const side of ["source", "target"]) fs.rmSync(`${world.path}/${side}/d/b`);
  },
  "a repair": (world) => world.write("target/d/a", "by someone else"),
};

/** Changes of which only a look at both sides tells it. */
const SEEN: Record<string, (world: World) => void> = {
  "a deleted file": (world) => fs.rmSync(`${world.source}/d/b`),
  "a deleted directory": (world) => fs.rmSync(`${world.source}/d`, { recursive: true }),
  "a directory that is gone on both sides": (world) => {
    for (const side of ["source", "target"]) fs.rmSync(`${world.path}/${side}/d`, { recursive: true });
  },
  "a file in the place of a directory": (world) => {
    fs.rmSync(`${world.source}/d`, { recursive: true });
    world.write("source/d", "a file now");
  },
  "a new hard link": (world) => fs.linkSync(`${world.source}/d/a`, `${world.source}/d/twin`),
};

const options = { deleteMissingInTarget: true, maxDelete: 100 } as const;

async function makeWorld(): Promise<World> {
  const world = new World();
  for (const path of ["d/a", "d/b", "d/sub/c", "other/e"]) world.write(`source/${path}`, path);
  fs.symlinkSync("nowhere", `${world.source}/old`);
  await world.sync();
  return world;
}

for (const [kind, changes] of Object.entries({ FORESEEN, SEEN })) {
  for (const [what, change] of Object.entries(changes)) {
    Deno.test(`the baseline after ${what}`, async () => {
      using world = await makeWorld();
      change(world);
      let looked = false;
      const look: Hook = (task) => looked ||= task === "files.rebase";
      assert.deepEqual((await world.sync(options, look)).errors, []);
      assert.equal(looked, kind === "SEEN");
      const after = known(world);
      // A first run that finds everything in place knows no more than what both sides are.
      fs.rmSync(`${world.path}/data`, { recursive: true });
      assert.equal((await world.sync(options)).changesApplied, 0);
      assert.deepEqual(after, known(world));
    });
  }
}

Deno.test("where nothing changed since, the baseline is not written again", async () => {
  for (const change of [...Object.values(FORESEEN), ...Object.values(SEEN)]) {
    using world = await makeWorld();
    change(world);
    await world.sync(options);
    const tasks: string[] = [];
    await world.sync(options, (task) => tasks.push(task));
    assert.ok(!tasks.includes("files.begin"), String(change));
  }
});

/** What a run itself wrote is never taken for someone else's change, however the run ended. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { readWritten, WrittenLog } from "./written.ts";
import { World } from "./world.ts";

/** Manual leaves alone what it takes for a conflict, so a false one shows. */
const careful = { conflictStrategy: "Manual", deleteMissingInTarget: true, maxDelete: 100 } as const;

async function assertSettles(world: World, words: string): Promise<void> {
  const result = await world.sync(careful);
  assert.deepEqual([result.conflicts, result.errors], [[], []], words);
  assert.deepEqual(world.list(world.target), world.list(world.source), words);
  const again = await world.sync(careful);
  assert.deepEqual([again.changesApplied, again.conflicts], [0, []], words);
}

Deno.test("a source that changes during a run is no conflict at the next one", async () => {
  const changes: Record<string, (world: World) => void> = {
    "another content": (world) => world.write("source/d/a", "third version"),
    "gone": (world) => fs.rmSync(`${world.source}/d/a`),
    "gone with its directory": (world) => fs.rmSync(`${world.source}/d`, { recursive: true }),
    "a directory in its place": (world) => {
      fs.rmSync(`${world.source}/d/a`);
      fs.mkdirSync(`${world.source}/d/a`);
    },
    "another link": (world) => {
      fs.rmSync(`${world.source}/d/link`);
      fs.symlinkSync("third", `${world.source}/d/link`);
    },
  };
  const before: Record<string, (world: World) => Promise<void>> = {
    "first copy": () => Promise.resolve(),
    "update": async (world) => {
      await world.sync();
      world.write("source/d/a", "second version");
      fs.rmSync(`${world.source}/d/link`);
      fs.symlinkSync("second", `${world.source}/d/link`);
    },
    "repair of what someone else changed": async (world) => {
      await world.sync();
      world.write("target/d/a", "not ours");
      fs.rmSync(`${world.target}/d/link`);
    },
  };
  for (const task of ["files.begin", "files.flush", "files.rebase", "files.end"]) {
    for (const [run, prepare] of Object.entries(before)) {
      // What someone else changed and the run did not come to repair is a conflict still.
      if (task === "files.begin" && run.startsWith("repair")) continue;
      for (const [name, change] of Object.entries(changes)) {
        using world = new World();
        world.write("source/d/a", "first");
        world.write("source/d/b", "stays");
        fs.symlinkSync("first", `${world.source}/d/link`);
        await prepare(world);
        // Of a directory with new hard links the baseline is not foreseen.
        if (task === "files.rebase") fs.linkSync(`${world.source}/d/b`, `${world.source}/d/c`);
        let changed = false;
        await world.sync({}, (current) => {
          if (current !== task || changed) return;
          changed = true;
          change(world);
        });
        assert.ok(changed);
        await assertSettles(world, `${run}: ${name}, before ${task}`);
      }
    }
  }
});

/** Twelve changes of all kinds. */
function changeAll(world: World): void {
  world.write("source/d/new", "new");
  world.write("source/d/changed", "second");
  world.write("source/n/e/w", "new");
  for (const path of ["d/gone", "gone", "to-file", "link", "to-directory"]) {
    fs.rmSync(`${world.source}/${path}`, { recursive: true });
  }
  world.write("source/to-file", "a file now");
  fs.symlinkSync("second", `${world.source}/link`);
  world.write("source/to-directory/x", "x");
  world.write("source/twin", "twin");
  fs.linkSync(`${world.source}/twin`, `${world.source}/d/twin`);
}

Deno.test("what a run did that was broken off at any moment is no conflict when the source changes again", async () => {
  const again: Record<string, (world: World) => void> = {
    "changed": (world) => {
      for (const path of ["d/new", "d/changed", "n/e/w", "to-file", "d/gone", "gone/1", "to-directory/x", "twin"]) {
        world.write(`source/${path}`, "third version");
      }
    },
    "taken back": (world) => {
      fs.rmSync(world.source, { recursive: true });
      fs.cpSync(`${world.path}/before`, world.source, { recursive: true, verbatimSymlinks: true });
    },
  };
  for (const [name, change] of Object.entries(again)) {
    for (let moment = 1, ended = false; !ended; moment++) {
      using world = new World();
      for (const path of ["d/changed", "d/gone", "gone/1", "gone/2/3", "to-file/x", "to-directory", "same"]) {
        world.write(`source/${path}`, path);
      }
      fs.symlinkSync("first", `${world.source}/link`);
      await world.sync();
      fs.cpSync(world.source, `${world.path}/before`, { recursive: true, verbatimSymlinks: true });
      changeAll(world);
      let left = moment;
      const strike = () => {
        if (--left === 0) throw new TypeError("killed");
      };
      ended = await world.sync(careful, { before: strike, atCheckpoint: strike }).then(() => true, (error) => {
        assert.ok(error instanceof TypeError, String(error));
        return false;
      });
      change(world);
      await assertSettles(world, `${name} after moment ${moment}`);
    }
  }
});

Deno.test("someone else's change beside a run that was broken off is a conflict", async () => {
  using world = new World();
  for (const name of ["a", "b"]) world.write(`source/${name}`, "one");
  await world.sync();
  for (const name of ["a", "b"]) world.write(`source/${name}`, "second");
  const die = (task: string) => {
    if (task === "files.end") throw new TypeError("killed");
  };
  await assert.rejects(world.sync({}, die), TypeError);
  world.write("target/b", "by someone else");
  for (const name of ["a", "b"]) world.write(`source/${name}`, "third version");
  const result = await world.sync({ conflictStrategy: "Manual" });
  assert.deepEqual(result.conflicts.map(({ path }) => path), ["b"]);
  assert.deepEqual(world.list(world.target), { a: "third version", b: "by someone else" });
});

Deno.test("the log keeps names of any bytes and leaves out a line that was cut", () => {
  using world = new World();
  const path = `${world.path}/log`;
  {
    using log = new WrittenLog(path, true);
    log.note("d\udcff", ["file", "n\n\udc80", 1, -5, 999_999_999]);
    log.add("e", ["symlink", "l", "é\udcc3"]);
    log.add("e", ["gone", "x"]);
    log.flush();
  }
  fs.appendFileSync(path, '["e",[["gone"');
  assert.deepEqual([...readWritten(path)], [
    ["d\udcff", [["file", "n\n\udc80", 1, -5, 999_999_999]]],
    ["e", [["symlink", "l", "é\udcc3"], ["gone", "x"]]],
  ]);
  assert.deepEqual([...readWritten(`${path}-none`)], []);
});

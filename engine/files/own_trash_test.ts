/** The trash that runs in both directions keep on each side, as other runs see it. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { World } from "./world.ts";

const TRASH = ".syncline-trash";

/** A pair whose both sides have something in their trash. */
async function withTrash(): Promise<World> {
  const world = new World();
  for (const name of ["a", "b"]) world.write(`source/${name}`, "old");
  await world.sync({ direction: "two-way" });
  world.write("source/a", "edited");
  world.write("target/b", "edited");
  await world.sync({ direction: "two-way" });
  for (const side of [world.source, world.target]) assert.equal(fs.readdirSync(`${side}/${TRASH}`).length, 1);
  return world;
}

/** The folder of the only run that has kept something. */
function folder(root: string): string {
  return fs.readdirSync(`${root}/${TRASH}`).find((name) => !name.startsWith("."))!;
}

Deno.test("a run in one direction neither carries over nor clears away a side's own trash", async () => {
  using world = await withTrash();
  const kept = world.list(`${world.target}/${TRASH}`);
  const { changesApplied, errors } = await world.sync({ deleteMissingInTarget: true });
  assert.deepEqual([changesApplied, errors], [0, []]);
  assert.deepEqual(world.list(`${world.target}/${TRASH}`), kept);
  const other = `${world.path}/other`;
  await world.sync({ targetDirectory: other });
  assert.deepEqual(world.list(other), { a: "edited", b: "edited" });
});

Deno.test("what is under the name of the own trash and is none goes with the rest; a stray file in a trash does not", async () => {
  using plain = new World();
  plain.write(`source/${TRASH}/somebody's`, "data");
  await plain.sync({});
  assert.deepEqual(plain.list(plain.target), plain.list(plain.source));

  for (const side of ["source", "target"]) {
    using world = await withTrash();
    const folders = () => [world.source, world.target].map((root) => world.list(`${root}/${TRASH}/${folder(root)}`));
    const kept = folders();
    world.write(`${side}/${TRASH}/.DS_Store`, "left by a program");
    await world.sync({ deleteMissingInTarget: true });
    assert.deepEqual(folders(), kept, side);
  }
});

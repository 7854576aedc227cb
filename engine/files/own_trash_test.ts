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

Deno.test("what else is under the name of the own trash goes with the rest", async () => {
  using world = await withTrash();
  world.write(`source/${TRASH}/somebody's`, "data");
  const other = `${world.path}/other`;
  await world.sync({ targetDirectory: other });
  assert.deepEqual(world.list(other), world.list(world.source));
});

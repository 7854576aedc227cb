/** Pairs whose both sides have edited a text. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { type Part, World } from "../world.ts";
export const MERGE: Part = { direction: "two-way", conflictStrategy: "Merge" };
export const ONE_WAY: Part = { conflictStrategy: "Merge" };
export const BASE = "one\ntwo\nthree\nfour\nfive\n";
export const LEFT = BASE.replace("one", "ONE of the left");
export const RIGHT = BASE.replace("five", "FIVE of the right");
export const BOTH = LEFT.replace("five", "FIVE of the right");
export const OTHER = BASE.replace("one", "ONE of the right");

export type Side = "source" | "target";

/** What a side has of files, without its trash. */
export function list(world: World, side: Side): Record<string, string> {
  return Object.fromEntries(
    Object.entries(world.list(world[side])).filter(([path]) => !path.startsWith(".syncline-trash")),
  );
}

export function trashed(world: World, side: Side): string[] {
  const all = Object.entries(world.list(world[side]));
  return all.filter(([path, text]) => path.startsWith(".syncline-trash") && text !== "/").map(([, text]) => text);
}

/** Each write has a later time than any before. */
let clock = 1_700_000_000;
export function write(world: World, path: string, text: string): void {
  world.write(path, text);
  fs.utimesSync(`${world.path}/${path}`, ++clock, clock);
}

/** A pair that has a file in common, which then both sides edit. */
export async function edited(part: Part, base = BASE, left = LEFT, right = RIGHT, name = "file"): Promise<World> {
  const world = new World();
  write(world, `source/${name}`, base);
  assert.deepEqual((await world.sync(part)).errors, []);
  write(world, `source/${name}`, left);
  write(world, `target/${name}`, right);
  return world;
}

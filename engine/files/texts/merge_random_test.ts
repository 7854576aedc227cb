/** Random edits of lines on both sides, with runs that are killed at random moments: no line that a user wrote is gone unless a user removed it. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { createRandom, type Random, testSeed } from "../../../tests/harness/random.ts";
import { type Part, World } from "../world.ts";

const PART: Part = { direction: "two-way", conflictStrategy: "Merge" };

class Killed extends Error {}

/** A line is a number that nobody has written before. */
class Lines {
  readonly removed = new Set<string>();
  readonly written = new Set<string>();
  #next = 0;

  constructor(private readonly random: Random) {}

  #new(): string {
    const line = `${++this.#next}`;
    this.written.add(line);
    return line;
  }

  /** As a user would: makes a file, or writes, changes or removes a line of one. */
  edit(root: string): void {
    const names = fs.readdirSync(root).filter((name) => name !== ".syncline-trash");
    const isNew = names.length === 0 || names.length < 4 && this.random.oneIn(4);
    const name = isNew ? this.random.pick(["a", "b", "c", "d"]) : this.random.pick(names);
    const path = `${root}/${name}`;
    const lines = fs.existsSync(path)
      ? fs.readFileSync(path, "utf8").split("\n").slice(0, -1)
      : Array.from({ length: 12 }, () => this.#new());
    const at = this.random.below(lines.length + 1);
    const removed = this.random.below(2);
    for (const line of lines.splice(at, removed, ...this.random.oneIn(4) ? [] : [this.#new()])) this.removed.add(line);
    fs.writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
    const time = 1_700_000_000 + this.#next + this.removed.size * 1000;
    fs.utimesSync(path, time, time);
  }
}

/** The lines of a side's files, without its trash. */
function visible(root: string): Record<string, string> {
  const names = fs.readdirSync(root).filter((name) => name !== ".syncline-trash");
  return Object.fromEntries(names.map((name) => [name, fs.readFileSync(`${root}/${name}`, "utf8")]));
}

Deno.test("two-way runs with Merge converge and keep every line, whenever they are killed", async () => {
  const seed = testSeed("merge");
  let merged = 0;
  // Chance decides how many there are: a few rounds more where they were too few to prove much.
  for (let round = 0; round < 16 || merged <= 15 && round < 64; round++) {
    const random = createRandom(seed + round);
    const lines = new Lines(random);
    using world = new World();
    fs.mkdirSync(world.target);
    for (let step = 0; step < 8; step++) {
      for (const root of [world.source, world.target]) {
        for (let edits = random.below(4); edits > 0; edits--) lines.edit(root);
      }
      let tasks = random.oneIn(2) ? random.below(24) : Infinity;
      try {
        const { conflicts } = await world.sync(PART, () => {
          if (tasks-- <= 0) throw new Killed();
        });
        merged += conflicts.filter(({ resolution }) => resolution === "merged").length;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
    }
    const last = await world.sync(PART);
    const again = await world.sync(PART);
    const words = `seed ${seed} round ${round} ${JSON.stringify([last.errors, again.errors])}`;
    assert.deepEqual([last.errors, again.errors], [[], []], words);
    assert.deepEqual(visible(world.source), visible(world.target), words);
    assert.equal((await world.sync(PART)).changesApplied, 0, words);
    const there = new Set(Object.values(visible(world.source)).flatMap((text) => text.split("\n")));
    for (const line of lines.written) {
      assert.ok(there.has(line) || lines.removed.has(line), `${line} is gone: ${words}`);
    }
  }
  assert.ok(merged > 15, `${merged} merges prove little`);
});

/**
 * Random edits on both sides, with runs that are killed at random moments: both sides converge, and no content that a user wrote is gone
 * from everywhere unless a user overwrote or deleted it. After the model of Hughes, Pierce, Arts and Norell, "Mysteries of Dropbox:
 * Property-Based Testing of a Distributed Synchronization Service" (ICST 2016).
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { createRandom, type Random, testSeed } from "../../tests/harness/random.ts";
import { type Part, World } from "./world.ts";

const STRATEGIES = ["SourceWins", "TargetWins", "LastWriteWins", "KeepBoth", "Merge"] as const;
const NAMES = ["a", "b", "c", "d"];

/** What a user has written on a side and not overwritten or deleted there since: content to path. */
class User {
  readonly live = new Map<string, string>();
  /** Whether some edits keep a file's time: a run that has nothing to go by but sizes and times is to have seen the file before. */
  keepsTimes = false;
  readonly #root: string;
  readonly #random: Random;
  readonly #next: () => number;

  constructor(root: string, random: Random, next: () => number) {
    this.#root = root;
    this.#random = random;
    this.#next = next;
  }

  edit(): void {
    const path = this.#path();
    const full = `${this.#root}/${path}`;
    const stat = fs.lstatSync(full, { throwIfNoEntry: false });
    if (this.#random.oneIn(3)) {
      if (stat === undefined) return;
      this.#forget(path, full);
      fs.rmSync(full, { recursive: true });
    } else if (this.#random.oneIn(8)) {
      // A time alone, or an inode alone, is no edit.
      if (stat === undefined) return;
      if (this.#random.oneIn(2)) fs.chmodSync(full, stat.mode ^ 0o010);
      else fs.utimesSync(full, 1_600_000_000 + this.#next(), 1_600_000_000);
    } else if (this.#random.oneIn(6)) {
      if (stat !== undefined) return;
      fs.mkdirSync(full, { recursive: true });
    } else {
      if (stat?.isDirectory()) return;
      if (stat !== undefined) this.#forget(path, full);
      const number = this.#next();
      // Some are alike in length, so that only times and contents tell them apart.
      const text = `${number}`.padStart(6, "0");
      fs.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
      const isHidden = stat !== undefined && this.keepsTimes && this.#random.oneIn(3);
      const written = isHidden && this.#random.oneIn(2) ? `${full}.new` : full;
      fs.writeFileSync(written, text);
      const time = isHidden ? stat.mtimeMs / 1_000 : 1_700_000_000 + number;
      fs.utimesSync(written, time, time);
      if (written !== full) fs.renameSync(written, full);
      this.live.set(text, path);
    }
  }

  /** Whatever is there is the user's to overwrite or delete, whoever wrote it. */
  #forget(path: string, full: string): void {
    for (const text of contents(full)) forgotten.add(text);
    for (const [text, at] of this.live) if (at === path || at.startsWith(`${path}/`)) this.live.delete(text);
  }

  #path(): string {
    for (;;) {
      const depth = 1 + this.#random.below(3);
      const path = Array.from({ length: depth }, () => this.#random.pick(NAMES)).join("/");
      const parents = path.split("/").slice(0, -1).map((_, index, all) => all.slice(0, index + 1).join("/"));
      const isFree = parents.every((parent) => {
        const stat = fs.lstatSync(`${this.#root}/${parent}`, { throwIfNoEntry: false });
        return stat === undefined || stat.isDirectory();
      });
      if (isFree) return path;
    }
  }
}

/** What a user overwrote or deleted: it may be gone. */
const forgotten = new Set<string>();

function contents(path: string): string[] {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [fs.readFileSync(path, "utf8")];
  return fs.readdirSync(path).flatMap((name) => contents(`${path}/${name}`));
}

class Killed extends Error {}

function visible(world: World, side: "source" | "target"): Record<string, string> {
  const all = Object.entries(world.list(world[side]));
  return Object.fromEntries(all.filter(([path]) => !path.startsWith(".syncline-trash")));
}

Deno.test("two-way runs converge and lose nothing, whatever is edited and whenever a run is killed", async () => {
  const seed = testSeed("two-way");
  for (let round = 0; round < 40; round++) {
    const random = createRandom(seed + round);
    using world = new World();
    fs.mkdirSync(world.target);
    forgotten.clear();
    let number = 0;
    const next = () => ++number;
    const users = [new User(world.source, random, next), new User(world.target, random, next)];
    const part: Part = { direction: "two-way", conflictStrategy: random.pick(STRATEGIES), maxDelete: 1_000 };
    const everything: string[] = [];
    for (let step = 0; step < 6; step++) {
      for (const user of users) for (let edits = random.below(6); edits > 0; edits--) user.edit();
      everything.push(...contents(world.source), ...contents(world.target));
      let tasks = random.oneIn(2) ? random.below(14) : Infinity;
      try {
        await world.sync(part, {
          before: () => {
            if (tasks-- <= 0) throw new Killed();
          },
        });
        for (const user of users) user.keepsTimes = true;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
    }
    const last = await world.sync(part);
    const again = await world.sync(part);
    const words = `seed ${seed} round ${round} ${part.conflictStrategy} ${JSON.stringify([last.errors, again.errors])}`;
    assert.deepEqual([last.errors, again.errors], [[], []], words);
    assert.deepEqual(visible(world, "source"), visible(world, "target"), words);
    assert.equal((await world.sync(part)).changesApplied, 0, words);
    const there = new Set([...contents(world.source), ...contents(world.target)]);
    for (const text of everything) assert.ok(there.has(text) || forgotten.has(text), `${text} is gone: ${words}`);
  }
});

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { BackupWorld } from "../testing/backup_world.ts";
import {
  close,
  type Descriptor,
  Listing,
  O_RDONLY,
  openAt,
  readDirectory,
  readXattrs,
  removeXattr,
  setXattr,
  Tree,
} from "../../posix/mod.ts";
import { createPool } from "../../../workers/pool.ts";
import { assertSameTree } from "../../../tests/harness/compare.ts";
import { createRandom, type Random, testSeed } from "../../../tests/harness/random.ts";
import { RandomTree } from "../../../tests/harness/random_tree.ts";

/** Gives some entries attributes, and makes some files sparse. */
function decorate(tree: RandomTree, random: Random): void {
  using root = new Tree(tree.root);
  for (const path of [...tree.paths("file"), ...tree.paths("directory")]) {
    if (!random.oneIn(5) || !/^[\x20-\x7e]+$/.test(path)) continue;
    const file = openAt(root.root, path, O_RDONLY);
    if (random.oneIn(4)) removeXattr(file, "user.note");
    else setXattr(file, "user.note", random.bytes(random.below(200)));
    close(file);
  }
  const sparse = `${tree.root}/sparse${random.below(3)}`;
  if (fs.existsSync(sparse)) return;
  const file = fs.openSync(sparse, "w");
  fs.ftruncateSync(file, random.below(3_000_000));
  for (let i = 0; i < 3; i++) fs.writeSync(file, random.bytes(random.below(9000)), 0, null, random.below(2_900_000));
  fs.closeSync(file);
}

/** Owners and attributes, which the common comparison leaves out. */
function more(directory: string): string[] {
  const found: string[] = [];
  using root = new Tree(directory);
  const look = (path: string) => {
    const listing = readDirectory(root.directory(path), new Listing());
    for (let i = 0; i < listing.length; i++) {
      const below = path === "" ? listing.names[i] : `${path}/${listing.names[i]}`;
      const owner = `${JSON.stringify(below)} ${listing.uid(i)}:${listing.gid(i)}`;
      const type = listing.type(i);
      if (type === "symlink") found.push(owner);
      else found.push(`${owner} ${attributes(root.directory(path), listing.names[i])}`);
      if (type === "directory") look(below);
    }
  };
  look("");
  return found.sort();
}

function attributes(directory: Descriptor, name: string): string {
  const file = openAt(directory, name, O_RDONLY);
  try {
    return readXattrs(file).map(([name, value]) => `${name}=${value.toBase64()}`).join();
  } finally {
    close(file);
  }
}

for (const password of [undefined, "secret"]) {
  Deno.test(`random trees come back, afresh and in place, ${password === undefined ? "plain" : "encrypted"}`, async () => {
    const random = createRandom(testSeed("restore"));
    const pool = createPool({ size: 2 });
    try {
      using world = await BackupWorld.make({ password, pool, onDisk: true });
      const tree = new RandomTree(world.source, random, { invalidUtf8: true });
      tree.grow(150);
      for (let round = 0; round < 4; round++) {
        decorate(tree, random);
        // Some have chunks so small that files have many of them.
        const version = random.oneIn(2) ? await world.create() : await world.backup({ chunk: 1000 });
        const verify = random.oneIn(2);
        for (const restorePath of [world.target, `${world.path}/fresh${round}`]) {
          const result = await world.restore(version, { restorePath, deleteExtra: true, verify });
          assert.deepEqual([result.success, result.errors], [true, []]);
          await assertSameTree(world.source, restorePath);
          // What an unchanged file has too many only verification sees.
          if (verify || restorePath !== world.target) {
            assert.ok(isDeepStrictEqual(more(restorePath), more(world.source)));
          }
        }
        const again = await world.restore(version, { deleteExtra: true, verify });
        assert.deepEqual([again.filesRestored, again.bytesRestored, again.deleted], [0, 0, 0]);
        // The target drifts away too.
        const drifting = new RandomTree(world.target, random, { invalidUtf8: true });
        await drifting.adopt();
        drifting.mutate(30);
        await tree.adopt();
        tree.mutate(40);
      }
    } finally {
      await pool.close(0);
    }
  });
}

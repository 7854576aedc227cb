/** The trash and SIGKILL: at every moment each old version is in the target or in the trash, and never in neither. */
import assert from "node:assert/strict";
import { assertSameTree, snapshot } from "../harness/compare.ts";
import { createRandom, testSeed } from "../harness/random.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { type Server, startServer } from "../harness/server.ts";
import { startSync } from "../harness/sessions.ts";
import { sync } from "../harness/sync.ts";
import { SealedTree } from "./sealed_tree.ts";

const TOKEN = "token-of-the-trash-test";
const KILLS = 8;

/** The contents, as hashes, of all regular files below these directories. */
async function contents(...directories: string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const directory of directories) {
    for (const { type, sha256 } of (await snapshot(directory)).values()) if (type === "f") found.add(sha256);
  }
  return found;
}

Deno.test(`${KILLS} kills in the midst of updates lose no version that the trash was to keep`, async () => {
  const random = createRandom(testSeed("trash and kill"));
  await using sandbox = await makeSandbox();
  const pair = { source: `${sandbox.root}/source`, target: `${sandbox.root}/target` };
  const trashDirectory = `${sandbox.root}/trash`;
  for (const directory of [pair.source, pair.target, trashDirectory]) await Deno.mkdir(directory);
  const tree = new SealedTree(pair.source, random);
  await tree.grow(800);
  const fields = { deleteMissingInTarget: true, trashDirectory };
  const start = () => startServer({ sandbox, token: TOKEN });
  const everSeen = new Set<string>();
  const assertNoneLost = async (when: string) => {
    const kept = await contents(pair.target, trashDirectory);
    const lost = [...everSeen].filter((sha256) => !kept.has(sha256));
    assert.deepEqual(lost, [], `${lost.length} versions are lost ${when}`);
  };

  let server: Server = await start();
  try {
    await sync(server, pair, fields);
    for (let kill = 0; kill < KILLS; kill++) {
      for (const sha256 of await contents(pair.target)) everSeen.add(sha256);
      await tree.remove(10);
      await tree.rewrite(2);
      await tree.grow(50);
      await startSync(server, pair, fields);
      await new Promise((resolve) => setTimeout(resolve, random.below(400)));
      await server.kill();
      await assertNoneLost("after the kill");
      await server[Symbol.asyncDispose]();
      server = await start();
      await sync(server, pair, fields);
      await assertSameTree(pair.source, pair.target);
      await assertNoneLost("after the rerun");
    }
    assert.ok(everSeen.size > 1_000);
  } finally {
    await server[Symbol.asyncDispose]();
  }
});

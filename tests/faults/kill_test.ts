/** SIGKILL of the server at 30 random moments of a copy: a rerun ends exactly equal, and nobody ever sees half a file. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { assertSameTree, snapshot } from "../harness/compare.ts";
import { createRandom, type Random, testSeed } from "../harness/random.ts";
import { makeSandbox, type Sandbox } from "../harness/sandbox.ts";
import { type Server, startServer } from "../harness/server.ts";
import { sessionStatus, startSync } from "../harness/sessions.ts";
import { type Pair, sync } from "../harness/sync.ts";
import { isWhole, SealedTree } from "./sealed_tree.ts";

const TOKEN = "token-of-the-kill-test";
const FILES = 3_000;
const KILLS = 15;

interface Found {
  read: number;
  absent: number;
  broken: string[];
}

/** Runs `use` while a reader in another process looks at the target's files; returns what that one found. */
async function watched(sandbox: Sandbox, pair: Pair, paths: readonly string[], seed: number, use: () => Promise<void>) {
  const list = `${sandbox.home}/paths`;
  await Deno.writeTextFile(list, paths.join("\n"));
  const script = fileURLToPath(new URL("./reader.ts", import.meta.url));
  const reader = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--allow-read", script, pair.target, list, String(seed)],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  try {
    await use();
  } finally {
    await reader.stdin.close();
  }
  const { success, stdout, stderr } = await reader.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout)) as Found;
}

/** What lies under a final name right after a kill is whole; what does not belong there has a name of its own. */
async function assertNothingHalf(pair: Pair, known: ReadonlySet<string>): Promise<number> {
  let temporary = 0;
  for (const [path, { type }] of await snapshot(pair.target)) {
    if (type !== "f") continue;
    if (!known.has(path)) temporary++;
    else assert.ok(isWhole(await Deno.readFile(`${pair.target}/${path}`)), `${path} is not whole`);
  }
  return temporary;
}

interface Round {
  name: string;
  fields: Record<string, unknown>;
  change(tree: SealedTree, pair: Pair, round: number): Promise<void>;
  /** Whether the source changes once more between the kill and the rerun. */
  again: boolean;
}

const ROUNDS: Round[] = [
  {
    name: "first copies",
    fields: {},
    again: false,
    // A target of its own for each copy, so that each is a first one.
    async change(tree, pair, round) {
      pair.target = `${pair.target.replace(/-\d+$/, "")}-${round}`;
      await tree.rewrite(50);
    },
  },
  {
    name: "updates with deletion",
    // What the killed run did itself must not look like someone else's change, which Manual would leave alone.
    fields: { deleteMissingInTarget: true, conflictStrategy: "Manual" },
    again: true,
    async change(tree) {
      await tree.remove(20);
      await tree.rewrite(2);
      await tree.grow(FILES - tree.files.length);
    },
  },
];

/** Starts a run and kills the server at a random moment of the next `withinMs`. Returns the run's session. */
async function killDuringRun(server: Server, pair: Pair, round: Round, random: Random, withinMs: number) {
  const sessionId = await startSync(server, pair, round.fields);
  await new Promise((resolve) => setTimeout(resolve, random.below(withinMs)));
  await server.kill();
  return sessionId;
}

for (const round of ROUNDS) {
  Deno.test(`${KILLS} kills at random moments of ${round.name}`, async () => {
    const seed = testSeed(`kill test, ${round.name}`);
    const random = createRandom(seed);
    await using sandbox = await makeSandbox();
    const pair = { source: `${sandbox.root}/source`, target: `${sandbox.root}/target-0` };
    await Deno.mkdir(pair.source);
    const tree = new SealedTree(pair.source, random);
    await tree.grow(FILES);

    let server = await startServer({ sandbox, token: TOKEN });
    try {
      const first = performance.now();
      await sync(server, pair, round.fields);
      let withinMs = Math.ceil(performance.now() - first);
      let [interrupted, reads, leftovers] = [0, 0, 0];
      for (let kill = 1; kill <= KILLS; kill++) {
        const before = tree.files;
        await round.change(tree, pair, kill);
        const names = [...new Set([...before, ...tree.files])];
        let sessionId = "";
        const found = await watched(sandbox, pair, names, seed + kill, async () => {
          sessionId = await killDuringRun(server, pair, round, random, withinMs);
        });
        assert.deepEqual(found.broken, [], "a reader saw half a file");
        reads += found.read;
        leftovers += await targetExists(pair) ? await assertNothingHalf(pair, new Set(names)) : 0;

        await server[Symbol.asyncDispose]();
        server = await startServer({ sandbox, token: TOKEN });
        if ((await sessionStatus(server, sessionId)).status === "interrupted") interrupted++;
        else withinMs = Math.ceil(withinMs * 0.7);
        if (round.again) await round.change(tree, pair, kill);
        assert.equal((await sync(server, pair, round.fields)).conflictsEncountered, 0);
        await assertSameTree(pair.source, pair.target);
      }
      // deno-lint-ignore no-console -- says whether the moments were in the midst of the work
      console.log(`${interrupted} of ${KILLS} runs cut off, ${leftovers} temporary files after kills, ${reads} reads`);
      assert.ok(interrupted >= KILLS / 3, "too few kills hit a run: the test proves little");
      assert.ok(reads > 0);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });
}

async function targetExists(pair: Pair): Promise<boolean> {
  try {
    return (await Deno.stat(pair.target)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

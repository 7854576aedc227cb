/** SIGKILL of the real server at random moments of create, prune and restore: the repository stays sound, and every version restores. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { assertSound, type BackupPlaces, createBackup, ok, query, restore, versions } from "../harness/backup.ts";
import { assertSameTree, compareSnapshots, type Entry, snapshot } from "../harness/compare.ts";
import { createRandom, type Random, testSeed } from "../harness/random.ts";
import { makeSandbox, type Sandbox } from "../harness/sandbox.ts";
import { type Server, startServer } from "../harness/server.ts";
import { sessionStatus } from "../harness/sessions.ts";
import { isWhole, SealedTree } from "./sealed_tree.ts";

const TOKEN = "token-of-the-backup-kill-test";
const FILES = 600;
const KILLS = 20;

/** A server that is killed in the midst of operations and started again. */
class Victim {
  readonly #sandbox: Sandbox;
  readonly #random: Random;
  #server: Server;
  /** Kills hit within this time of an operation's start; shortened where they come too late. */
  #withinMs = 0;
  /** Operations that a kill cut off. */
  interrupted = 0;

  constructor(sandbox: Sandbox, random: Random, server: Server) {
    this.#sandbox = sandbox;
    this.#random = random;
    this.#server = server;
  }

  get server(): Server {
    return this.#server;
  }

  /** Times an operation that nobody cuts off. */
  async rehearse<T>(operation: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await operation();
    this.#withinMs = Math.ceil(performance.now() - start);
    return result;
  }

  /** Starts an operation, kills the server at a random moment of it, looks at what is there, and starts the server again. */
  async killDuring(path: string, body: object, look: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const answer = await this.#server.request("POST", path, body, { headers: { prefer: "respond-async" } });
    assert.equal(answer.status, 202, answer.text);
    await new Promise((resolve) => setTimeout(resolve, this.#random.below(this.#withinMs)));
    await this.#server.kill();
    await look();
    await this.#server[Symbol.asyncDispose]();
    this.#server = await startServer({ sandbox: this.#sandbox, token: TOKEN });
    const { status } = await sessionStatus(this.#server, answer.body.sessionId);
    if (status === "interrupted") this.interrupted++;
    else this.#withinMs = Math.ceil(this.#withinMs * 0.7);
  }
}

interface World {
  victim: Victim;
  random: Random;
  at: BackupPlaces;
  tree: SealedTree;
}

/** Runs a test in a world of its own, and looks whether the kills came in the midst of the work. */
function killTest(name: string, test: (world: World) => Promise<void>): void {
  Deno.test(`${KILLS} kills at random moments of ${name}`, async () => {
    const random = createRandom(testSeed(`backup kill test, ${name}`));
    await using sandbox = await makeSandbox();
    const base = sandbox.root;
    const at = { source: `${base}/source`, backupPath: `${base}/repository`, restorePath: `${base}/restored` };
    await Deno.mkdir(at.source);
    const tree = new SealedTree(at.source, random);
    await tree.grow(FILES);
    const victim = new Victim(sandbox, random, await startServer({ sandbox, token: TOKEN }));
    try {
      await test({ victim, random, at, tree });
    } finally {
      await victim.server[Symbol.asyncDispose]();
    }
    // deno-lint-ignore no-console -- says whether the moments were in the midst of the work
    console.log(`${victim.interrupted} of ${KILLS} operations cut off`);
    assert.ok(victim.interrupted >= KILLS / 3, "too few kills hit an operation: the test proves little");
  });
}

const createRequest = (at: BackupPlaces) => ({ sourceDirectory: at.source, backupPath: at.backupPath });

killTest("create", async ({ victim, random, at, tree }) => {
  const kept = new Map<string, Map<string, Entry>>();
  const commit = async () => {
    const { versionId } = await createBackup(victim.server, at);
    kept.set(versionId, await snapshot(at.source));
  };
  await victim.rehearse(commit);
  for (let kill = 0; kill < KILLS; kill++) {
    await tree.rewrite(2);
    await victim.killDuring("/backup/create", createRequest(at));
    await assertSound(victim.server, at.backupPath);
    const listed = new Set((await versions(victim.server, at.backupPath)).map(({ versionId }) => versionId));
    for (const versionId of kept.keys()) assert.ok(listed.has(versionId), `${versionId} is gone`);
    await commit();
    const [versionId, content] = random.pick([...kept]);
    await restore(victim.server, at, versionId, { deleteExtra: true });
    assert.deepEqual(compareSnapshots(content, await snapshot(at.restorePath)), []);
  }
});

killTest("prune", async ({ victim, at, tree }) => {
  const { backupPath } = at;
  const addVersions = async () => {
    const made = [];
    for (let version = 0; version < 2; version++) {
      await tree.rewrite(3);
      made.push((await createBackup(victim.server, at)).versionId);
    }
    return made;
  };
  const prune = async () =>
    ok(await victim.server.request("POST", `/backup/prune?${query({ backupPath, keepLast: "2" })}`));
  await addVersions();
  await addVersions();
  await victim.rehearse(prune);
  for (let kill = 0; kill < KILLS; kill++) {
    const newest = await addVersions();
    await victim.killDuring("/backup/prune", { backupPath, keepLast: 2 });
    await assertSound(victim.server, backupPath);
    const listed = (await versions(victim.server, backupPath)).map(({ versionId }) => versionId);
    assert.deepEqual(listed.slice(0, 2).reverse(), newest);
    await prune();
    await assertSound(victim.server, backupPath);
    await restore(victim.server, at, newest[1], { deleteExtra: true });
    await assertSameTree(at.source, at.restorePath);
  }
});

killTest("restore", async ({ victim, random, at, tree }) => {
  const { backupPath, restorePath } = at;
  const { versionId } = await createBackup(victim.server, at);
  await victim.rehearse(() => restore(victim.server, at, versionId));
  const known = new Set(tree.files);
  for (let kill = 0; kill < KILLS; kill++) {
    // Into nothing, or over what somebody has changed.
    if (random.oneIn(2)) await Deno.remove(restorePath, { recursive: true });
    else await damageSome(restorePath, tree, random);
    const before = await readAll(restorePath, known);
    await victim.killDuring("/backup/restore", { backupPath, versionId, restorePath }, async () => {
      for (const [path, content] of await readAll(restorePath, known)) {
        const old = before.get(path);
        const isOld = old !== undefined && Buffer.compare(old, content) === 0;
        assert.ok(isOld || isWhole(content), `${path} has neither its old nor its new content`);
      }
    });
    await restore(victim.server, at, versionId, { deleteExtra: true });
    await assertSameTree(at.source, restorePath);
  }
  await assertSound(victim.server, backupPath);
});

async function damageSome(root: string, tree: SealedTree, random: Random): Promise<void> {
  for (const path of tree.files) {
    if (random.oneIn(3)) await Deno.writeFile(`${root}/${path}`, random.bytes(1 + random.below(20_000)));
  }
}

/** The known files below a directory that are there. */
async function readAll(root: string, known: ReadonlySet<string>): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  for (const path of known) {
    try {
      contents.set(path, await Deno.readFile(`${root}/${path}`));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return contents;
}

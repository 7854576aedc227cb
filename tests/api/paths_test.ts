/** Path confinement: what a request names must be absolute and lie, links resolved, under a root. */
import assert from "node:assert/strict";
import { snapshot } from "../harness/compare.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertError, makePair, type Pair, postSync } from "../harness/sync.ts";

const server = sharedServer();

/** The pair's source with a file in it, and outside a directory with a secret. */
async function prepare(): Promise<Pair & { outside: string }> {
  const pair = await makePair(server());
  await Deno.writeTextFile(`${pair.source}/file`, "text");
  const outside = `${server().outside}/${crypto.randomUUID()}`;
  await Deno.mkdir(outside);
  await Deno.writeTextFile(`${outside}/secret`, "kept outside");
  return { ...pair, outside };
}

type Case = [name: string, status: number[], change: (pair: Pair & { outside: string }) => Promise<Pair> | Pair];

const CASES: Case[] = [
  ["a relative source", [400], (pair) => ({ ...pair, source: "source" })],
  ["a relative target", [400], (pair) => ({ ...pair, target: "./target" })],
  ["a source that begins with ..", [400], (pair) => ({ ...pair, source: "../source" })],
  ["a home directory's short form", [400], (pair) => ({ ...pair, target: "~/target" })],
  ["a URL", [400], (pair) => ({ ...pair, target: `file://${pair.target}` })],
  [".. out of the root", [400, 403], (pair) => ({ ...pair, source: `${server().root}/../outside` })],
  [".. out of the root for the target", [400, 403], (pair) => ({ ...pair, target: `${pair.source}/../../../outside` })],
  ["a NUL byte", [400], (pair) => ({ ...pair, source: `${pair.source}\0` })],
  ["a NUL byte before more", [400], (pair) => ({ ...pair, target: `${pair.target}\0/x` })],
  ["a name of 10,000 characters", [400], (pair) => ({ ...pair, target: `${pair.target}/${"n".repeat(10_000)}` })],
  ["a path of 10,000 characters", [400], (pair) => ({ ...pair, target: pair.target + "/name".repeat(2_000) })],
  ["a lone surrogate", [400], (pair) => ({ ...pair, target: `${pair.target}/\ud800` })],
  ["a source outside", [403], (pair) => ({ ...pair, source: pair.outside })],
  ["a target outside", [403], (pair) => ({ ...pair, target: pair.outside })],
  ["the system's root", [403], (pair) => ({ ...pair, target: "/" })],
  ["a sibling whose name begins like the root's", [403], async (pair) => {
    await Deno.mkdir(`${server().root}-other`, { recursive: true });
    return { ...pair, target: `${server().root}-other` };
  }],
  ["a source that is a link to the outside", [403], async (pair) => {
    await Deno.symlink(pair.outside, `${pair.source}-link`);
    return { ...pair, source: `${pair.source}-link` };
  }],
  ["a target that is a link to the outside", [403], async (pair) => {
    await Deno.symlink(pair.outside, `${pair.target}-link`);
    return { ...pair, target: `${pair.target}-link` };
  }],
  ["a target below a link to the outside", [403], async (pair) => {
    await Deno.symlink(pair.outside, `${pair.target}-link`);
    return { ...pair, target: `${pair.target}-link/not/yet/there` };
  }],
  ["a target that is a dangling link to the outside", [403], async (pair) => {
    await Deno.symlink(`${pair.outside}/new`, `${pair.target}-link`);
    return { ...pair, target: `${pair.target}-link` };
  }],
  ["a target that is a loop of links", [400, 403], async (pair) => {
    await Deno.symlink(`${pair.target}-loop`, `${pair.target}-loop`);
    return { ...pair, target: `${pair.target}-loop` };
  }],
  ["the data directory as source", [403], (pair) => ({ ...pair, source: server().dataDir })],
  ["the data directory as target", [403], (pair) => ({ ...pair, target: server().dataDir })],
  ["a target inside its source", [400], (pair) => ({ ...pair, target: `${pair.source}/inside` })],
  ["a source inside its target", [400], (pair) => ({ source: `${pair.target}/file-source`, target: pair.target })],
  ["source and target the same", [400], (pair) => ({ ...pair, target: pair.source })],
  ["source and target the same, written differently", [400], (pair) => ({ ...pair, target: `${pair.source}/.//` })],
  ["source and target the same through a link", [400], async (pair) => {
    await Deno.symlink(pair.source, `${pair.source}-link`);
    return { ...pair, target: `${pair.source}-link` };
  }],
  ["a target inside its source through a link", [400], async (pair) => {
    await Deno.symlink(pair.source, `${pair.source}-link`);
    return { ...pair, target: `${pair.source}-link/inside` };
  }],
  ["a file for the target", [400, 409, 500], async (pair) => {
    await Deno.writeTextFile(`${pair.target}-file`, "a file, no directory");
    return { ...pair, target: `${pair.target}-file` };
  }],
  ["a file for the source", [400, 500], (pair) => ({ ...pair, source: `${pair.source}/file` })],
  ["a file for a parent of the target", [400, 409, 500], (pair) => ({ ...pair, target: `${pair.source}/file/below` })],
];

const CODES: Record<number, string> = { 400: "INVALID_REQUEST", 403: "FORBIDDEN", 409: "CONFLICT", 500: "SYNC_FAILED" };

for (const [name, allowed, change] of CASES) {
  Deno.test(`${name} is refused and nothing is touched`, async () => {
    const prepared = await prepare();
    await Deno.mkdir(`${prepared.target}/file-source`);
    const asked = await change(prepared);
    const [root, outside] = [await snapshot(server().root), await snapshot(server().outside)];
    const answer = await postSync(server(), asked, { deleteMissingInTarget: true, maxDelete: 1_000_000 });
    assert.ok(allowed.includes(answer.status), answer.text);
    const { details } = assertError(answer, answer.status, CODES[answer.status]);
    if (answer.status === 403 && !name.startsWith("the data directory")) assert.match(details, /SYNCLINE_ROOTS/);
    assert.deepEqual(await snapshot(server().root), root);
    assert.deepEqual(await snapshot(server().outside), outside);
  });
}

Deno.test("a trash directory outside the roots is FORBIDDEN", async () => {
  const { outside, ...pair } = await prepare();
  const { details } = assertError(await postSync(server(), pair, { trashDirectory: outside }), 403, "FORBIDDEN");
  assert.match(details, /SYNCLINE_ROOTS/);
});

Deno.test("a source that is not there is SYNC_FAILED, as in the reference, and makes no target", async () => {
  const pair = await makePair(server());
  const missing = { source: `${pair.source}/missing`, target: `${pair.target}/new` };
  assert.match(assertError(await postSync(server(), missing), 500, "SYNC_FAILED").details, /source/i);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(pair.target)), []);
});

Deno.test("a target that is not there yet is made", async () => {
  const { source, target } = await prepare();
  const answer = await postSync(server(), { source, target: `${target}/new` });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(await Deno.readTextFile(`${target}/new/file`), "text");
});

Deno.test("a link that stays under the root is followed for the two directories themselves", async () => {
  const { source, target } = await prepare();
  await Deno.symlink(target, `${target}-link`);
  const answer = await postSync(server(), { source, target: `${target}-link` });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(await Deno.readTextFile(`${target}/file`), "text");
  assert.ok((await Deno.lstat(`${target}-link`)).isSymlink);
});

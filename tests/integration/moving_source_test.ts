/** Sources that change while they are copied, and limits of bandwidth, which give them the time to. */
import assert from "node:assert/strict";
import { assertSameTree } from "../harness/compare.ts";
import { shell } from "../harness/command.ts";
import type { Json } from "../harness/server.ts";
import { filesIn, fillSource, sessionEnd, startSync } from "../harness/sessions.ts";
import { sharedServer } from "../harness/suite.ts";
import { makePair, type Pair, postSync, sync } from "../harness/sync.ts";

const server = sharedServer();

/** Runs `script` again and again in the source while `use` runs. */
async function whileWriting<T>(pair: Pair, script: string, use: () => Promise<T>): Promise<T> {
  const writer = new Deno.Command("sh", {
    args: ["-c", `while :; do ${script}; done`],
    cwd: pair.source,
    stdin: "null",
    stderr: "null",
  }).spawn();
  try {
    return await use();
  } finally {
    writer.kill("SIGKILL");
    await writer.status;
  }
}

const reports = (body: Json, path: string) => body.errors.some((error: string) => error.startsWith(`${path}: `));

Deno.test("a file that is appended to all the time is copied as it was at some moment, or reported", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 10);
  await Deno.writeTextFile(`${pair.source}/log`, "line\n".repeat(100_000));
  const body = await whileWriting(pair, "echo line >>log; sleep 0.001", async () => {
    const answer = await postSync(server(), pair, { bandwidthLimit: 1_000_000 });
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
  });
  const copied = await readIfAny(`${pair.target}/log`);
  if (copied === undefined) assert.ok(reports(body, "log"), "missing and not reported");
  else assert.match(copied, /^(line\n)*$/);
  await assertSameTree(pair.source, pair.target, { ignore: (path) => path === "log" });
  await sync(server(), pair);
  await assertSameTree(pair.source, pair.target);
});

Deno.test("a file that is rewritten in place all the time never arrives mixed", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 3);
  await shell(
    "head -c 1000000 /dev/zero | tr '\\0' a >a.src; head -c 1000000 /dev/zero | tr '\\0' b >b.src; cp a.src busy",
    [],
    {
      cwd: pair.source,
    },
  );
  const write = "cat b.src 1<>busy; cat a.src 1<>busy";
  const body = await whileWriting(pair, write, async () => {
    const answer = await postSync(server(), pair, { bandwidthLimit: 4_000_000, excludePatterns: ["*.src"] });
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
  });
  const copied = await readIfAny(`${pair.target}/busy`);
  if (copied === undefined) assert.ok(reports(body, "busy"), "missing and not reported");
  else assert.match(copied.slice(0, 1) + new Set(copied).size + copied.length, /^[ab]11000000$/, "a mixed file");
  await sync(server(), pair, { excludePatterns: ["*.src"] });
  await assertSameTree(pair.source, pair.target, { ignore: (path) => path.endsWith(".src") });
});

async function readIfAny(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

Deno.test("files and directories that vanish midway are no failure of the rest", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 40);
  await shell("mkdir z; for i in $(seq 20); do head -c 50000 /dev/zero >z/$i; done", [], { cwd: pair.source });
  const sessionId = await startSync(server(), pair, { bandwidthLimit: 1_500_000 });
  await filesIn(pair.target, 2);
  await shell("rm -r z file-3*", [], { cwd: pair.source });
  const ended = await sessionEnd(server(), sessionId);
  assert.equal(ended.status, "completed", JSON.stringify(ended));
  for await (const { name } of Deno.readDir(pair.source)) {
    assert.deepEqual(await Deno.readFile(`${pair.target}/${name}`), await Deno.readFile(`${pair.source}/${name}`));
  }
  await sync(server(), pair, { deleteMissingInTarget: true });
  await assertSameTree(pair.source, pair.target);
});

Deno.test("a whole source that vanishes midway never leads to a deletion", async () => {
  const pair = await makePair(server());
  await fillSource(pair.source, 40);
  await shell("mkdir precious; printf 1 >precious/1; cp -a precious ../target/", [], { cwd: pair.source });
  await Deno.writeTextFile(`${pair.target}/extra`, "kept");
  const sessionId = await startSync(server(), pair, { bandwidthLimit: 500_000 });
  await filesIn(pair.target, 2);
  await Deno.rename(pair.source, `${pair.source}-gone`);
  const ended = await sessionEnd(server(), sessionId);
  assert.ok(["completed", "failed"].includes(ended.status), ended.status);
  assert.equal(await Deno.readTextFile(`${pair.target}/precious/1`), "1");
  assert.equal(await Deno.readTextFile(`${pair.target}/extra`), "kept");
});

Deno.test("bandwidthLimit holds, over many files and within one", async () => {
  const many = await makePair(server());
  await fillSource(many.source, 60);
  const one = await makePair(server());
  await Deno.writeFile(`${one.source}/file`, new Uint8Array(3_000_000).fill(7));
  const answers = await Promise.all([many, one].map((pair) => sync(server(), pair, { bandwidthLimit: 1_500_000 })));
  for (const { executionTimeMs } of answers) {
    // Two seconds' worth; a first burst may be free.
    assert.ok(executionTimeMs >= 1_000 && executionTimeMs < 20_000, `${executionTimeMs} ms`);
  }
  await assertSameTree(many.source, many.target);
  await assertSameTree(one.source, one.target);
});

/** FIFOs, sockets and devices: skipped, named, and no reason to stop. */
import assert from "node:assert/strict";
import { assertSameTree } from "../harness/compare.ts";
import { shell } from "../harness/command.ts";
import { sharedServer } from "../harness/suite.ts";
import { assertNames, makePair, sync, syncPartly } from "../harness/sync.ts";

const server = sharedServer();

Deno.test("a FIFO and a socket in the source are skipped and named, and the rest is done", async () => {
  const pair = await makePair(server());
  await shell("mkdir d e; mkfifo d/pipe; printf 1 >file; printf 2 >d/file; printf 3 >e/file", [], { cwd: pair.source });
  using _socket = Deno.listen({ transport: "unix", path: `${pair.source}/socket` });
  const body = await syncPartly(server(), pair);
  assertNames(body, "d/pipe");
  assertNames(body, "socket");
  assert.equal(body.errors.length, 2, JSON.stringify(body.errors));
  await assertSameTree(pair.source, pair.target, { ignore: (path) => path === "d/pipe" || path === "socket" });
});

Deno.test({
  name: "a device in the source is skipped and named",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const pair = await makePair(server());
    await shell("mknod null c 1 3; mknod zero c 1 5; printf 1 >file", [], { cwd: pair.source });
    const body = await syncPartly(server(), pair);
    assertNames(body, "null");
    assertNames(body, "zero");
    await assertSameTree(pair.source, pair.target, { ignore: (path) => path === "null" || path === "zero" });
  },
});

Deno.test("an excluded FIFO is no error", async () => {
  const pair = await makePair(server());
  await shell("mkfifo pipe; printf 1 >file", [], { cwd: pair.source });
  await sync(server(), pair, { excludePatterns: ["pipe"] });
  await assertSameTree(pair.source, pair.target, { ignore: (path) => path === "pipe" });
});

Deno.test("a FIFO of the target that the source lacks is removed like anything else", async () => {
  const pair = await makePair(server());
  await shell("printf 1 >file", [], { cwd: pair.source });
  await shell("mkfifo pipe; mkdir d; mkfifo d/pipe", [], { cwd: pair.target });
  await sync(server(), pair, { deleteMissingInTarget: true });
  await assertSameTree(pair.source, pair.target);
});

Deno.test("a FIFO in the source does not turn deletion into loss: its own name in the target stays or goes, no other", async () => {
  const pair = await makePair(server());
  await shell("mkfifo pipe; printf 1 >file", [], { cwd: pair.source });
  await shell("printf 'was a file' >pipe; printf 1 >keep", [], { cwd: pair.target });
  await syncPartly(server(), pair);
  assert.equal(await Deno.readTextFile(`${pair.target}/pipe`), "was a file");
  assert.equal(await Deno.readTextFile(`${pair.target}/keep`), "1");
});

/** The server is killed in the middle of an upload and of a download; the same request then goes on where it was. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { PART } from "../../engine/cloud/part_size.ts";
import { BUCKET, type CloudEmulators, startClouds } from "../harness/cloud.ts";
import { azureEnvironment, s3Environment } from "../harness/emulator.ts";
import { startFaultProxy } from "../harness/fault_proxy.ts";
import { poll } from "../harness/poll.ts";
import { createRandom } from "../harness/random.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { type Server, startServer } from "../harness/server.ts";

const SIZE = 120_000_000;

let clouds: CloudEmulators;

Deno.test.beforeAll(async () => {
  clouds = await startClouds();
});

Deno.test.afterAll(async () => {
  await clouds[Symbol.asyncDispose]();
});

/** Parts that the journal of the only transfer has. */
async function journaled({ dataDir }: Pick<Server, "dataDir">): Promise<number> {
  const directory = `${dataDir}/cloud/transfers`;
  const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name)
    .filter((name) => name.endsWith(".jsonl"));
  if (names.length === 0) return 0;
  const [, ...parts] = (await Deno.readTextFile(`${directory}/${names[0]}`)).split("\n").slice(0, -1);
  return parts.flatMap((line) => JSON.parse(line)).length;
}

for (const provider of ["s3", "azure"] as const) {
  Deno.test(`${provider}: SIGKILL in an upload and in a download, and the next one goes on`, async () => {
    await using proxy = startFaultProxy(clouds[provider].port);
    await using sandbox = await makeSandbox();
    const env = {
      ...clouds.env,
      ...(provider === "s3" ? s3Environment(proxy, BUCKET) : azureEnvironment(proxy, BUCKET)),
    };
    const bytes = createRandom(4).bytes(SIZE);
    await Deno.writeFile(`${sandbox.root}/up`, bytes);
    const transfers = [
      ["upload", { cloudPath: "killed", localPath: `${sandbox.root}/up` }],
      ["download", { cloudPath: "killed", localPath: `${sandbox.root}/down` }],
    ] as const;
    for (const [what, request] of transfers) {
      await interrupt(what, request);
      proxy.next = () => ({ type: "none" });
      const direction = what === "upload" ? "up" : "down";
      const missing = SIZE - await journaled(sandbox) * PART;
      const before = proxy.passed[direction];
      await using server = await startServer({ sandbox, env });
      const { status, text, body } = await server.request("POST", `/cloud/${provider}/${what}`, request);
      assert.equal(status, 200, text);
      assert.equal(body.resumed, true);
      assert.equal(body.bytesTransferred, missing);
      // With the headers of a request for each part.
      const passed = proxy.passed[direction] - before;
      assert(passed >= missing && passed < missing + 200_000, `${passed} bytes for the ${missing} that were missing`);
      assert.equal(await journaled(server), 0);
    }
    assert(Buffer.from(await Deno.readFile(`${sandbox.root}/down`)).equals(bytes));
    const names = (await Array.fromAsync(Deno.readDir(sandbox.root))).map(({ name }) => name);
    assert.deepEqual(names.sort(), ["down", "up"]);

    async function interrupt(what: string, request: object): Promise<void> {
      proxy.next = () => ({ type: "slow" });
      const server = await startServer({ sandbox, env });
      try {
        const headers = { prefer: "respond-async" };
        const answer = await server.request("POST", `/cloud/${provider}/${what}`, request, { headers });
        assert.equal(answer.status, 202, answer.text);
        await poll("some parts", async () => await journaled(server) > 0, { deadlineMs: 120_000 });
      } finally {
        await server.kill();
        await server[Symbol.asyncDispose]();
        proxy.cut();
      }
      await assert.rejects(Deno.stat(`${sandbox.root}/down`), Deno.errors.NotFound);
    }
  });
}

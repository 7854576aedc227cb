/** The data directory is never reachable, also where it lies under a root, as it does by default. */
import assert from "node:assert/strict";
import { command } from "../harness/command.ts";
import { makeSandbox } from "../harness/sandbox.ts";
import { type Server, startServer } from "../harness/server.ts";
import { assertError, postSync } from "../harness/sync.ts";

async function withDataUnderRoot(use: (server: Server, area: string, dataDir: string) => Promise<void>): Promise<void> {
  await using sandbox = await makeSandbox();
  const area = `${sandbox.root}/area`;
  await Deno.mkdir(area);
  const dataDir = `${area}/data`;
  await using server = await startServer({ sandbox, env: { SYNCLINE_DATA_DIR: dataDir } });
  await use(server, area, dataDir);
}

Deno.test("paths in the data directory are FORBIDDEN, links to it too", async () => {
  await withDataUnderRoot(async (server, area, dataDir) => {
    const good = { source: `${area}/good`, target: `${area}/target` };
    await Deno.mkdir(good.source);
    await Deno.mkdir(good.target);
    await Deno.symlink(dataDir, `${area}/link`);
    for (
      const path of [
        dataDir,
        `${dataDir}/`,
        `${dataDir}/below`,
        `${area}/good/../data`,
        `${area}/link`,
        `${area}/link/x`,
      ]
    ) {
      assertError(await postSync(server, { ...good, source: path }), 403, "FORBIDDEN");
      assertError(await postSync(server, { ...good, target: path }), 403, "FORBIDDEN");
      assertError(await postSync(server, good, { trashDirectory: path }), 403, "FORBIDDEN");
    }
  });
});

Deno.test("a source around the data directory is copied without it, or refused", async () => {
  await withDataUnderRoot(async (server, area) => {
    await Deno.writeTextFile(`${area}/file`, "text");
    const pair = { source: area, target: `${server.root}/target` };
    const answer = await postSync(server, pair);
    if (answer.status !== 200) return void assertError(answer, 403, "FORBIDDEN");
    assert.equal(await Deno.readTextFile(`${pair.target}/file`), "text");
    await assert.rejects(Deno.lstat(`${pair.target}/data/state.db`), Deno.errors.NotFound);
    const names = await Array.fromAsync(Deno.readDir(pair.target), ({ name }) => name);
    assert.ok(names.every((name) => name === "file" || name === "data"), names.join());
  });
});

Deno.test("a target around the data directory never loses or changes it", async () => {
  await withDataUnderRoot(async (server, area, dataDir) => {
    const source = `${server.root}/source`;
    // The source has a `data` of its own, with a file of the state's name.
    await Deno.mkdir(`${source}/data`, { recursive: true });
    await Deno.writeTextFile(`${source}/data/state.db`, "an impostor");
    await Deno.writeTextFile(`${source}/file`, "text");
    const made = await server.request("POST", "/keys", { name: "before", scopes: ["read"] });
    await Deno.writeTextFile(`${dataDir}/canary`, "alive");
    const fields = { deleteMissingInTarget: true, maxDelete: 1_000_000 };
    const answer = await postSync(server, { source, target: area }, fields);
    assert.ok(answer.status === 200 || answer.status === 403, answer.text);
    assert.equal(await Deno.readTextFile(`${dataDir}/canary`), "alive");
    await server.kill();
    await using again = await startServer({
      sandbox: server.sandbox,
      token: server.token,
      env: { SYNCLINE_DATA_DIR: dataDir },
    });
    assert.equal((await again.request("GET", "/health", undefined, { token: made.body.token })).status, 200);
  });
});

Deno.test("the data directory and what lies in it are for the owner only", async () => {
  await using server = await startServer({ token: null });
  assert.equal((await Deno.stat(server.dataDir)).mode! & 0o077, 0);
  const token = await Deno.stat(`${server.dataDir}/admin-token`);
  assert.equal(token.mode! & 0o777, 0o600);
  const open = await command("find", [server.dataDir, "-perm", "/077", "-name", "*token*"]);
  assert.equal(new TextDecoder().decode(open), "");
});

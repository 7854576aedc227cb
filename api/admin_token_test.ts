import assert from "node:assert/strict";
import { openState, type State } from "../engine/state/mod.ts";
import { ensureAdminToken } from "./admin_token.ts";

async function withState(use: (state: State, dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "syncline-token-" });
  const state = await openState({ dataDir });
  try {
    await use(state, dataDir);
  } finally {
    await state.close();
    await Deno.remove(dataDir, { recursive: true });
  }
}

Deno.test("the first start makes a token in a file for its owner alone; later starts keep it", async () => {
  await withState(async ({ keys }, dataDir) => {
    const path = `${dataDir}/admin-token`;
    const options = { dataDir, token: undefined };
    assert.deepEqual(await ensureAdminToken(keys, options), { from: "file", path });
    const token = (await Deno.readTextFile(path)).trim();
    assert.match(token, /^syncline_[\w-]{43}$/);
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    assert.deepEqual(keys.findByToken(token)?.scopes, ["admin"]);
    assert.deepEqual(await ensureAdminToken(keys, options), { from: "file", path });
    assert.equal(keys.list().length, 1);
    const names = await Array.fromAsync(Deno.readDir(dataDir), ({ name }) => name);
    assert.ok(!names.some((name) => name.endsWith(".tmp")), names.join());

    await Deno.remove(path);
    assert.deepEqual(await ensureAdminToken(keys, options), { from: "earlier start" });
  });
});

Deno.test("a crash between the file and the key leaves a start that makes both anew", async () => {
  await withState(async ({ keys }, dataDir) => {
    await Deno.writeTextFile(`${dataDir}/admin-token`, "syncline_of_a_start_that_died\n");
    await ensureAdminToken(keys, { dataDir, token: undefined });
    const token = (await Deno.readTextFile(`${dataDir}/admin-token`)).trim();
    assert.ok(keys.findByToken(token) !== undefined);
  });
});

Deno.test("SYNCLINE_TOKEN is an admin key, replaces what it was before, and writes no file", async () => {
  await withState(async ({ keys }, dataDir) => {
    const { key: other } = await keys.create({ name: "other", scopes: ["admin"] });
    for (const token of ["the-first-token-1", "the-first-token-1", "the-second-token-2"]) {
      assert.deepEqual(await ensureAdminToken(keys, { dataDir, token }), { from: "environment" });
    }
    assert.equal(keys.findByToken("the-first-token-1"), undefined);
    assert.deepEqual(keys.findByToken("the-second-token-2")?.scopes, ["admin"]);
    assert.deepEqual(keys.list().map(({ name }) => name).sort(), ["SYNCLINE_TOKEN", other.name]);
    await assert.rejects(Deno.stat(`${dataDir}/admin-token`), Deno.errors.NotFound);
  });
});

Deno.test("SYNCLINE_TOKEN must not be a lesser key's token", async () => {
  await withState(async ({ keys }, dataDir) => {
    const { token } = await keys.create({ name: "reader", scopes: ["read"] });
    await assert.rejects(ensureAdminToken(keys, { dataDir, token }), {
      name: "ConfigError",
      message: /^SYNCLINE_TOKEN /,
    });
  });
});

import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import { poll } from "../../tests/harness/poll.ts";
import { openTestState, tamper } from "./testing.ts";
import type { Scope } from "./types.ts";

const KIND = (kind: string) => (error: unknown) => error instanceof EngineError && error.kind === kind;

Deno.test("a key is found by its token, from its making on and after a restart", async () => {
  await using test = await openTestState();
  const { key, token } = await test.state.keys.create({ name: "reader", scopes: ["read", "sync", "read"] });
  assert.match(token, /^syncline_[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(key.scopes, ["read", "sync"]);
  assert.deepEqual(test.state.keys.findByToken(token), key);
  for (const wrong of ["", token.slice(0, -1), `${token}x`, token.toUpperCase(), key.id]) {
    assert.equal(test.state.keys.findByToken(wrong), undefined);
  }
  const state = await test.reopen();
  assert.deepEqual(state.keys.findByToken(token), key);
  assert.deepEqual(state.keys.list(), [key]);
});

Deno.test("no file has a token in it", async () => {
  await using test = await openTestState();
  const given = "a-token-that-the-operator-chose";
  const { token } = await test.state.keys.create({ name: "made", scopes: ["admin"] });
  assert.equal((await test.state.keys.create({ name: "given", scopes: ["admin"], token: given })).token, given);
  for await (const { name } of Deno.readDir(test.dataDir)) {
    const text = new TextDecoder("latin1").decode(await Deno.readFile(`${test.dataDir}/${name}`));
    assert.ok(!text.includes(token) && !text.includes(given), name);
  }
});

Deno.test("what makes no key is refused", async () => {
  await using test = await openTestState();
  const { keys } = test.state;
  const good = { name: "key", scopes: ["read"] as Scope[] };
  const bad = [
    { ...good, name: "" },
    { ...good, name: "x".repeat(201) },
    { ...good, scopes: [] },
    { ...good, scopes: ["root" as Scope] },
    { ...good, token: "" },
    { ...good, token: "two words" },
    { ...good, token: "tökén" },
  ];
  for (const input of bad) await assert.rejects(keys.create(input), KIND("invalid"), JSON.stringify(input));
  const { token } = await keys.create(good);
  await assert.rejects(keys.create({ ...good, token }), KIND("conflict"));
  assert.equal(keys.list().length, 1);
});

Deno.test("a deleted key stops working at once, and the last admin key stays", async () => {
  await using test = await openTestState();
  const { keys } = test.state;
  const admin = await keys.create({ name: "admin", scopes: ["admin"] });
  const second = await keys.create({ name: "second", scopes: ["admin", "read"] });
  const reader = await keys.create({ name: "reader", scopes: ["read"] });
  await assert.doesNotReject(keys.delete(reader.key.id));
  assert.equal(await keys.delete(reader.key.id), false);

  const both = await Promise.allSettled([keys.delete(admin.key.id), keys.delete(second.key.id)]);
  assert.equal(keys.findByToken(admin.token), undefined);
  assert.deepEqual(both.map(({ status }) => status), ["fulfilled", "rejected"]);
  await assert.rejects(keys.delete(second.key.id), KIND("conflict"));
  const state = await test.reopen();
  assert.deepEqual(state.keys.list().map(({ name }) => name), ["second"]);
});

Deno.test("use is marked at once and stored once a minute", async () => {
  await using test = await openTestState();
  const { key, token } = await test.state.keys.create({ name: "used", scopes: ["admin"] });
  let writes = 0;
  test.threads[0].on("message", () => writes++);
  for (let count = 0; count < 100; count++) test.state.keys.touch(key.id);
  test.state.keys.touch("no such key");
  await poll("the stored use", () => writes > 0);
  const used = test.state.keys.findByToken(token)?.lastUsedAt;
  assert.ok(used);
  const state = await test.reopen();
  assert.equal(writes, 2, "one write of the use, one of the close");
  const stored = state.keys.findByToken(token)?.lastUsedAt;
  assert.ok(stored && Math.abs(Date.parse(stored) - Date.parse(used)) < 60_000);

  await state.close();
  tamper(test.dataDir, (database) => database.exec("UPDATE api_keys SET last_used_at = last_used_at - 61000"));
  const later = await test.reopen();
  later.keys.touch(key.id);
  const again = await test.reopen();
  assert.ok(Date.parse(again.keys.list()[0].lastUsedAt ?? "") >= Date.parse(used));
});

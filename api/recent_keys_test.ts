import assert from "node:assert/strict";
import type { ApiKey, KeyStore } from "../engine/state/mod.ts";
import { RecentKeys } from "./recent_keys.ts";

/** Keys by token, with every call of the store counted. */
function memoryStore(...tokens: string[]) {
  const keys = new Map<string, ApiKey>(
    tokens.map((
      token,
    ) => [token, { id: `id-${token}`, name: token, scopes: ["read"], createdAt: "", lastUsedAt: null }]),
  );
  const calls = { find: 0, touch: 0 };
  const deletion = Promise.withResolvers<void>();
  const store: KeyStore = {
    findByToken(token) {
      calls.find++;
      return keys.get(token);
    },
    list: () => [...keys.values()],
    create: () => Promise.reject(new Error("not used")),
    async delete(id) {
      const entry = [...keys].find(([, key]) => key.id === id);
      if (entry === undefined) return false;
      keys.delete(entry[0]);
      try {
        await deletion.promise;
        return true;
      } catch (error) {
        keys.set(entry[0], { ...entry[1], name: "restored" });
        throw error;
      }
    },
    touch: () => void calls.touch++,
  };
  return { store, calls, deletion };
}

Deno.test("a token is looked up once, a wrong one every time", () => {
  const { store, calls } = memoryStore("a");
  const recent = new RecentKeys(store);
  for (let count = 0; count < 3; count++) assert.equal(recent.findByToken("a")?.id, "id-a");
  assert.equal(calls.find, 1);
  for (let count = 0; count < 3; count++) assert.equal(recent.findByToken("b"), undefined);
  assert.equal(calls.find, 4);
});

Deno.test("a deleted key is worth nothing from the call on, before it resolves and after", async () => {
  const { store, deletion } = memoryStore("a", "b");
  const recent = new RecentKeys(store);
  recent.findByToken("a");
  recent.findByToken("b");
  const deleted = recent.delete("id-a");
  assert.equal(recent.findByToken("a"), undefined);
  assert.equal(recent.findByToken("b")?.id, "id-b");
  deletion.resolve();
  assert.equal(await deleted, true);
  assert.equal(recent.findByToken("a"), undefined);
});

Deno.test("a key whose deletion failed works again, as the store has it then", async () => {
  const { store, deletion } = memoryStore("a");
  const recent = new RecentKeys(store);
  recent.findByToken("a");
  const deleted = recent.delete("id-a");
  deletion.reject(new Error("the disk is full"));
  await assert.rejects(deleted, /the disk is full/);
  assert.equal(recent.findByToken("a")?.name, "restored");
});

Deno.test("the tokens remembered are bounded", () => {
  const { store, calls } = memoryStore("a", "b", "c");
  const recent = new RecentKeys(store, { maxTokens: 2 });
  for (const token of ["a", "b", "c", "c", "a"]) assert.equal(recent.findByToken(token)?.name, token);
  assert.equal(calls.find, 4);
});

Deno.test("a use is passed on once a millisecond for each key", () => {
  const { store, calls } = memoryStore("a", "b");
  let time = 5;
  const recent = new RecentKeys(store, { now: () => time });
  recent.touch("id-a");
  recent.touch("id-a");
  assert.equal(calls.touch, 1);
  recent.touch("id-b");
  time++;
  recent.touch("id-b");
  assert.equal(calls.touch, 3);
});

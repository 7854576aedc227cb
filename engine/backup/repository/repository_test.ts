import assert from "node:assert/strict";
import { MemoryStore } from "../../cloud/memory_store.ts";
import type { StoreLocation } from "../../cloud/object_store.ts";
import { forgetMemoryStore, registerMemoryStore } from "../../cloud/open_store.ts";
import { EngineError, type ErrorKind } from "../../errors.ts";
import { DEFAULT_CHUNKING } from "../chunking/chunking.ts";
import { addPassword, changePassword, listPasswords, removePassword } from "./keys.ts";
import { initRepository, openOrInit, openRepository } from "./repository.ts";

class Place implements Disposable {
  readonly store = new MemoryStore();
  readonly #name = crypto.randomUUID();
  readonly location: StoreLocation = registerMemoryStore(this.#name, this.store);

  async keys(): Promise<string[]> {
    return (await Array.fromAsync(this.store.list(""))).map(({ key }) => key);
  }

  async text(key: string): Promise<string> {
    return new TextDecoder().decode(await this.store.read(key));
  }

  put(key: string, text: string): Promise<void> {
    return this.store.put(key, new TextEncoder().encode(text));
  }

  [Symbol.dispose](): void {
    forgetMemoryStore(this.#name);
  }
}

async function rejects(promise: Promise<unknown>, kind: ErrorKind, words: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof EngineError, String(error));
    assert.equal(error.kind, kind, error.details);
    assert.match(error.details, words);
    return true;
  });
}

Deno.test("a plain repository opens with what it was made with", async () => {
  using place = new Place();
  const chunking = { ...DEFAULT_CHUNKING, normalization: 1 };
  const made = await initRepository(place.location, { chunking });
  assert.deepEqual(await place.keys(), ["config"]);
  assert.equal(made.encrypted, false);
  assert.equal(made.masterKey, null);
  assert.deepEqual(await openRepository(place.location), made);
  assert.deepEqual(structuredClone(made), made);
});

Deno.test("an encrypted repository opens with its password only", async () => {
  using place = new Place();
  const made = await initRepository(place.location, { password: "pässword" });
  assert.equal(made.masterKey?.length, 32);
  assert.deepEqual(await openRepository(place.location, "pässword".normalize("NFD")), made);
  await rejects(openRepository(place.location, "password"), "wrong-password", /none of the 1 keys/);
  await rejects(openRepository(place.location), "wrong-password", /no password is set/);
  await rejects(openRepository(place.location, ""), "wrong-password", /no password is set/);
  assert.doesNotMatch(await place.text("config"), new RegExp(`chunking|${made.gearSeed.toHex()}`));
});

Deno.test("what cannot be made", async () => {
  using place = new Place();
  await rejects(openRepository(place.location), "not-found", /holds none/);
  await rejects(initRepository(place.location, { password: "" }), "invalid", /needs a character/);
  await rejects(
    initRepository(place.location, { chunking: { ...DEFAULT_CHUNKING, average: 3 } }),
    "invalid",
    /average/,
  );
  assert.deepEqual(await place.keys(), []);
  await place.put("photos/1.jpg", "");
  await rejects(initRepository(place.location), "conflict", /photos\/1\.jpg/);
  await rejects(openOrInit(place.location), "conflict", /not empty/);
  assert.deepEqual(await place.keys(), ["photos/1.jpg"]);
});

Deno.test("of several that make it at once one wins, and the others can open it", async () => {
  using place = new Place();
  const results = await Promise.allSettled([1, 2, 3, 4].map(() => initRepository(place.location, { password: "p" })));
  const made = results.filter((result) => result.status === "fulfilled").map(({ value }) => value);
  assert.equal(made.length, 1);
  for (const result of results) {
    if (result.status === "rejected") assert.match(result.reason.details, /holds one/);
  }
  assert.equal((await place.keys()).length, 2, "the others' keys are gone");
  assert.deepEqual(await openRepository(place.location, "p"), made[0]);

  using other = new Place();
  const opened = await Promise.all([1, 2, 3].map(() => openOrInit(other.location, { password: "p" })));
  for (const access of opened) assert.deepEqual(access, opened[0]);
});

Deno.test("an interrupted init does not stand in the way of the next", async () => {
  using place = new Place();
  await initRepository(place.location, { password: "first" });
  await place.store.delete("config");
  const made = await initRepository(place.location, { password: "second" });
  assert.deepEqual(await openRepository(place.location, "second"), made);
  await rejects(openRepository(place.location, "first"), "wrong-password", /none of the 1 keys/);
  assert.equal((await listPasswords(made)).length, 1);
});

Deno.test("a backup never goes in the clear where a password is set", async () => {
  using place = new Place();
  const made = await openOrInit(place.location);
  await rejects(openOrInit(place.location, { password: "p" }), "conflict", /in the clear/);
  assert.deepEqual(await openRepository(place.location, "p"), made, "but it can be read");
});

Deno.test("several passwords, none of which is the last to go", async () => {
  using place = new Place();
  const made = await initRepository(place.location, { password: "one" });
  const added = await addPassword(made, "two", "second");
  assert.equal(added.label, "second");
  assert.equal((await listPasswords(made)).length, 2);
  for (const password of ["one", "two"]) assert.deepEqual(await openRepository(place.location, password), made);
  await rejects(removePassword(made, "0123456789abcdef"), "not-found", /0123456789abcdef/);
  await rejects(removePassword(made, "../config"), "not-found", /config/);
  await removePassword(made, added.keyId);
  await rejects(openRepository(place.location, "two"), "wrong-password", /none of the 1/);
  const [last] = await listPasswords(made);
  await rejects(removePassword(made, last.keyId), "conflict", /Add another/);
  assert.deepEqual(await openRepository(place.location, "one"), made);
  await rejects(addPassword(made, "", ""), "invalid", /character/);
});

Deno.test("removed both at once, one password stays", async () => {
  using place = new Place();
  const made = await initRepository(place.location, { password: "one" });
  await addPassword(made, "two", "");
  const both = await listPasswords(made);
  await Promise.allSettled(both.map(({ keyId }) => removePassword(made, keyId)));
  assert.notEqual((await listPasswords(made)).length, 0);
});

Deno.test("a changed password changes its key only", async () => {
  using place = new Place();
  const made = await initRepository(place.location, { password: "old" });
  await addPassword(made, "other", "");
  const config = await place.text("config");
  await rejects(changePassword(made, "wrong", "new"), "wrong-password", /none of the 2/);
  await changePassword(made, "old", "new");
  assert.equal(await place.text("config"), config);
  for (const password of ["new", "other"]) assert.deepEqual(await openRepository(place.location, password), made);
  await rejects(openRepository(place.location, "old"), "wrong-password", /none of the 2/);
});

Deno.test("a plain repository has no passwords", async () => {
  using place = new Place();
  const made = await initRepository(place.location);
  await rejects(addPassword(made, "p", ""), "invalid", /made without/);
  await rejects(listPasswords(made), "invalid", /made without/);
});

Deno.test("a config that is damaged or foreign is told apart", async () => {
  using place = new Place();
  await initRepository(place.location);
  const text = await place.text("config");
  const config = JSON.parse(text);
  const opens = async (bytes: string, words: RegExp) => {
    await place.put("config", bytes);
    await rejects(openRepository(place.location, "p"), "damaged", words);
  };
  await opens("", /no JSON/);
  await opens(text.slice(0, -1), /no JSON/);
  await opens("[]", /config/);
  await opens("x".repeat(70_000), /too long/);
  await opens(JSON.stringify({ ...config, format: 2 }), /has format 2, this program knows format 1/);
  await opens(JSON.stringify({ ...config, encryption: "rot13" }), /encryption/);
  await opens(JSON.stringify({ ...config, secret: config.secret.replace(/.{4}$/, "") }), /checksum/);
  await opens(JSON.stringify({ ...config, repositoryId: crypto.randomUUID() }), /not the one/);
  await opens(JSON.stringify({ ...config, encryption: "chacha20-poly1305" }), /has no key/);
  await place.put("config", text);
  await openRepository(place.location);
});

Deno.test("an encrypted repository's config can only be swapped as a whole", async () => {
  using place = new Place();
  using plain = new Place();
  using second = new Place();
  await initRepository(place.location, { password: "p" });
  await initRepository(plain.location);
  await initRepository(second.location, { password: "p" });
  const config = JSON.parse(await place.text("config"));
  const { secret } = JSON.parse(await plain.text("config"));
  await place.put("config", JSON.stringify({ ...config, secret }));
  await rejects(openRepository(place.location, "p"), "damaged", /mode 0/);
  await place.put("config", JSON.stringify({ ...config, secret: JSON.parse(await second.text("config")).secret }));
  await rejects(openRepository(place.location, "p"), "damaged", /authentication/);
  await place.put("config", await second.text("config"));
  await rejects(openRepository(place.location, "p"), "damaged", /no key/);
});

Deno.test("a damaged key costs its password only, and is named", async () => {
  using place = new Place();
  const made = await initRepository(place.location, { password: "one" });
  const added = await addPassword(made, "two", "");
  const name = `keys/${added.keyId}`;
  const good = JSON.parse(await place.text(name));
  const damages: [string, RegExp][] = [
    ["", /no JSON/],
    [JSON.stringify({ ...good, n: 2 ** 30 }), /out of bounds/],
    [JSON.stringify({ ...good, n: 3 }), /out of bounds/],
    [JSON.stringify({ ...good, n: 2 ** 20, r: 32 }), /out of bounds/],
    [JSON.stringify({ ...good, kdf: "md5" }), /kdf/],
    ["x".repeat(70_000), /too long/],
  ];
  for (const [text, words] of damages) {
    await place.put(name, text);
    assert.deepEqual(await openRepository(place.location, "one"), made);
    await rejects(openRepository(place.location, "two"), "wrong-password", words);
  }
  await place.put(name, JSON.stringify({ ...good, wrapped: good.wrapped.replace(/^..../, "AAAA") }));
  await rejects(openRepository(place.location, "two"), "wrong-password", /none of the 2/);
  await place.store.delete(`keys/${(await listPasswords(made)).find(({ keyId }) => keyId !== added.keyId)!.keyId}`);
  await place.put(name, "{");
  await rejects(openRepository(place.location, "one"), "damaged", /no JSON/);
});

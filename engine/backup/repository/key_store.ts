import { EngineError } from "../../errors.ts";
import type { ObjectStore } from "../../cloud/object_store.ts";
import { damaged } from "./damaged.ts";
import { KEY_OBJECT, type KeyObject, KEYS_PREFIX, parseKey, unwrapKey } from "./key_object.ts";

const LARGEST_BYTES = 64 * 1024;

export interface StoredKey {
  key: string;
  object: KeyObject;
}

/** A repository's keys, sorted by name, and what is wrong with those that cannot be read. Keys of an init that lost its race are left out. */
export async function readKeys(
  store: ObjectStore,
  repositoryId: string,
): Promise<{ keys: StoredKey[]; faults: EngineError[] }> {
  const keys: StoredKey[] = [];
  const faults: EngineError[] = [];
  for await (const { key, size } of store.list(KEYS_PREFIX)) {
    try {
      if (!KEY_OBJECT.test(key)) throw damaged(key, "a name that no key has");
      if (size > LARGEST_BYTES) throw damaged(key, `${size} bytes, too long for a key`);
      const object = parseKey(key, await store.read(key));
      if (object.repositoryId === repositoryId) keys.push({ key, object });
    } catch (error) {
      if (!(error instanceof EngineError && error.kind === "damaged")) throw error;
      faults.push(error);
    }
  }
  return { keys, faults };
}

/** The master key and the key object that the password opens. */
export async function findKey(
  store: ObjectStore,
  repositoryId: string,
  password: string | undefined,
): Promise<{ key: string; masterKey: Uint8Array<ArrayBuffer> }> {
  if (password === undefined || password === "") {
    const details = `The repository in ${store.description} is encrypted, and no password is set for it.`;
    throw new EngineError("wrong-password", "The backup repository needs a password", details);
  }
  const { keys, faults } = await readKeys(store, repositoryId);
  for (const { key, object } of keys) {
    const masterKey = await unwrapKey(object, repositoryId, password);
    if (masterKey !== undefined) return { key, masterKey };
  }
  if (keys.length === 0) throw faults[0] ?? damaged(KEYS_PREFIX, "the repository is encrypted and has no key");
  const unreadable = faults.map((fault) => ` Unreadable besides: ${fault.details}.`).join("");
  const details =
    `The password opens none of the ${keys.length} keys of the repository in ${store.description}.${unreadable}`;
  throw new EngineError("wrong-password", "The password of the backup repository is wrong", details);
}

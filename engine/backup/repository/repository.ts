/** Making and opening a repository: FORMAT.md section 2. */
import { randomBytes } from "node:crypto";
import { type ObjectStore, StoreError, type StoreLocation } from "../../cloud/object_store.ts";
import { openStore } from "../../cloud/open_store.ts";
import { EngineError } from "../../errors.ts";
import type { Chunking, KeyAccess, RepositoryAccess } from "./access.ts";
import { chunkingFault, DEFAULT_CHUNKING } from "../chunking/chunking.ts";
import { CONFIG_KEY, CONFIG_LARGEST_BYTES, encodeConfig, openSecret, parseConfig } from "./config.ts";
import { damaged } from "./damaged.ts";
import { KEY_BYTES } from "../crypto/derived_key.ts";
import { KEY_OBJECT, wrapKey } from "./key_object.ts";
import { findKey } from "./key_store.ts";

export interface InitOptions {
  /** Makes it encrypted. */
  password?: string | undefined;
  chunking?: Chunking | undefined;
}

/**
 * Makes a repository in an empty place. Of several at once one succeeds.
 * @throws {EngineError} `conflict` where a repository or anything else is there already, `invalid`.
 */
export async function initRepository(location: StoreLocation, options: InitOptions = {}): Promise<RepositoryAccess> {
  const { password, chunking = DEFAULT_CHUNKING } = options;
  const fault = chunkingFault(chunking);
  if (fault !== undefined) throw new EngineError("invalid", "The chunking parameters are not valid", fault);
  const store = openStore(location);
  if (await readConfig(store) !== undefined) throw alreadyThere(store);
  await refuseForeign(store);

  const encrypted = password !== undefined;
  const masterKey = encrypted ? new Uint8Array(randomBytes(KEY_BYTES)) : null;
  const repositoryId = crypto.randomUUID();
  const gearSeed = new Uint8Array(randomBytes(KEY_BYTES));
  const config = encodeConfig({ encrypted, masterKey }, repositoryId, { chunking, gearSeed });
  const wrapped = masterKey === null ? undefined : await wrapKey(masterKey, repositoryId, password!, "first");
  // Before `config`: a repository must never be seen that nobody can open.
  if (wrapped !== undefined) await store.put(wrapped.key, wrapped.bytes, { ifAbsent: true });
  if (!await putConfig(store, config)) {
    if (wrapped !== undefined) await store.delete(wrapped.key);
    throw alreadyThere(store);
  }
  return { location, repositoryId, encrypted, masterKey, chunking, gearSeed };
}

/**
 * @param password Not needed where the repository is not encrypted.
 * @throws {EngineError} `not-found` where no repository is, `wrong-password` also for a missing one, `damaged` also for an unknown format.
 */
export async function openRepository(location: StoreLocation, password?: string): Promise<RepositoryAccess> {
  const store = openStore(location);
  const bytes = await readConfig(store);
  if (bytes === undefined) {
    throw new EngineError("not-found", "There is no backup repository", `${store.description} holds none.`);
  }
  const config = parseConfig(bytes);
  const { repositoryId } = config;
  const encrypted = config.encryption !== "none";
  const masterKey = encrypted ? (await findKey(store, repositoryId, password)).masterKey : null;
  const keys: KeyAccess = { encrypted, masterKey };
  return { location, repositoryId, ...keys, ...openSecret(keys, config) };
}

/**
 * Opens the repository to write into it, or makes it.
 * @throws {EngineError} As both; `conflict` where a password is given and the repository is not encrypted: whoever can write to the
 * place could have swapped it, and would get the next backup in the clear.
 */
export async function openOrInit(location: StoreLocation, options: InitOptions = {}): Promise<RepositoryAccess> {
  const store = openStore(location);
  if (await readConfig(store) === undefined) {
    try {
      return await initRepository(location, options);
    } catch (error) {
      // Another may have made it in between.
      if (!(error instanceof EngineError && error.kind === "conflict") || await readConfig(store) === undefined) {
        throw error;
      }
    }
  }
  const access = await openRepository(location, options.password);
  if (options.password !== undefined && !access.encrypted) {
    const details = `A password is set, but the repository in ${store.description} was made without one and would ` +
      "keep the data in the clear. Back up into a new repository, or without a password.";
    throw new EngineError("conflict", "The backup repository is not encrypted", details);
  }
  return access;
}

async function readConfig(store: ObjectStore): Promise<Uint8Array | undefined> {
  try {
    const { size } = await store.head(CONFIG_KEY);
    if (size > CONFIG_LARGEST_BYTES) throw damaged(CONFIG_KEY, `${size} bytes, too long for a config`);
    return await store.read(CONFIG_KEY);
  } catch (error) {
    if (error instanceof StoreError && error.kind === "not-found") return undefined;
    throw error;
  }
}

/** Whether it is ours that is there now. A store that repeats a lost request may report our own object as in the way. */
async function putConfig(store: ObjectStore, config: Uint8Array): Promise<boolean> {
  try {
    await store.put(CONFIG_KEY, config, { ifAbsent: true });
    return true;
  } catch (error) {
    if (!(error instanceof StoreError && error.kind === "exists")) throw error;
    const there = await readConfig(store);
    return there !== undefined && there.length === config.length && there.every((byte, i) => byte === config[i]);
  }
}

/** A key that an interrupted init left is ours; anything else belongs to somebody. */
async function refuseForeign(store: ObjectStore): Promise<void> {
  for await (const { key } of store.list("")) {
    if (KEY_OBJECT.test(key)) continue;
    const details = `${store.description} is not empty (${key}). A repository needs a place of its own.`;
    throw new EngineError("conflict", "There is something else in the repository's place", details);
  }
}

function alreadyThere(store: ObjectStore): EngineError {
  return new EngineError("conflict", "There is a backup repository already", `${store.description} holds one.`);
}

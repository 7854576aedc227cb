/** The passwords of an encrypted repository: FORMAT.md section 2.2. */
import { openStore } from "../../cloud/open_store.ts";
import { EngineError } from "../../errors.ts";
import type { RepositoryAccess } from "./access.ts";
import { KEYS_PREFIX, wrapKey } from "./key_object.ts";
import { findKey, readKeys, type StoredKey } from "./key_store.ts";

export interface PasswordInfo {
  /** 16 hexadecimal digits. */
  keyId: string;
  /** ISO 8601, UTC. */
  createdAt: string;
  /** Chosen by who added it. */
  label: string;
}

export async function listPasswords(access: RepositoryAccess): Promise<PasswordInfo[]> {
  masterKeyOf(access);
  const { keys } = await readKeys(openStore(access.location), access.repositoryId);
  return keys.map(info);
}

export async function addPassword(access: RepositoryAccess, password: string, label: string): Promise<PasswordInfo> {
  const { key, bytes } = await wrapKey(masterKeyOf(access), access.repositoryId, password, label);
  const store = openStore(access.location);
  await store.put(key, bytes, { ifAbsent: true });
  return info({ key, object: JSON.parse(new TextDecoder().decode(bytes)) });
}

/**
 * Makes a password useless from now on; who has kept the master key keeps access.
 * @throws {EngineError} `not-found` for an unknown key, `conflict` for the last one.
 */
export async function removePassword(access: RepositoryAccess, keyId: string): Promise<void> {
  masterKeyOf(access);
  const key = `${KEYS_PREFIX}${keyId}`;
  const store = openStore(access.location);
  const { keys } = await readKeys(store, access.repositoryId);
  const own = keys.find((one) => one.key === key);
  if (own === undefined) throw new EngineError("not-found", "No such password", `The repository has no key ${keyId}.`);
  if (keys.length === 1) throw lastPassword();
  const bytes = await store.read(key);
  await store.delete(key);
  // Another removal at the same time may have taken the one that was to stay.
  if ((await readKeys(store, access.repositoryId)).keys.length > 0) return;
  await store.put(key, bytes);
  throw lastPassword();
}

/** Replaces the password `from` by `to`. No data is written anew, and at every moment one of them opens the repository. */
export async function changePassword(access: RepositoryAccess, from: string, to: string): Promise<PasswordInfo> {
  masterKeyOf(access);
  const store = openStore(access.location);
  const { key } = await findKey(store, access.repositoryId, from);
  const { keys } = await readKeys(store, access.repositoryId);
  const label = keys.find((one) => one.key === key)?.object.label ?? "";
  const added = await addPassword(access, to, label);
  await store.delete(key);
  return added;
}

function info({ key, object }: StoredKey): PasswordInfo {
  return { keyId: key.slice(KEYS_PREFIX.length), createdAt: object.createdAt, label: object.label };
}

function masterKeyOf(access: RepositoryAccess): Uint8Array {
  if (access.masterKey !== null) return access.masterKey;
  const details = "It was made without a password. Only a new repository can be encrypted.";
  throw new EngineError("invalid", "The backup repository is not encrypted", details);
}

function lastPassword(): EngineError {
  const details = "Without any password nobody could open the repository again. Add another one first.";
  return new EngineError("conflict", "The last password cannot be removed", details);
}

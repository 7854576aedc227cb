/** The first key: how an operator gets in. */
import { randomBytes } from "node:crypto";
import { join } from "node:path/posix";
import type { KeyStore } from "../engine/state/mod.ts";
import { ConfigError } from "./config.ts";

/** The name of the key that `SYNCLINE_TOKEN` sets. */
export const CONFIGURED_KEY_NAME = "SYNCLINE_TOKEN";

/** Where an operator finds a token that works: in a file, in the environment, or nowhere but in their own notes. */
export type AdminToken = { from: "file"; path: string } | { from: "environment" } | { from: "earlier start" };

/**
 * Sees to it that there is an admin key. `SYNCLINE_TOKEN` becomes one and replaces what it was before; else, where no key
 * exists yet, a token is made and written to `admin-token` in the data directory, for the owner's eyes only.
 *
 * The file is on disk before the key is stored: a crash between the two leaves no key that nobody knows.
 */
export async function ensureAdminToken(
  keys: KeyStore,
  { dataDir, token }: { dataDir: string; token: string | undefined },
): Promise<AdminToken> {
  if (token !== undefined) {
    await useConfiguredToken(keys, token);
    return { from: "environment" };
  }
  const path = join(dataDir, "admin-token");
  if (keys.list().length === 0) {
    const fresh = `syncline_${randomBytes(32).toString("base64url")}`;
    await writeSecret(path, `${fresh}\n`);
    await keys.create({ name: "admin", scopes: ["admin"], token: fresh });
    return { from: "file", path };
  }
  const known = await readIfPresent(path);
  const works = known !== undefined && keys.findByToken(known.trim())?.scopes.includes("admin");
  return works ? { from: "file", path } : { from: "earlier start" };
}

async function useConfiguredToken(keys: KeyStore, token: string): Promise<void> {
  const existing = keys.findByToken(token);
  if (existing !== undefined && !existing.scopes.includes("admin")) {
    throw new ConfigError("SYNCLINE_TOKEN must not be the token of a key without the scope admin");
  }
  const key = existing ?? (await keys.create({ name: CONFIGURED_KEY_NAME, scopes: ["admin"], token })).key;
  for (const other of keys.list()) {
    if (other.name === CONFIGURED_KEY_NAME && other.id !== key.id) await keys.delete(other.id);
  }
}

/** The whole file or none, readable by its owner alone from its first moment, and on disk when this resolves. */
async function writeSecret(path: string, content: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    let bytes = new TextEncoder().encode(content);
    while (bytes.length > 0) bytes = bytes.subarray(await file.write(bytes));
    await file.sync();
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch((failure) => {
      if (!(failure instanceof Deno.errors.NotFound)) throw failure;
    });
    throw error;
  }
  using directory = await Deno.open(join(path, ".."));
  await directory.sync();
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

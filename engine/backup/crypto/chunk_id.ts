import { createHash, type Hash } from "node:crypto";
import type { KeyAccess } from "../repository/access.ts";
import { deriveKey } from "./derived_key.ts";

export const ID_BYTES = 32;

const BLOCK_BYTES = 64;

/**
 * The id of a chunk, 32 bytes: SHA-256 of it, or HMAC-SHA-256 under a key of the repository where it is encrypted
 * (FORMAT.md section 3.2).
 */
export function chunkId(access: KeyAccess, bytes: Uint8Array): Uint8Array {
  if (access.masterKey === null) return createHash("sha256").update(bytes).digest();
  const { inner, outer } = keyed(access.masterKey);
  return outer.copy().update(inner.copy().update(bytes).digest()).digest();
}

/** HMAC's two hashes, each after its key block: copying them is five times as fast as a new `Hmac` for small chunks. */
interface Keyed {
  inner: Hash;
  outer: Hash;
}

const cache = new WeakMap<Uint8Array, Keyed>();

function keyed(masterKey: Uint8Array): Keyed {
  let hashes = cache.get(masterKey);
  if (hashes === undefined) {
    hashes = hmac(deriveKey(masterKey, new Uint8Array(0), "syncline chunk id 1"));
    cache.set(masterKey, hashes);
  }
  return hashes;
}

/** RFC 2104 for a key of at most a block. */
function hmac(key: Uint8Array): Keyed {
  const block = (pad: number) => Uint8Array.from({ length: BLOCK_BYTES }, (_, i) => pad ^ (key[i] ?? 0));
  return { inner: createHash("sha256").update(block(0x36)), outer: createHash("sha256").update(block(0x5c)) };
}

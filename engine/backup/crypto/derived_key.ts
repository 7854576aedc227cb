/** Keys derived from the master key by HKDF (RFC 5869) with SHA-256: FORMAT.md section 3. */
import { hkdfSync } from "node:crypto";

export const KEY_BYTES = 32;

export type KeyPurpose = "syncline chunk id 1" | "syncline object 1" | "syncline pack 1";

/** 32 bytes of key. `salt` is empty, or 32 random bytes that make it a key for one object. */
export function deriveKey(masterKey: Uint8Array, salt: Uint8Array, purpose: KeyPurpose): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdfSync("sha256", masterKey, salt, purpose, KEY_BYTES));
}

/** ChaCha20-Poly1305 (RFC 8439) as FORMAT.md section 3 uses it. A nonce must never be used twice with one key. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { concat } from "./concat.ts";
import { damaged } from "../repository/damaged.ts";
import { deriveKey } from "./derived_key.ts";
import { release } from "../packs/release.ts";

export const TAG_BYTES = 16;
export const SALT_BYTES = 32;

/** The nonce of a pack's table; frames count up from 0. */
export const TABLE_NONCE = 0xffffffff;

const ALGORITHM = "chacha20-poly1305";
const NONE = new Uint8Array(0);

/** The key of one pack or one sealed object, by its own salt of 32 random bytes. */
export function objectKey(masterKey: Uint8Array, salt: Uint8Array): Uint8Array<ArrayBuffer> {
  return deriveKey(masterKey, salt, "syncline object 1");
}

export function packKey(masterKey: Uint8Array, salt: Uint8Array): Uint8Array<ArrayBuffer> {
  return deriveKey(masterKey, salt, "syncline pack 1");
}

/** Ciphertext and tag. `nonce` is a number from 0 to 2^32 − 1, or 12 bytes. */
export function encrypt(
  key: Uint8Array,
  nonce: number | Uint8Array,
  plain: Uint8Array,
  additional: Uint8Array = NONE,
): Uint8Array<ArrayBuffer> {
  const cipher = createCipheriv(ALGORITHM, key, nonceBytes(nonce), { authTagLength: TAG_BYTES });
  if (additional.length > 0) cipher.setAAD(additional, { plaintextLength: plain.length });
  const body = cipher.update(plain);
  const last = cipher.final();
  const sealed = concat(body, last, cipher.getAuthTag());
  release(body as Uint8Array<ArrayBuffer>);
  return sealed;
}

/**
 * What {@link encrypt} was given.
 * @throws {EngineError} `damaged` where key, nonce, additional data or any bit is not the same; `what` names the object in it.
 */
export function decrypt(
  key: Uint8Array,
  nonce: number | Uint8Array,
  sealed: Uint8Array,
  additional: Uint8Array,
  what: string,
): Uint8Array<ArrayBuffer> {
  if (sealed.length < TAG_BYTES) throw damaged(what, `${sealed.length} bytes, too short to be authenticated`);
  const decipher = createDecipheriv(ALGORITHM, key, nonceBytes(nonce), { authTagLength: TAG_BYTES });
  const length = sealed.length - TAG_BYTES;
  if (additional.length > 0) decipher.setAAD(additional, { plaintextLength: length });
  decipher.setAuthTag(sealed.subarray(length));
  const plain = decipher.update(sealed.subarray(0, length));
  try {
    decipher.final();
  } catch (cause) {
    throw damaged(what, "its authentication tag is wrong", { cause });
  }
  return new Uint8Array(plain.buffer as ArrayBuffer, plain.byteOffset, plain.byteLength);
}

function nonceBytes(nonce: number | Uint8Array): Uint8Array {
  if (typeof nonce !== "number") return nonce;
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(0, nonce, true);
  return bytes;
}

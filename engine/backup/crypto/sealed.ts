/** Small objects, authenticated and, where the repository is encrypted, encrypted: FORMAT.md section 3.3. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { KeyAccess } from "../repository/access.ts";
import { decrypt, encrypt, objectKey, SALT_BYTES } from "./cipher.ts";
import { concat } from "./concat.ts";
import { damaged } from "../repository/damaged.ts";

export type SealMagic = "SLINDEX1" | "SLVERSN1" | "SLCATLG1" | "SLLEASE1" | "SLCONFIG";

const MAGIC_BYTES = 8;
const MODE_PLAIN = 0;
const MODE_ENCRYPTED = 1;
const DIGEST_BYTES = 32;

const encoder = new TextEncoder();

/** @param key The whole key under which the object is stored; empty for index segments and catalogs, which are named by their own hash. */
export function seal(access: KeyAccess, magic: SealMagic, key: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = encoder.encode(magic);
  if (access.masterKey === null) {
    const start = concat(head, Uint8Array.of(MODE_PLAIN));
    return concat(start, payload, digest(start, key, payload));
  }
  const salt = randomBytes(SALT_BYTES);
  const start = concat(head, Uint8Array.of(MODE_ENCRYPTED), salt);
  return concat(start, encrypt(objectKey(access.masterKey, salt), 0, payload, concat(start, encoder.encode(key))));
}

/**
 * The payload.
 * @param what Names the object in errors; its key where that is not empty.
 * @throws {EngineError} `damaged` where anything of it is not as it was sealed, or it was sealed for another key, kind or repository.
 */
export function unseal(
  access: KeyAccess,
  magic: SealMagic,
  key: string,
  object: Uint8Array,
  what = key,
): Uint8Array<ArrayBuffer> {
  const encrypted = access.masterKey !== null;
  const startBytes = MAGIC_BYTES + 1 + (encrypted ? SALT_BYTES : 0);
  const found = new TextDecoder().decode(object.subarray(0, MAGIC_BYTES));
  if (object.length < startBytes) throw damaged(what, `only ${object.length} bytes`);
  if (found !== magic) throw damaged(what, `it does not begin with ${magic}`);
  if (object[MAGIC_BYTES] !== (encrypted ? MODE_ENCRYPTED : MODE_PLAIN)) {
    throw damaged(what, `mode ${object[MAGIC_BYTES]}, which must not be in this repository`);
  }
  const start = object.subarray(0, startBytes);
  const body = object.subarray(startBytes);
  if (access.masterKey !== null) {
    const aeadKey = objectKey(access.masterKey, start.subarray(MAGIC_BYTES + 1));
    return decrypt(aeadKey, 0, body, concat(start, encoder.encode(key)), what);
  }
  if (body.length < DIGEST_BYTES) throw damaged(what, `only ${object.length} bytes`);
  const payload = body.slice(0, body.length - DIGEST_BYTES);
  if (!timingSafeEqual(digest(start, key, payload), body.subarray(payload.length))) {
    throw damaged(what, "its checksum is wrong");
  }
  return payload as Uint8Array<ArrayBuffer>;
}

function digest(start: Uint8Array, key: string, payload: Uint8Array): Uint8Array {
  return createHash("sha256").update(start).update(`${key}\0`).update(payload).digest();
}

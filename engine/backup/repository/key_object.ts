/** The objects under `keys/`: a master key wrapped by a password, FORMAT.md section 2.2. */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { EngineError } from "../../errors.ts";
import { decrypt, encrypt, SALT_BYTES } from "../crypto/cipher.ts";
import { concat } from "../crypto/concat.ts";
import { damaged } from "./damaged.ts";
import { KEY_BYTES } from "../crypto/derived_key.ts";
import { kdfAllowed, NEW_KDF, passwordKey } from "../crypto/password_key.ts";

export const KEYS_PREFIX = "keys/";
export const KEY_OBJECT = /^keys\/[0-9a-f]{16}$/;

const NONCE_BYTES = 12;

const schema = z.object({
  repositoryId: z.string(),
  kdf: z.literal("scrypt"),
  n: z.number(),
  r: z.number(),
  p: z.number(),
  salt: z.base64(),
  wrapped: z.base64(),
  createdAt: z.string(),
  label: z.string(),
});

export type KeyObject = z.infer<typeof schema>;

/** A new object's key and bytes. */
export async function wrapKey(
  masterKey: Uint8Array,
  repositoryId: string,
  password: string,
  label: string,
): Promise<{ key: string; bytes: Uint8Array }> {
  if (password === "") {
    throw new EngineError("invalid", "The password is empty", "A repository's password needs a character.");
  }
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const wrappingKey = await passwordKey(password, { ...NEW_KDF, salt });
  const sealed = encrypt(wrappingKey, nonce, masterKey, additional(repositoryId));
  const object: KeyObject = {
    repositoryId,
    kdf: "scrypt",
    ...NEW_KDF,
    salt: salt.toString("base64"),
    wrapped: Buffer.from(concat(nonce, sealed)).toString("base64"),
    createdAt: new Date().toISOString(),
    label,
  };
  const key = `${KEYS_PREFIX}${randomBytes(8).toString("hex")}`;
  return { key, bytes: new TextEncoder().encode(JSON.stringify(object)) };
}

/** @throws {EngineError} `damaged`. */
export function parseKey(key: string, bytes: Uint8Array): KeyObject {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw damaged(key, "it is no JSON", { cause });
  }
  const { data, error } = schema.safeParse(json);
  if (data === undefined) throw damaged(key, z.prettifyError(error));
  if (!kdfAllowed(data)) throw damaged(key, `scrypt with n ${data.n}, r ${data.r}, p ${data.p} is out of bounds`);
  return data;
}

/** The master key, or undefined where it is another password's. */
export async function unwrapKey(
  object: KeyObject,
  repositoryId: string,
  password: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const wrapped = Buffer.from(object.wrapped, "base64");
  const wrappingKey = await passwordKey(password, { ...object, salt: Buffer.from(object.salt, "base64") });
  try {
    const [nonce, sealed] = [wrapped.subarray(0, NONCE_BYTES), wrapped.subarray(NONCE_BYTES)];
    const masterKey = new Uint8Array(decrypt(wrappingKey, nonce, sealed, additional(repositoryId), KEYS_PREFIX));
    return masterKey.length === KEY_BYTES ? masterKey : undefined;
  } catch (error) {
    // Whether the password or the object is wrong cannot be told apart.
    if (error instanceof EngineError && error.kind === "damaged") return undefined;
    throw error;
  }
}

function additional(repositoryId: string): Uint8Array {
  return new TextEncoder().encode(`syncline key 1 ${repositoryId}`);
}

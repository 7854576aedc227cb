import { createHash, scrypt } from "node:crypto";
import { KEY_BYTES } from "./derived_key.ts";

/** How a password becomes a key: scrypt (RFC 7914) with these parameters. */
export interface Kdf {
  n: number;
  r: number;
  p: number;
  salt: Uint8Array;
}

/** The strength that OWASP asks for, in the form that takes 64 MiB instead of 128. */
export const NEW_KDF = { n: 2 ** 16, r: 8, p: 2 };

const LARGEST = { n: 2 ** 20, r: 32, p: 16, memory: 512 * 1024 * 1024 };
const KEPT = 64;

/** Whether parameters that somebody stored are ones that this program is willing to compute. */
export function kdfAllowed({ n, r, p }: Omit<Kdf, "salt">): boolean {
  const whole = [n, r, p].every((value) => Number.isSafeInteger(value) && value >= 1);
  return whole && n >= 2 && Number.isInteger(Math.log2(n)) && n <= LARGEST.n && r <= LARGEST.r && p <= LARGEST.p &&
    memory({ n, r, p }) <= LARGEST.memory;
}

/** Results by password and parameters, newest last: every request opens its repository, and scrypt takes half a second. */
const kept = new Map<string, Promise<Uint8Array>>();

/** One at a time, since each takes much memory. */
let last: Promise<unknown> = Promise.resolve();

/** 32 bytes. Computed off this thread. The password is normalised (NFC), since keyboards differ in how they compose. */
export function passwordKey(password: string, kdf: Kdf): Promise<Uint8Array> {
  const text = password.normalize("NFC");
  const { n, r, p, salt } = kdf;
  const name = createHash("sha256").update(`${n} ${r} ${p} `).update(salt).update(text).digest("hex");
  let key = kept.get(name);
  if (key === undefined) {
    key = last.then(() => derive(text, kdf));
    last = key.catch(() => {});
    key.catch(() => kept.delete(name));
  } else {
    kept.delete(name);
  }
  kept.set(name, key);
  const [oldest] = kept.keys();
  if (kept.size > KEPT) kept.delete(oldest);
  return key;
}

function derive(password: string, { n, r, p, salt }: Kdf): Promise<Uint8Array> {
  const options = { N: n, r, p, maxmem: 2 * memory({ n, r, p }) };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, KEY_BYTES, options, (error, key) => error === null ? resolve(key) : reject(error));
  });
}

function memory({ n, r, p }: Omit<Kdf, "salt">): number {
  return 128 * r * (n + p);
}

import { encodeNameInto } from "../posix/name.ts";
import { StoreError } from "./object_store.ts";

const MOST_BYTES = 1024;
const scratch = new Uint8Array(MOST_BYTES);

/** The parts of a key. @throws StoreError `invalid` */
export function keyParts(key: string): string[] {
  const parts = key.split("/");
  if (key.includes("\0") || encodeNameInto(key, scratch) < 0 || parts.some(isNoName)) {
    throw new StoreError("invalid", `No store can have the key ${JSON.stringify(key)}`);
  }
  return parts;
}

function isNoName(part: string): boolean {
  return part === "" || part === "." || part === "..";
}

/** The directory in which all keys with a prefix lie, as parts, and how the rest of each key begins. @throws StoreError `invalid` */
export function prefixParts(prefix: string): { directory: string[]; rest: string } {
  const at = prefix.lastIndexOf("/");
  return { directory: at < 0 ? [] : keyParts(prefix.slice(0, at)), rest: prefix.slice(at + 1) };
}

/** Compares keys by their bytes, as every store lists them; JavaScript's own order is by UTF-16 units. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    // Units below the surrogates sort as their bytes do; where one is not, only the bytes tell.
    return x < 0xd800 && y < 0xd800 ? x - y : compareBytes(a, b);
  }
  return a.length - b.length;
}

function compareBytes(a: string, b: string): number {
  const [x, y] = [encode(a), encode(b)];
  const length = Math.min(x.length, y.length);
  for (let i = 0; i < length; i++) if (x[i] !== y[i]) return x[i] - y[i];
  return x.length - y.length;
}

function encode(key: string): Uint8Array {
  const bytes = new Uint8Array(key.length * 3);
  return bytes.subarray(0, encodeNameInto(key, bytes));
}

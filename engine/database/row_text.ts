import { Buffer } from "node:buffer";
import { RowHasher } from "./row_hasher.ts";
import type { Row } from "./types.ts";

const hasher = new RowHasher();

/**
 * The text that stands for several values in hashes: each is `N` where it is NULL, else its length in octets of UTF-8, a colon and
 * the value. So no two different lists have the same text. Servers compute the same in SQL.
 */
export function rowText(values: Row): string {
  let text = "";
  for (const value of values) text += value === null ? "N" : `${Buffer.byteLength(value)}:${value}`;
  return text;
}

/** The first 8 bytes of MD5 over {@link rowText}, big-endian: the hash of the methods `md5` and `client`. */
export function rowHash(values: Row): bigint {
  hashRow(values);
  return BigInt(hasher.high) << 32n | BigInt(hasher.low);
}

/** The bucket of a key under the scheme `hash`; `buckets` is a power of two, at most 2^30. */
export function keyBucket(key: Row, buckets: number): number {
  hashRow(key);
  return hasher.high & (buckets - 1);
}

/** The bucket of a row without a key under the scheme `row`. */
export function hashBucket(hash: bigint, buckets: number): number {
  return Number(hash & BigInt(buckets - 1));
}

function hashRow(values: Row): void {
  hasher.begin();
  for (const value of values) hasher.add(value);
  hasher.end();
}

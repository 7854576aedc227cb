import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Row } from "./types.ts";

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
  return createHash("md5").update(rowText(values)).digest().readBigUInt64BE();
}

/** The bucket of a key under the scheme `hash`; `buckets` is a power of two, at most 2^30. */
export function keyBucket(key: Row, buckets: number): number {
  return createHash("md5").update(rowText(key)).digest().readUInt32BE() & (buckets - 1);
}

/** The bucket of a row without a key under the scheme `row`. */
export function hashBucket(hash: bigint, buckets: number): number {
  return Number(hash & BigInt(buckets - 1));
}

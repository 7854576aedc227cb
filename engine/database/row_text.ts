import { Buffer } from "node:buffer";
import { RowHasher } from "./row_hasher.ts";
import type { Form, Row, TableSide } from "./types.ts";

const hasher = new RowHasher();

/** Whether a form's text may hold any character, so that its length has to be said. The texts of the others have no `|`. */
export function isMeasured(form: Form): boolean {
  return form === "text" || form === "json" || form === "native";
}

/**
 * The text that stands for several values in hashes, joined by `|`: a value of a measured form is its length in octets of UTF-8,
 * `|` and itself, or `-1` where it is NULL; any other value is itself, or `N` where it is NULL. So no two different lists of the
 * same forms have the same text. Servers compute the same in SQL, where each length that is asked for costs.
 */
export function rowText(forms: Form[], values: Row): string {
  return values.map((value, at) => {
    if (!isMeasured(forms[at])) return value ?? "N";
    return value === null ? "-1" : `${Buffer.byteLength(value)}|${value}`;
  }).join("|");
}

/** The first 8 bytes of MD5 over {@link rowText}, big-endian: the hash of the methods `md5` and `client`. */
export function rowHash({ forms }: Pick<TableSide, "forms">, row: Row): bigint {
  hasher.begin();
  for (let at = 0; at < row.length; at++) hasher.add(row[at], isMeasured(forms[at]));
  hasher.end();
  return BigInt(hasher.high) << 32n | BigInt(hasher.low);
}

/** The bucket of a key under the scheme `hash`; `buckets` is a power of two, at most 2^30. */
export function keyBucket({ forms, key }: Pick<TableSide, "forms" | "key">, values: Row, buckets: number): number {
  hasher.begin();
  for (let at = 0; at < values.length; at++) hasher.add(values[at], isMeasured(forms[key[at]]));
  hasher.end();
  return hasher.high & (buckets - 1);
}

/** The bucket of a row without a key under the scheme `row`. */
export function hashBucket(hash: bigint, buckets: number): number {
  return Number(hash & BigInt(buckets - 1));
}

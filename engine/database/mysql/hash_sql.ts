/** The hash `md5` and the buckets, computed by the server. */
import type { Bucketing, TableSide } from "../types.ts";
import { sideSql } from "./side_sql.ts";

/** 16 hexadecimal digits. */
export function rowHashSql(side: TableSide): string {
  return `LEFT(MD5(${sideSql(side).rowText}), 16)`;
}

/** The sum of the rows' hashes, exact. */
export function hashSumSql(side: TableSide): string {
  return `SUM(CAST(CONV(${rowHashSql(side)}, 16, 10) AS UNSIGNED))`;
}

/**
 * The digits of a hash whose low bits are the bucket, of the schemes `hash` and `row`; there may be more bits than those. Undefined
 * where there is one bucket.
 */
export interface BucketDigits {
  sql: string;
  bucket(digits: string): number;
  /** The digits of some buckets, for a list of SQL. */
  digitsOf(buckets: number[]): string;
}

export function bucketDigits(side: TableSide, bucketing: Bucketing): BucketDigits | undefined {
  if (bucketing.scheme === "range" || bucketing.buckets === 1) return undefined;
  const bits = Math.log2(bucketing.buckets);
  const count = Math.ceil(bits / 4);
  const { rowText, keyText } = sideSql(side);
  // The key's bucket is in the first 4 bytes, the row's in all 8, both at the end.
  const [text, last] = bucketing.scheme === "hash" ? [keyText, 8] : [rowText, 16];
  const mask = bucketing.buckets - 1;
  const digits = (number: number) => `'${number.toString(16).padStart(count, "0")}'`;
  return {
    sql: `SUBSTR(MD5(${text}), ${last + 1 - count}, ${count})`,
    bucket: (digits) => parseInt(digits, 16) & mask,
    digitsOf: (buckets) => {
      const above = 2 ** (count * 4 - bits);
      return buckets.flatMap((bucket) => {
        return Array.from({ length: above }, (_, high) => digits(high * bucketing.buckets + bucket));
      }).join(", ");
    },
  };
}

import { RangeBuckets } from "../range_buckets.ts";
import { RowHasher } from "../row_hasher.ts";
import type { Bucketing, Checksum, HashMethod, TableSide } from "../types.ts";
import type { RowLayout, StoredRow } from "./row_layout.ts";
import type { KeyRange } from "./row_reader.ts";

/** Hashes rows and says to which segment they belong. */
export class RowHashes {
  /** Of the last row, as two unsigned words. */
  high = 0;
  low = 0;
  bucket = 0;
  readonly #layout: RowLayout;
  readonly #hasher = new RowHasher();
  readonly #bucketing: Bucketing;
  readonly #range: RangeBuckets | undefined;

  constructor(layout: RowLayout, method: HashMethod, bucketing: Bucketing) {
    if (method !== "md5" && method !== "client") throw new TypeError(`SQLite cannot hash rows by ${method}`);
    this.#layout = layout;
    this.#bucketing = bucketing;
    const { forms, key } = layout.side;
    this.#range = bucketing.scheme === "range" ? new RangeBuckets(forms[key[0]], bucketing.boundaries) : undefined;
  }

  hash(row: StoredRow): void {
    const [layout, hasher] = [this.#layout, this.#hasher];
    hasher.begin();
    for (let at = 0; at < layout.side.columns.length; at++) hasher.add(layout.value(row, at));
    hasher.end();
    this.high = hasher.high;
    this.low = hasher.low;
    this.bucket = this.#bucketOf(row);
  }

  get hashed(): bigint {
    return BigInt(this.high) << 32n | BigInt(this.low);
  }

  /** Only the segment of a row, which costs less. */
  place(row: StoredRow): number {
    if (this.#bucketing.scheme === "row") this.hash(row);
    else this.bucket = this.#bucketOf(row);
    return this.bucket;
  }

  #bucketOf(row: StoredRow): number {
    const [bucketing, layout, hasher] = [this.#bucketing, this.#layout, this.#hasher];
    if (bucketing.scheme === "row") return this.low & (bucketing.buckets - 1);
    if (this.#range !== undefined) return this.#range.find(layout.value(row, layout.side.key[0]) ?? "");
    hasher.begin();
    for (const at of layout.side.key) hasher.add(layout.value(row, at));
    hasher.end();
    return hasher.high & ((bucketing as { buckets: number }).buckets - 1);
  }
}

/** Adds up the rows of segments, with numbers where bigints would be slow. */
export class Checksums {
  readonly #sums = new Map<number, { rows: number; high: number; low: number }>();

  add({ bucket, high, low }: RowHashes): void {
    let sum = this.#sums.get(bucket);
    if (sum === undefined) this.#sums.set(bucket, sum = { rows: 0, high: 0, low: 0 });
    sum.rows++;
    sum.low += low;
    const carry = Math.floor(sum.low / 2 ** 32);
    sum.low -= carry * 2 ** 32;
    sum.high = (sum.high + high + carry) % 2 ** 32;
  }

  all(): Checksum[] {
    return Array.from(this.#sums, ([bucket, { rows, high, low }]) => {
      return { bucket, rows, sum: BigInt(high) << 32n | BigInt(low) };
    });
  }
}

/** The ranges of keys that hold some segments, where whole numbers make them; undefined: every row has to be looked at. */
export function keyRanges(
  side: TableSide,
  bucketing: Bucketing,
  buckets: number[] | undefined,
): KeyRange[] | undefined {
  if (buckets === undefined || bucketing.scheme !== "range" || side.forms[side.key[0]] !== "integer") return undefined;
  const boundaries = bucketing.boundaries.map(BigInt);
  const ranges: KeyRange[] = [];
  let end = NaN;
  const there = buckets.filter((bucket) => bucket <= boundaries.length);
  for (const bucket of there.sort((a, b) => a - b)) {
    if (bucket === end) ranges[ranges.length - 1].to = boundaries[bucket];
    else ranges.push({ from: boundaries[bucket - 1], to: boundaries[bucket] });
    end = bucket + 1;
  }
  return ranges;
}

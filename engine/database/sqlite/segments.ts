import { RangeBuckets } from "../range_buckets.ts";
import { RowHasher } from "../row_hasher.ts";
import { isMeasured } from "../row_text.ts";
import type { Bucketing, Checksum, HashMethod, TableSide } from "../types.ts";
import type { RowLayout, StoredRow } from "./row_layout.ts";
import type { KeyRange } from "./row_reader.ts";
import { StoredHasher } from "./stored_hasher.ts";

/** Hashes rows and says to which segment they belong. */
export class RowHashes {
  /** Of the last row, as two unsigned words. */
  high = 0;
  low = 0;
  bucket = 0;
  readonly #layout: RowLayout;
  readonly #bucketing: Bucketing;
  readonly #measured: boolean[];
  readonly #range: RangeBuckets | undefined;
  readonly #stored: StoredHasher | undefined;
  readonly #text = new RowHasher();
  readonly #words = new Uint32Array(2);
  readonly #whole = new BigUint64Array(this.#words.buffer);

  constructor(layout: RowLayout, method: HashMethod, bucketing: Bucketing) {
    if (method === "record" || method === "text64") throw new TypeError(`SQLite cannot hash rows by ${method}`);
    this.#layout = layout;
    this.#bucketing = bucketing;
    this.#stored = method === "stored" ? new StoredHasher() : undefined;
    const { forms, key } = layout.side;
    this.#measured = forms.map(isMeasured);
    this.#range = bucketing.scheme === "range" ? new RangeBuckets(forms[key[0]], bucketing.boundaries) : undefined;
  }

  hash(row: StoredRow): void {
    const hasher = this.#hashed(row, this.#layout.positions);
    this.high = hasher.high;
    this.low = hasher.low;
    this.bucket = this.#bucketOf(row);
  }

  /** Of the last row, 0 to 2^64 − 1. */
  get hashed(): bigint {
    // Little-endian, as every processor that this runs on is.
    this.#words[0] = this.low;
    this.#words[1] = this.high;
    return this.#whole[0];
  }

  /** Only the segment of a row, which costs less. */
  place(row: StoredRow): number {
    if (this.#bucketing.scheme === "row") this.hash(row);
    else this.bucket = this.#bucketOf(row);
    return this.bucket;
  }

  #bucketOf(row: StoredRow): number {
    const [bucketing, layout] = [this.#bucketing, this.#layout];
    if (bucketing.scheme === "row") return this.low & (bucketing.buckets - 1);
    const { key } = layout.side;
    if (this.#range !== undefined) {
      const stored = row[layout.locator.length + key[0]];
      if (typeof stored === "bigint" && layout.side.forms[key[0]] === "integer") return this.#range.findInteger(stored);
      return this.#range.find(layout.value(row, key[0]) ?? "");
    }
    return this.#hashed(row, key).high & ((bucketing as { buckets: number }).buckets - 1);
  }

  /** Hashes some of a row's columns. */
  #hashed(row: StoredRow, positions: number[]): { high: number; low: number } {
    const [layout, stored, text] = [this.#layout, this.#stored, this.#text];
    if (stored !== undefined) {
      stored.begin();
      for (const at of positions) stored.add(row[layout.locator.length + at]);
      stored.end();
      return stored;
    }
    text.begin();
    for (const at of positions) text.add(layout.value(row, at), this.#measured[at]);
    text.end();
    return text;
  }
}

/** Adds up the rows of segments, with numbers where bigints would be slow. */
export class Checksums {
  readonly #sums = new Map<number, Sum>();
  /** Of the last row: mostly the next one is of the same segment. */
  #last: Sum | undefined;

  add({ bucket, high, low }: RowHashes): void {
    let sum = this.#last;
    if (sum === undefined || sum.bucket !== bucket) {
      sum = this.#sums.get(bucket);
      if (sum === undefined) this.#sums.set(bucket, sum = { bucket, rows: 0, high: 0, low: 0 });
      this.#last = sum;
    }
    sum.rows++;
    sum.low += low;
    const carry = Math.floor(sum.low / 2 ** 32);
    sum.low -= carry * 2 ** 32;
    sum.high = (sum.high + high + carry) % 2 ** 32;
  }

  all(): Checksum[] {
    return Array.from(this.#sums.values(), ({ bucket, rows, high, low }) => {
      return { bucket, rows, sum: BigInt(high) << 32n | BigInt(low) };
    });
  }
}

interface Sum {
  bucket: number;
  rows: number;
  high: number;
  low: number;
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

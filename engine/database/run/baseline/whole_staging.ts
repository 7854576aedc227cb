import type { Checksums } from "../segments.ts";
import type { Baseline } from "./baseline.ts";
import { HashList } from "./hash_list.ts";

/** Words that are held in memory before they are set aside: 8 MiB. */
const MOST_WORDS = 1 << 20;

/** Sets a whole table's rows aside, which come in any order. */
export class WholeStaging {
  readonly #baseline: Baseline;
  readonly #checksums: Checksums = new Map();
  #lists = new Map<number, HashList>();
  #words = 0;

  /** @param baseline has begun */
  constructor(baseline: Baseline) {
    this.#baseline = baseline;
  }

  add(bucket: number, keyHash: bigint, hash: bigint): void {
    let list = this.#lists.get(bucket);
    if (list === undefined) this.#lists.set(bucket, list = new HashList());
    list.add(keyHash, hash);
    this.#words += 2;
    if (this.#words >= MOST_WORDS) this.#flush();
  }

  /** Ends it. @returns the checksums of the segments that have rows */
  finish(): Checksums {
    this.#flush();
    return this.#checksums;
  }

  #flush(): void {
    for (const [bucket, list] of this.#lists) this.#checksums.set(bucket, this.#baseline.stageMore(bucket, list));
    this.#lists = new Map();
    this.#words = 0;
  }
}

import type { Chunking } from "./access.ts";
import { gearTable } from "./gear_table.ts";

/** Cuts one run of bytes after the other into chunks whose ends depend on content alone: FORMAT.md section 6. */
export class Chunker {
  readonly #minimum: number;
  readonly #average: number;
  readonly #maximum: number;
  readonly #strictMask: number;
  readonly #laxMask: number;
  readonly #gear: Uint32Array;
  /** Of the chunk under way: how much of it was looked at, and its hash until there. */
  #seen = 0;
  #hash = 0;

  constructor(chunking: Chunking, gearSeed: Uint8Array) {
    const bits = Math.log2(chunking.average);
    this.#minimum = chunking.minimum;
    this.#average = chunking.average;
    this.#maximum = chunking.maximum;
    this.#strictMask = (-1 << (32 - bits - chunking.normalization)) | 0;
    this.#laxMask = (-1 << (32 - bits + chunking.normalization)) | 0;
    this.#gear = gearTable(gearSeed);
  }

  /**
   * The length of the chunk that begins at `bytes[start]`, or 0 where `bytes[start, end)` does not have its end: the next call
   * must then begin with the same byte and have more of them. `final` says that the run ends at `end`.
   */
  next(bytes: Uint8Array, start: number, end: number, final: boolean): number {
    const available = Math.min(end - start, this.#maximum);
    let at = Math.max(this.#seen, this.#minimum);
    let hash = this.#hash;
    const gear = this.#gear;
    for (; at < available; at++) {
      hash = (hash << 1) + gear[bytes[start + at]] | 0;
      if ((hash & (at < this.#average ? this.#strictMask : this.#laxMask)) === 0) return this.#end(at + 1);
    }
    if (available === this.#maximum || final) return this.#end(available);
    this.#seen = Math.max(this.#seen, available);
    this.#hash = hash;
    return 0;
  }

  #end(length: number): number {
    this.#seen = 0;
    this.#hash = 0;
    return length;
  }
}

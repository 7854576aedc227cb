import type { Chunking } from "../repository/access.ts";
import { GearScan } from "./gear_scan.ts";
import { gearTable } from "./gear_table.ts";

/** Cuts runs of bytes, one after the other, into chunks whose ends depend on content alone: FORMAT.md section 6. */
export class Chunker {
  readonly #minimum: number;
  readonly #average: number;
  readonly #maximum: number;
  readonly #strictMask: number;
  readonly #laxMask: number;
  /** Holds the hash of the chunk under way. */
  readonly #scan: GearScan;
  /** How much of the chunk under way was looked at, in bytes. */
  #seen = 0;

  constructor(chunking: Chunking, gearSeed: Uint8Array) {
    const bits = Math.log2(chunking.average);
    this.#minimum = chunking.minimum;
    this.#average = chunking.average;
    this.#maximum = chunking.maximum;
    this.#strictMask = -1 << (32 - bits - chunking.normalization);
    this.#laxMask = -1 << (32 - bits + chunking.normalization);
    this.#scan = new GearScan(gearTable(gearSeed));
  }

  /**
   * The length of the chunk that begins at `bytes[start]`, or 0 where `bytes[start, end)` does not hold all of it: the next call
   * must then begin with the same byte, wherever it lies by then, and have more after it. No byte is looked at twice.
   * `final` says that the run ends at `end`; 0 then means that it was empty.
   */
  next(bytes: Uint8Array, start: number, end: number, final: boolean): number {
    const available = Math.min(end - start, this.#maximum);
    const from = Math.max(this.#seen, this.#minimum);
    let cut = 0;
    if (from < this.#average) {
      cut = this.#find(bytes, start, from, Math.min(this.#average, available), this.#strictMask);
    }
    if (cut === 0) cut = this.#find(bytes, start, Math.max(from, this.#average), available, this.#laxMask);
    if (cut === 0 && (available === this.#maximum || final)) cut = available;
    this.#seen = cut === 0 ? Math.max(this.#seen, available) : 0;
    if (cut !== 0) this.#scan.hash = 0;
    return cut;
  }

  #find(bytes: Uint8Array, start: number, from: number, to: number, mask: number): number {
    if (from >= to) return 0;
    const cut = this.#scan.find(bytes, start + from, start + to, mask);
    return cut === 0 ? 0 : cut - start;
  }
}

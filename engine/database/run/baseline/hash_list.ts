import { DamagedFile } from "../../../sqlite_damage.ts";

/** 64-bit words that grow at the end, as bytes of a file: little-endian, as every processor that this runs on has them. */
export class HashList {
  #words: BigUint64Array<ArrayBuffer>;
  #length = 0;

  /** @param pairs how many are expected */
  constructor(pairs = 32) {
    this.#words = new BigUint64Array(Math.max(2, 2 * pairs));
  }

  get length(): number {
    return this.#length;
  }

  add(first: bigint, second: bigint): void {
    if (this.#length + 2 > this.#words.length) {
      const grown = new BigUint64Array(this.#words.length * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words[this.#length] = first;
    this.#words[this.#length + 1] = second;
    this.#length += 2;
  }

  /** Adds pairs of words. */
  addAll(words: BigUint64Array): void {
    const length = this.#length + words.length;
    if (length > this.#words.length) {
      const grown = new BigUint64Array(Math.max(length, this.#words.length * 2));
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words.set(words, this.#length);
    this.#length = length;
  }

  /** The sum of the second words of all pairs, modulo 2^64. */
  sum(): bigint {
    // By halves, whose sums are exact as numbers: it is much faster than with big integers.
    const halves = new Uint32Array(this.#words.buffer, 0, this.#length * 2);
    let low = 0;
    let high = 0;
    for (let at = 2; at < halves.length; at += 4) {
      low += halves[at];
      high += halves[at + 1];
    }
    return BigInt.asUintN(64, (BigInt(high) << 32n) + BigInt(low));
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer, 0, this.#length * 8);
  }
}

/** The words of a {@link HashList} that was stored. @throws DamagedFile */
export function wordsOf(bytes: Uint8Array): BigUint64Array {
  if (bytes.length % 16 !== 0) throw new DamagedFile(`A segment has ${bytes.length} bytes`);
  return new BigUint64Array(bytes.slice().buffer);
}

/** Bits by number, in memory that threads share. */
export class Bitmap {
  readonly #words: Uint32Array;

  constructor(readonly data: SharedArrayBuffer) {
    this.#words = new Uint32Array(data);
  }

  static create(size: number): Bitmap {
    return new Bitmap(new SharedArrayBuffer(4 * Math.ceil(size / 32)));
  }

  has(number: number): boolean {
    return (Atomics.load(this.#words, number >>> 5) & (1 << (number & 31))) !== 0;
  }

  /** Sets a bit; whether it was not set before, which only one of many callers is told. */
  add(number: number): boolean {
    const bit = 1 << (number & 31);
    return (Atomics.or(this.#words, number >>> 5, bit) & bit) === 0;
  }

  get isEmpty(): boolean {
    return this.#words.every((word) => word === 0);
  }
}

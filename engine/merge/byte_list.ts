/** Bytes that are put together piece by piece. */
export class ByteList {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** @param capacity about as many as there will be */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  add(piece: Uint8Array): this {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, this.#bytes.length + (this.#bytes.length >> 1)));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
    return this;
  }

  /** A view; good until the next `add`. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** A list of whole numbers that takes four bytes for each: there may be tens of millions. */
export class IntList {
  #numbers = new Int32Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(...numbers: number[]): void {
    if (this.#length + numbers.length > this.#numbers.length) {
      const larger = new Int32Array(this.#numbers.length * 2 + numbers.length);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    for (const number of numbers) this.#numbers[this.#length++] = number;
  }

  /** A view; good until the next `push`. */
  toArray(): Int32Array {
    return this.#numbers.subarray(0, this.#length);
  }
}

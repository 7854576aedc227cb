import { compareValues } from "./compare_values.ts";
import type { Form } from "./types.ts";

/** Finds the bucket of a key's value under the scheme `range`. */
export class RangeBuckets {
  readonly #form: Form;
  readonly #boundaries: string[];
  /** The boundaries as numbers, where they are whole numbers that doubles hold: rounding moves no value over one of these. */
  readonly #numbers: Float64Array | undefined;
  /** Where the last value was: mostly the next one is there too. */
  #last = 0;

  constructor(form: Form, boundaries: string[]) {
    this.#form = form;
    this.#boundaries = boundaries;
    const areSafe = form === "integer" && boundaries.every((boundary) => Number.isSafeInteger(Number(boundary)));
    this.#numbers = areSafe ? Float64Array.from(boundaries, Number) : undefined;
  }

  find(value: string): number {
    return this.#last = this.#numbers === undefined
      ? this.#search((at) => compareValues(this.#form, this.#boundaries[at], value) <= 0)
      : this.#findNumber(this.#numbers, Number(value));
  }

  /** The same for a value of the form `integer`. */
  findInteger(value: bigint): number {
    if (this.#numbers === undefined) return this.find(String(value));
    return this.#last = this.#findNumber(this.#numbers, Number(value));
  }

  #findNumber(boundaries: Float64Array, value: number): number {
    const last = this.#last;
    const isThere = (last === 0 || boundaries[last - 1] <= value) &&
      (last === boundaries.length || value < boundaries[last]);
    return isThere ? last : this.#search((at) => boundaries[at] <= value);
  }

  /** How many boundaries are not above the value. */
  #search(isBelow: (at: number) => boolean): number {
    let [low, high] = [0, this.#boundaries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBelow(middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

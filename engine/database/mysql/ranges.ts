/** The buckets of the scheme `range`: conditions of SQL, and the same here. */
import type { Column, Form, TableSide } from "../types.ts";
import { comparedLiteral } from "./literal.ts";
import { quoteName } from "./quote.ts";

/** A boundary, or on which side of everything that the column can hold it lies. */
type Boundary = { literal: string; order: bigint | string } | "below" | "above";

export class Ranges {
  readonly #key: string;
  readonly #areNumbers: boolean;
  readonly #boundaries: Boundary[];
  readonly #orders: (bigint | string)[];
  readonly #orderOf: (value: string) => bigint | string;
  /** Boundaries below everything. */
  readonly #below: number;

  constructor(side: TableSide, boundaries: string[]) {
    const [at] = side.key;
    const [column, form] = [side.columns[at], side.forms[at]];
    // A year is compared as a number only where it is made one.
    this.#key = column.type.startsWith("year") ? `(${quoteName(column.name)} + 0)` : quoteName(column.name);
    this.#areNumbers = form === "integer";
    this.#orderOf = form === "integer" ? BigInt : (value) => value;
    this.#boundaries = boundaries.map((boundary) => this.#place(column, form, boundary));
    this.#orders = this.#boundaries.flatMap((boundary) => typeof boundary === "string" ? [] : [boundary.order]);
    this.#below = this.#boundaries.filter((boundary) => boundary === "below").length;
  }

  /** Whether the key is a whole number. */
  get areNumbers(): boolean {
    return this.#areNumbers;
  }

  /** As many as there are buckets. */
  get count(): number {
    return this.#boundaries.length + 1;
  }

  /** The condition that a row is in one of the buckets from `first` to `last`; undefined where no row is. */
  condition(first: number, last: number): string | undefined {
    const from = first === 0 ? "below" : this.#boundaries[first - 1];
    const to = last === this.#boundaries.length ? "above" : this.#boundaries[last];
    if (from === "above" || to === "below") return undefined;
    const parts: string[] = [];
    if (from !== "below") parts.push(`${this.#key} >= ${from.literal}`);
    if (to !== "above") parts.push(`${this.#key} < ${to.literal}`);
    return parts.length === 0 ? "TRUE" : parts.join(" AND ");
  }

  /** Which of the buckets from `first` on, where they go up to `last`, as a number from 0. Of whole numbers. */
  interval(first: number, last: number): string {
    if (first === last) return "0";
    const orders = this.#orders.slice(first, last);
    // Whole numbers are compared as decimals. Doubles cost less, and rounding moves no key over such a boundary.
    const areDoubles = orders.every((order) => Number.isSafeInteger(Number(order)));
    return `INTERVAL(${[areDoubles ? `${this.#key} + 0e0` : this.#key, ...orders].join(", ")})`;
  }

  /** The same of several buckets. */
  conditions(buckets: number[]): string | undefined {
    const sorted = [...new Set(buckets)].filter((bucket) => bucket < this.count).sort((a, b) => a - b);
    const conditions: string[] = [];
    for (let at = 0; at < sorted.length;) {
      const first = sorted[at];
      while (sorted[at + 1] === sorted[at] + 1) at++;
      const condition = this.condition(first, sorted[at++]);
      if (condition !== undefined) conditions.push(`(${condition})`);
    }
    return conditions.length === 0 ? undefined : conditions.join(" OR ");
  }

  /** The bucket of a value of the key. */
  bucket(value: string): number {
    const order = this.#orderOf(value);
    let [low, high] = [0, this.#orders.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#orders[middle] <= order) low = middle + 1;
      else high = middle;
    }
    return this.#below + low;
  }

  #place(column: Column, form: Form, boundary: string): Boundary {
    if (form !== "integer" && (!/^\d{4}-/.test(boundary) || boundary.endsWith(" BC"))) {
      return boundary.startsWith("-") || boundary.endsWith(" BC") ? "below" : "above";
    }
    return { literal: comparedLiteral(column, form, boundary), order: this.#orderOf(boundary) };
  }
}

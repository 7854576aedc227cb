import { DatabaseError } from "../error.ts";
import type { ForeignKey, Row, TableSide } from "../types.ts";
import { withPlace } from "./error.ts";
import { joinKeys, MOST_KEYS } from "./keyed.ts";
import { quoteName } from "./quote.ts";
import { sideSql } from "./side_sql.ts";
import { atomically, IS_REFERRED_TO, isNumber, refersToItself, type Writing } from "./writing.ts";

/** As {@link Writer.delete}. */
export async function deleteRows(writing: Writing, side: TableSide, keys: Row[]): Promise<void> {
  const deletion = new Deletion(writing, side, keys);
  try {
    await atomically(writing, side, () => deletion.all());
  } catch (error) {
    if (!isNumber(error, IS_REFERRED_TO) || !refersToItself(side)) throw error;
    await atomically(writing, side, () => deletion.fromTheLeaves(error));
  }
}

class Deletion {
  readonly #writing: Writing;
  readonly #side: TableSide;
  readonly #keys: Row[];

  constructor(writing: Writing, side: TableSide, keys: Row[]) {
    this.#writing = writing;
    this.#side = side;
    this.#keys = keys;
  }

  async all(): Promise<void> {
    for (const numbers of this.#pieces()) await this.#execute(numbers);
  }

  /** Where rows refer to each other: those to which none refers go first, then those to which none refers any more, and so on. */
  async fromTheLeaves(error: unknown): Promise<void> {
    const own = this.#side.table.foreignKeys.filter((key) => key.table === this.#side.table.id);
    const children = own.map((key, n) => this.#childOf(key, `\`#child${n}\``));
    const condition = `${children.map(({ join }) => join).join(" ")} WHERE ${
      children.map(({ none }) => none).join(" AND ")
    }`;
    let left = this.#keys.length;
    while (left > 0) {
      let deleted = 0;
      for (const numbers of this.#pieces()) {
        deleted += (await this.#writing.session.run(this.#sql(numbers, condition))).affectedRows;
      }
      if (deleted === 0) break;
      left -= deleted;
    }
    // Others refer to what is left, or it has gone with the rows that it referred to.
    await this.all().catch(() => {
      throw error;
    });
  }

  *#pieces(): Generator<number[]> {
    for (let at = 0; at < this.#keys.length; at += MOST_KEYS) {
      yield Array.from({ length: Math.min(MOST_KEYS, this.#keys.length - at) }, (_, i) => at + i);
    }
  }

  async #execute(numbers: number[]): Promise<void> {
    try {
      await this.#writing.session.run(this.#sql(numbers, ""));
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.place.aborts === true) throw error;
      if (numbers.length === 1) throw withPlace(error, { row: numbers[0] });
      // A statement does all or nothing; its halves show which row it was.
      const middle = numbers.length >> 1;
      await this.#execute(numbers.slice(0, middle));
      await this.#execute(numbers.slice(middle));
    }
  }

  #sql(numbers: number[], condition: string): string {
    return `DELETE ${sideSql(this.#side).table} FROM ${joinKeys(this.#side, this.#keys, numbers)} ${condition}`;
  }

  /** Another row that refers to one, and that there is none. */
  #childOf(key: ForeignKey, child: string): { join: string; none: string } {
    const { table } = sideSql(this.#side);
    const refers = key.columns.map((name, i) => {
      return `${child}.${quoteName(name)} = ${table}.${quoteName(key.referenced[i])}`;
    });
    const names = this.#side.key.map((at) => quoteName(this.#side.columns[at].name));
    const same = names.map((name) => `${child}.${name} = ${table}.${name}`);
    const on = `${refers.join(" AND ")} AND NOT (${same.join(" AND ")})`;
    return { join: `LEFT JOIN ${table} ${child} ON ${on}`, none: `${child}.${names[0]} IS NULL` };
  }
}

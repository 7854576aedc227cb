import type { RowUpdate } from "../dialect.ts";
import { DatabaseError } from "../error.ts";
import type { TableSide } from "../types.ts";
import { extra, joinKeys, MOST_KEYS } from "./keyed.ts";
import { storedLiteral } from "./literal.ts";
import { quoteName } from "./quote.ts";
import { sideSql } from "./side_sql.ts";
import type { TableFacts } from "./table_facts.ts";
import { atomically, checkValues, withRow, writeStrictly, type Writing } from "./writing.ts";

const STATEMENT_CHARACTERS = 1 << 20;

/** As {@link Writer.update}. */
export async function updateRows(
  writing: Writing,
  side: TableSide,
  facts: TableFacts,
  updates: RowUpdate[],
): Promise<void> {
  for (const [number, { row, changed }] of updates.entries()) checkValues(side, row, changed, number);
  const update = new Update(writing, side, facts, updates);
  try {
    await atomically(writing, side, () => update.run());
  } catch (error) {
    const free = error instanceof DatabaseError && error.kind === "unique" ? freeable(side, updates) : [];
    if (free.length === 0 || updates.length === 1) throw error;
    // Rows that give each other their unique values: all let go of them first.
    await atomically(writing, side, async () => {
      await update.release(free);
      await update.run();
    });
  }
}

/** Changed columns of unique keys that may be NULL for a moment. */
function freeable(side: TableSide, updates: RowUpdate[]): number[] {
  const changed = new Set(updates.flatMap((update) => update.changed));
  const unique = new Set(side.table.unique.flat());
  return side.columns.flatMap(({ name, nullable }, at) => nullable && unique.has(name) && changed.has(at) ? [at] : []);
}

class Update {
  readonly #writing: Writing;
  readonly #side: TableSide;
  readonly #facts: TableFacts;
  readonly #updates: RowUpdate[];
  readonly #keys: RowUpdate["key"][];

  constructor(writing: Writing, side: TableSide, facts: TableFacts, updates: RowUpdate[]) {
    this.#writing = writing;
    this.#side = side;
    this.#facts = facts;
    this.#updates = updates;
    this.#keys = updates.map(({ key }) => key);
  }

  /** One statement or more for each set of changed columns. */
  async run(): Promise<void> {
    const groups = new Map<string, { changed: number[]; numbers: number[] }>();
    for (const [number, { changed }] of this.#updates.entries()) {
      const name = changed.join();
      const group = groups.get(name);
      if (group !== undefined) group.numbers.push(number);
      else if (changed.length > 0) groups.set(name, { changed, numbers: [number] });
    }
    for (const { changed, numbers } of groups.values()) {
      // Long values straight from column to column would be cut without a word.
      await this.#write(numbers, changed, changed.map((at, n) => `${this.#name(at)} = CONCAT(${extra(n)})`));
    }
  }

  /** Sets columns to NULL, in the rows that are to have another value there. */
  async release(free: number[]): Promise<void> {
    for (const at of free) {
      const moving = [...this.#updates.keys()].filter((number) => this.#updates[number].changed.includes(at));
      await this.#write(moving, [], [`${this.#name(at)} = NULL`]);
    }
  }

  async #write(numbers: number[], carried: number[], settings: string[]): Promise<void> {
    let first = 0;
    let length = 0;
    for (const [i, number] of numbers.entries()) {
      for (const at of carried) length += this.#updates[number].row[at]?.length ?? 0;
      const isFull = length > STATEMENT_CHARACTERS || i - first + 1 >= MOST_KEYS;
      if (!isFull && i < numbers.length - 1) continue;
      await this.#execute(numbers.slice(first, i + 1), carried, settings);
      [first, length] = [i + 1, 0];
    }
  }

  async #execute(numbers: number[], carried: number[], settings: string[]): Promise<void> {
    const { columns, forms } = this.#side;
    const more = (number: number) => {
      const { row } = this.#updates[number];
      return carried.map((at) => storedLiteral(columns[at], forms[at], row[at]));
    };
    const kept = this.#facts.setByUpdates.filter((name) => !carried.some((at) => columns[at].name === name))
      .map((name) => `${this.#qualified(name)} = ${this.#qualified(name)}`);
    const from = joinKeys(this.#side, this.#keys, numbers, more);
    try {
      const { info } = await writeStrictly(
        this.#writing,
        `UPDATE ${from} SET ${[...settings, ...kept].join(", ")}`,
      );
      this.#checkMatched(info, numbers.length);
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.place.aborts === true) throw error;
      if (numbers.length === 1) throw withRow(error, this.#side, this.#updates[numbers[0]].row, numbers[0]);
      // A statement does all or nothing; its halves show which row it was.
      const middle = numbers.length >> 1;
      await this.#execute(numbers.slice(0, middle), carried, settings);
      await this.#execute(numbers.slice(middle), carried, settings);
    }
  }

  #checkMatched(info: string, expected: number): void {
    const matched = Number(/Rows matched: (\d+)/.exec(info)?.[1]);
    if (matched === expected) return;
    throw new DatabaseError("other", `${matched} rows took an update that was for ${expected}`);
  }

  #name(at: number): string {
    return this.#qualified(this.#side.columns[at].name);
  }

  #qualified(name: string): string {
    return `${sideSql(this.#side).table}.${quoteName(name)}`;
  }
}

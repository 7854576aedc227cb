import { DatabaseError } from "../error.ts";
import type { Row, TableSide } from "../types.ts";
import { storedLiteral } from "./literal.ts";
import { loadRows } from "./load_data.ts";
import { orphans } from "./orphans.ts";
import { quoteName } from "./quote.ts";
import { readKeyed } from "./read_rows.ts";
import { sideSql } from "./side_sql.ts";
import {
  atomically,
  checkValues,
  fitsOf,
  isNumber,
  REFERS_TO_NONE,
  refersToItself,
  unchecked,
  withRow,
  writeStrictly,
  type Writing,
} from "./writing.ts";

const STATEMENT_CHARACTERS = 1 << 20;
/** Below it the way over a file is not faster. */
const FEW = 100;

/** As {@link Writer.insert}. */
export async function insertRows(writing: Writing, side: TableSide, rows: Row[]): Promise<number[]> {
  const checked = fitsOf(side).flatMap((fit, at) => fit === undefined && side.columns[at].nullable ? [] : [at]);
  for (const [number, row] of rows.entries()) checkValues(side, row, checked, number);
  const isLoaded = writing.server.localInfile && rows.length >= FEW && !writing.notLoaded.has(side.table.id);
  if (isLoaded && await isClean(writing, side, rows)) return [];
  const there = await atomically(writing, side, () => new Insertion(writing, side, rows).run([...rows.keys()]));
  // Nothing is wrong with the rows, so it is the way.
  if (isLoaded && there.length === 0) writing.notLoaded.add(side.table.id);
  return there;
}

/** Loads the rows, where there is nothing whatever against it. What there is, the other way finds out. */
async function isClean(writing: Writing, side: TableSide, rows: Row[]): Promise<boolean> {
  try {
    await atomically(writing, side, () => loadRows(writing, side, rows));
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.place.aborts !== true) return false;
    throw error;
  }
}

class Insertion {
  readonly #writing: Writing;
  readonly #side: TableSide;
  readonly #rows: Row[];
  readonly #head: string;

  constructor(writing: Writing, side: TableSide, rows: Row[]) {
    this.#writing = writing;
    this.#side = side;
    this.#rows = rows;
    const names = side.columns.map(({ name }) => quoteName(name)).join(", ");
    this.#head = `INSERT INTO ${sideSql(side).table} (${names}) VALUES `;
  }

  async run(numbers: number[]): Promise<number[]> {
    if (!refersToItself(this.#side)) return await this.#insert(numbers);
    try {
      return await atomically(this.#writing, this.#side, () => this.#insert(numbers));
    } catch (error) {
      if (!isNumber(error, REFERS_TO_NONE)) throw error;
      const there = await unchecked(this.#writing, () => this.#insert(numbers));
      await orphans(this.#writing, this.#side, this.#rows, new Set(there));
      return there;
    }
  }

  /** Inserts rows in as few statements as they fit into, and gives those whose key was there. */
  async #insert(numbers: number[]): Promise<number[]> {
    const there: number[] = [];
    let statement: string[] = [];
    let first = 0;
    let length = 0;
    for (const [i, number] of numbers.entries()) {
      const tuple = this.#tuple(this.#rows[number]);
      statement.push(tuple);
      length += tuple.length;
      if (length < STATEMENT_CHARACTERS && i < numbers.length - 1) continue;
      there.push(...await this.#execute(numbers.slice(first, i + 1), statement));
      [statement, first, length] = [[], i + 1, 0];
    }
    return there;
  }

  #tuple(row: Row): string {
    const { columns, forms } = this.#side;
    return `(${row.map((value, at) => storedLiteral(columns[at], forms[at], value)).join(",")})`;
  }

  async #execute(numbers: number[], tuples: string[]): Promise<number[]> {
    try {
      await writeStrictly(this.#writing, this.#head + tuples.join(","));
      return [];
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.place.aborts === true) throw error;
      if (error.kind === "unique" && this.#side.key.length > 0) {
        const there = await this.#there(numbers);
        if (there.length > 0) {
          const known = new Set(there);
          return [...there, ...await this.#insert(numbers.filter((number) => !known.has(number)))];
        }
      }
      if (numbers.length === 1) throw withRow(error, this.#side, this.#rows[numbers[0]], numbers[0]);
      // A statement does all or nothing; its halves show which row it was.
      const middle = numbers.length >> 1;
      const there = await this.#insert(numbers.slice(0, middle));
      return [...there, ...await this.#insert(numbers.slice(middle))];
    }
  }

  /** Those of the rows whose key the table has, or an earlier row of them has. */
  async #there(numbers: number[]): Promise<number[]> {
    const { key } = this.#side;
    const keys = numbers.map((number) => key.map((at) => this.#rows[number][at]));
    const found = await readKeyed(this.#writing.session, this.#side, keys, "LOCK IN SHARE MODE");
    const seen = new Set<string>();
    return numbers.filter((_, i) => {
      const name = JSON.stringify(keys[i]);
      if (found[i] !== undefined || seen.has(name)) return true;
      seen.add(name);
      return false;
    });
  }
}

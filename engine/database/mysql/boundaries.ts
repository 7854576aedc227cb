import type { Form, TableSide } from "../types.ts";
import { comparedLiteral } from "./literal.ts";
import { quoteName } from "./quote.ts";
import type { Session } from "./session.ts";
import { sideSql, whereAlso } from "./side_sql.ts";

/** Forms that a server orders as their texts' values are; MariaDB orders UUIDs in ways of its own. */
const ORDERED: ReadonlySet<Form> = new Set(["integer", "date", "timestamp"]);
/** Segments of one step along the index. */
const SEGMENTS_A_STEP = 32n;
/** A segment of whole numbers that is cut by value may be wider than its rows by so much. */
const SPARSEST = 4n;

/** The keys that cut a table into segments, by steps along the index of the key. */
export async function findBoundaries(session: Session, side: TableSide, rowsPerSegment: number): Promise<string[]> {
  const [at] = side.key;
  if (side.key.length !== 1 || !ORDERED.has(side.forms[at]) || side.columns[at].type.startsWith("year")) return [];
  const index = new KeyIndex(session, side);
  const boundaries: string[] = [];
  const size = BigInt(rowsPerSegment);
  let from: string | undefined;
  while (true) {
    const next = await index.after(from, size * SEGMENTS_A_STEP);
    const cut = side.forms[at] === "integer" ? cutEvenly(from, next, size) : undefined;
    boundaries.push(...cut ?? await index.every(from, next, rowsPerSegment));
    if (next === undefined) return boundaries;
    boundaries.push(next);
    from = next;
  }
}

/**
 * Cuts between two whole numbers that have a step's rows between them: as no two are alike, no segment has more rows than it is wide.
 * Undefined where the numbers are too sparse for that.
 */
function cutEvenly(from: string | undefined, to: string | undefined, size: bigint): string[] | undefined {
  if (from === undefined || to === undefined) return undefined;
  const width = BigInt(to) - BigInt(from);
  if (width > size * SEGMENTS_A_STEP * SPARSEST) return undefined;
  const cuts: string[] = [];
  for (let n = 1n; n < SEGMENTS_A_STEP; n++) cuts.push(String(BigInt(from) + width * n / SEGMENTS_A_STEP));
  return cuts;
}

class KeyIndex {
  readonly #session: Session;
  readonly #side: TableSide;
  readonly #at: number;
  readonly #name: string;

  constructor(session: Session, side: TableSide) {
    this.#session = session;
    this.#side = side;
    this.#at = side.key[0];
    this.#name = quoteName(side.columns[this.#at].name);
  }

  /** The key that `count` rows after a key has. */
  async after(from: string | undefined, count: bigint): Promise<string | undefined> {
    const order = `ORDER BY ${this.#name} LIMIT ${count}, 1`;
    return (await this.#keys(`${this.#source()} ${this.#between(from, undefined)} ${order}`))[0];
  }

  /** Of the keys between two, each nth. */
  async every(from: string | undefined, to: string | undefined, n: number): Promise<string[]> {
    const numbered = `SELECT ${this.#name}, ROW_NUMBER() OVER (ORDER BY ${this.#name}) AS \`#row\` FROM`;
    const rows = `(${numbered} ${this.#source()} ${this.#between(from, to)}) AS \`#rows\``;
    return await this.#keys(`${rows} WHERE \`#row\` > 1 AND \`#row\` % ${n} = ${1 % n} ORDER BY ${this.#name}`);
  }

  #source(): string {
    return sideSql(this.#side).table;
  }

  #between(from: string | undefined, to: string | undefined): string {
    const literal = (key: string) => comparedLiteral(this.#side.columns[this.#at], this.#side.forms[this.#at], key);
    const conditions = [
      ...from === undefined ? [] : [`${this.#name} >= ${literal(from)}`],
      ...to === undefined ? [] : [`${this.#name} < ${literal(to)}`],
    ];
    return whereAlso(this.#side, conditions.join(" AND ") || "TRUE");
  }

  async #keys(from: string): Promise<string[]> {
    const { select, read } = sideSql(this.#side);
    const rows = await this.#session.rows(`SELECT ${select([this.#at])} FROM ${from}`);
    return rows.map((row) => read(row, [this.#at])[0]!);
  }
}

/** The keys and hashes of a snapshot's rows. */
import { hashBucket, keyBucket, rowHash } from "../row_text.ts";
import type { Bucketing, HashedRow, HashMethod, Row, TableSide } from "../types.ts";
import { bucketDigits, rowHashSql } from "./hash_sql.ts";
import type { Lanes } from "./lanes.ts";
import { isPageable, pages } from "./pages.ts";
import { Ranges } from "./ranges.ts";
import { readKeyed } from "./read_rows.ts";
import { render } from "./render.ts";
import { sideSql, whereAlso } from "./side_sql.ts";

const RANGES_A_QUERY = 200;
const BATCH_ROWS = 4096;

/** As {@link Snapshot.hashes}. */
export async function* hashedRows(
  lanes: Lanes,
  side: TableSide,
  method: HashMethod,
  bucketing: Bucketing,
  buckets: number[] | undefined,
): AsyncGenerator<HashedRow[]> {
  const reading = new HashReading(lanes, side, method, bucketing);
  const wanted = buckets === undefined ? undefined : new Set(buckets);
  for (const condition of reading.conditions(buckets)) {
    for await (const rows of reading.rows(condition)) {
      const hashed = await reading.hash(rows);
      const kept = wanted === undefined ? hashed : hashed.filter(({ bucket }) => wanted.has(bucket));
      if (kept.length > 0) yield kept;
    }
  }
}

/** Whether a row's text may be longer than a server's limit for texts. */
export function mayBeLong(side: TableSide): boolean {
  return side.columns.some(({ logical }) => {
    return logical.kind === "json" || logical.kind === "native" ||
      (logical.kind === "text" || logical.kind === "bytes") && logical.length === null;
  });
}

class HashReading {
  readonly #lanes: Lanes;
  readonly #side: TableSide;
  readonly #bucketing: Bucketing;
  /** Whether the hash comes from the server. */
  readonly #isServers: boolean;
  readonly #ranges: Ranges | undefined;

  constructor(lanes: Lanes, side: TableSide, method: HashMethod, bucketing: Bucketing) {
    this.#lanes = lanes;
    this.#side = side;
    this.#bucketing = bucketing;
    // A row that the server cannot hash is read by its key; where there is none, all are hashed here.
    this.#isServers = method === "md5" && (side.key.length > 0 || !mayBeLong(side));
    this.#ranges = bucketing.scheme === "range" ? new Ranges(side, bucketing.boundaries) : undefined;
  }

  /** Conditions for the rows of these buckets, one after the other; undefined for no condition. */
  conditions(buckets: number[] | undefined): (string | undefined)[] {
    if (buckets === undefined) return [undefined];
    if (buckets.length === 0) return [];
    if (this.#ranges !== undefined) {
      const conditions: (string | undefined)[] = [];
      const sorted = [...buckets].sort((a, b) => a - b);
      for (let at = 0; at < sorted.length; at += RANGES_A_QUERY) {
        conditions.push(this.#ranges.conditions(sorted.slice(at, at + RANGES_A_QUERY)));
      }
      return conditions.filter((condition) => condition !== undefined);
    }
    const { columns, forms, key } = this.#side;
    const hashed = this.#bucketing.scheme === "hash" ? key : [...columns.keys()];
    const digits = bucketDigits(this.#side, this.#bucketing);
    const isServers = digits !== undefined && hashed.every((at) => render(columns[at], forms[at]).inSql);
    return [isServers ? `${digits.sql} IN (${digits.digitsOf(buckets)})` : undefined];
  }

  rows(condition: string | undefined): AsyncIterable<Row[]> {
    const side = this.#side;
    const { table, select, where } = sideSql(side);
    const columns = this.#isServers
      ? [...side.key.length === 0 ? [] : [select(side.key)], `${rowHashSql(side)} AS \`#hash\``].join(", ")
      : select();
    const query = `SELECT ${columns} FROM ${table}`;
    const keyAt = this.#isServers ? [...side.key.keys()] : side.key;
    const read = (row: Row) => this.#read(row);
    if (isPageable(side)) return pages({ side, select: query, condition, keyAt, read }, BATCH_ROWS, this.#lanes.lend);
    const sql = `${query} ${condition === undefined ? where : whereAlso(side, condition)}`;
    return this.#lanes.stream(async function* (session) {
      for await (const rows of session.stream(sql, BATCH_ROWS)) yield rows.map(read);
    });
  }

  async hash(rows: Row[]): Promise<HashedRow[]> {
    const { key } = this.#side;
    if (!this.#isServers) {
      return rows.map((row) => this.#hashed(key.map((at) => row[at]), rowHash(this.#side, row)));
    }
    const hashes = rows.map((row) => row[key.length]);
    const long = rows.filter((_, i) => hashes[i] === null).map((row) => row.slice(0, key.length));
    const read = long.length === 0 ? [] : await this.#lanes.lend((session) => readKeyed(session, this.#side, long));
    return rows.map((row, i) => {
      const digits = hashes[i];
      const hash = digits === null ? rowHash(this.#side, read.shift()!) : BigInt(`0x${digits}`);
      row.length = key.length;
      return this.#hashed(row, hash);
    });
  }

  #read(row: Row): Row {
    return sideSql(this.#side).read(row, this.#isServers ? this.#side.key : undefined);
  }

  #hashed(key: Row, hash: bigint): HashedRow {
    const bucketing = this.#bucketing;
    const bucket = this.#ranges !== undefined
      ? this.#ranges.bucket(key[0]!)
      : bucketing.scheme === "hash"
      ? keyBucket(this.#side, key, bucketing.buckets)
      : bucketing.scheme === "row"
      ? hashBucket(hash, bucketing.buckets)
      : 0;
    return { bucket, key, hash };
  }
}

import type { Snapshot } from "../dialect.ts";
import { rowHash } from "../row_text.ts";
import type { Bucketing, Checksum, HashedRow, HashMethod, Row, TableSide } from "../types.ts";
import { findBoundaries } from "./boundaries.ts";
import { serverChecksums, Sums } from "./checksums.ts";
import { rowHashSql } from "./hash_sql.ts";
import { hashedRows } from "./hashed_rows.ts";
import { MOST_KEYS } from "./keyed.ts";
import { Lanes } from "./lanes.ts";
import { isPageable, pages } from "./pages.ts";
import { readKeyed } from "./read_rows.ts";
import type { Session } from "./session.ts";
import { sideSql, whereAlso } from "./side_sql.ts";

const PAGE_ROWS = 4096;
const MOST_HASHES = 2000;

/** A snapshot over connections whose transactions see the same. */
export class MySqlSnapshot implements Snapshot {
  readonly #lanes: Lanes;

  constructor(sessions: Session[]) {
    this.#lanes = new Lanes(sessions);
  }

  async count(side: TableSide): Promise<number> {
    const { table, where } = sideSql(side);
    const [[count]] = await this.#lanes.lend((session) => session.rows(`SELECT COUNT(*) FROM ${table} ${where}`));
    return Number(count);
  }

  boundaries(side: TableSide, rowsPerSegment: number): Promise<string[]> {
    return this.#lanes.lend((session) => findBoundaries(session, side, rowsPerSegment));
  }

  async checksums(side: TableSide, method: HashMethod, bucketing: Bucketing): Promise<Checksum[]> {
    checkMethod(method);
    const computed = method === "md5" ? await serverChecksums(this.#lanes, side, bucketing) : undefined;
    if (computed !== undefined) return computed;
    const sums = new Sums();
    for await (const rows of hashedRows(this.#lanes, side, "client", bucketing, undefined)) {
      for (const { bucket, hash } of rows) sums.add(bucket, 1, hash);
    }
    return sums.all();
  }

  hashes(
    side: TableSide,
    method: HashMethod,
    bucketing: Bucketing,
    buckets: number[] | undefined,
  ): AsyncIterable<HashedRow[]> {
    checkMethod(method);
    return hashedRows(this.#lanes, side, method, bucketing, buckets);
  }

  async rows(side: TableSide, keys: Row[]): Promise<(Row | undefined)[]> {
    const found: (Row | undefined)[][] = [];
    const pieces: number[] = [];
    for (let at = 0; at < keys.length; at += MOST_KEYS) pieces.push(at);
    await this.#lanes.each(pieces, async (session, at) => {
      found[at / MOST_KEYS] = await readKeyed(session, side, keys.slice(at, at + MOST_KEYS));
    });
    return found.flat();
  }

  async rowsByHash(side: TableSide, method: HashMethod, hashes: bigint[]): Promise<(Row | undefined)[]> {
    checkMethod(method);
    const found = new Map<bigint, Row>();
    const wanted = new Set(hashes);
    const isServers = method === "md5" && hashes.length <= MOST_HASHES;
    for await (const rows of isServers ? this.#withHashes(side, hashes) : this.all(side, PAGE_ROWS)) {
      for (const row of rows) {
        const hash = rowHash(side, row);
        if (wanted.delete(hash)) found.set(hash, row);
      }
      if (wanted.size === 0) break;
    }
    return hashes.map((hash) => found.get(hash));
  }

  async *all(side: TableSide, batchRows: number): AsyncGenerator<Row[]> {
    const { table, select, where, read } = sideSql(side);
    const query = `SELECT ${select()} FROM ${table}`;
    if (!isPageable(side)) {
      yield* this.#stream(side, `${query} ${where}`, batchRows);
      return;
    }
    const all = pages({ side, select: query, keyAt: side.key, read }, Math.max(PAGE_ROWS, batchRows), this.#lanes.lend);
    for await (const rows of all) {
      for (let at = 0; at < rows.length; at += batchRows) yield rows.slice(at, at + batchRows);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#lanes[Symbol.asyncDispose]();
  }

  #withHashes(side: TableSide, hashes: bigint[]): AsyncIterable<Row[]> {
    const { table, select } = sideSql(side);
    const list = hashes.map((hash) => `'${hash.toString(16).padStart(16, "0")}'`).join(", ");
    // What is too long for the server to hash may be one of them.
    const condition = `IFNULL(${rowHashSql(side)}, '') IN ('', ${list})`;
    return this.#stream(side, `SELECT ${select()} FROM ${table} ${whereAlso(side, condition)}`, PAGE_ROWS);
  }

  #stream(side: TableSide, sql: string, batchRows: number): AsyncIterable<Row[]> {
    const { read } = sideSql(side);
    return this.#lanes.stream(async function* (session) {
      for await (const rows of session.stream(sql, batchRows)) {
        for (const row of rows) read(row);
        yield rows;
      }
    });
  }
}

function checkMethod(method: HashMethod): void {
  if (method !== "md5" && method !== "client") throw new RangeError(`MySQL has no hash ${method}`);
}

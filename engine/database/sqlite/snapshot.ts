import { setImmediate as nextTurn } from "node:timers/promises";
import type { Snapshot } from "../dialect.ts";
import type { Bucketing, Checksum, HashedRow, HashMethod, Row, TableSide } from "../types.ts";
import { sqliteFailure } from "./failure.ts";
import { KeyLookup } from "./lookup.ts";
import { Query, scalar } from "./query.ts";
import { RowLayout } from "./row_layout.ts";
import { type ReadContext, RowReader } from "./row_reader.ts";
import { Checksums, keyRanges, RowHashes } from "./segments.ts";
import { quote, type Stored } from "./stored.ts";

const LEAST_INTEGER = -(2n ** 63n);

/** A read transaction. The owner of the context opens and closes it. */
export class SqliteSnapshot implements Snapshot {
  readonly #context: ReadContext;
  readonly #close: () => void;
  readonly #readers = new Map<TableSide, { layout: RowLayout; reader: RowReader }>();

  constructor(context: ReadContext, close: () => void) {
    this.#context = context;
    this.#close = close;
  }

  // deno-lint-ignore require-await
  async count({ table, filter }: TableSide): Promise<number> {
    this.#context.signal.throwIfAborted();
    try {
      const where = filter === undefined ? "" : ` WHERE (${filter}\n)`;
      return Number(scalar(this.#context.database, `SELECT count(*) FROM ${quote(table.name)}${where}`));
    } catch (error) {
      throw sqliteFailure(error, { table: table.id });
    }
  }

  async boundaries(side: TableSide, rowsPerSegment: number): Promise<string[]> {
    const column = side.columns[side.key[0]];
    const form = side.forms[side.key[0]];
    if (form === "integer" && column.storage?.exact) return await this.#steps(side, quote(column.name), rowsPerSegment);
    const { layout, reader } = this.reader({ ...side, columns: [column], forms: [form], key: [0] });
    const found: string[] = [];
    let rows = 0;
    for await (const page of reader.pages()) {
      for (const row of page) {
        if (rows++ % rowsPerSegment === 0 && rows > 1) found.push(layout.value(row, 0) ?? "");
      }
    }
    const compare = (a: string, b: string) => form === "integer" ? Number(BigInt(a) - BigInt(b)) : a < b ? -1 : 1;
    return [...new Set(found)].sort(compare);
  }

  /** Goes through an index in steps. */
  async #steps({ table, filter }: TableSide, key: string, rowsPerSegment: number): Promise<string[]> {
    const where = `${key} >= ?${filter === undefined ? "" : ` AND (${filter}\n)`}`;
    try {
      const next = new Query(
        this.#context.database,
        `SELECT ${key} FROM ${quote(table.name)} WHERE ${where} ORDER BY ${key} LIMIT 1 OFFSET ${rowsPerSegment}`,
      );
      const found: string[] = [];
      for (let last: Stored = LEAST_INTEGER;; found.push(String(last))) {
        if (found.length % 64 === 0) await nextTurn();
        this.#context.signal.throwIfAborted();
        const row: Stored[] | undefined = next.first([last]);
        if (row === undefined) return found;
        last = row[0];
      }
    } catch (error) {
      throw sqliteFailure(error, { table: table.id });
    }
  }

  async checksums(side: TableSide, method: HashMethod, bucketing: Bucketing): Promise<Checksum[]> {
    const { layout, reader } = this.reader(side);
    const [hashes, sums] = [new RowHashes(layout, method, bucketing), new Checksums()];
    for await (const page of reader.pages()) {
      for (const row of page) {
        hashes.hash(row);
        sums.add(hashes);
      }
    }
    return sums.all();
  }

  async *hashes(
    side: TableSide,
    method: HashMethod,
    bucketing: Bucketing,
    buckets: number[] | undefined,
  ): AsyncGenerator<HashedRow[]> {
    const { layout, reader } = this.reader(side);
    const hashes = new RowHashes(layout, method, bucketing);
    const wanted = buckets && new Set(buckets);
    for (const range of keyRanges(side, bucketing, buckets) ?? [undefined]) {
      for await (const page of reader.pages(range)) {
        const batch: HashedRow[] = [];
        for (const row of page) {
          if (wanted !== undefined && !wanted.has(hashes.place(row))) continue;
          hashes.hash(row);
          batch.push({ bucket: hashes.bucket, key: layout.key(row), hash: hashes.hashed });
        }
        if (batch.length > 0) yield batch;
      }
    }
  }

  async rows(side: TableSide, keys: Row[]): Promise<(Row | undefined)[]> {
    const { layout } = this.reader(side);
    const found = await new KeyLookup(this.#context, layout).find(keys);
    return found.map((row) => row && layout.row(row));
  }

  async rowsByHash(side: TableSide, method: HashMethod, hashes: bigint[]): Promise<(Row | undefined)[]> {
    const { layout, reader } = this.reader(side);
    const rowHashes = new RowHashes(layout, method, { scheme: "row", buckets: 1 });
    const wanted = new Set(hashes);
    const found = new Map<bigint, Row>();
    for await (const page of reader.pages()) {
      for (const row of page) {
        rowHashes.hash(row);
        if (wanted.delete(rowHashes.hashed)) found.set(rowHashes.hashed, layout.row(row));
      }
      if (wanted.size === 0) break;
    }
    return hashes.map((hash) => found.get(hash));
  }

  async *all(side: TableSide, batchRows: number): AsyncGenerator<Row[]> {
    const { layout, reader } = this.reader(side);
    for await (const page of reader.pages()) {
      for (let from = 0; from < page.length; from += batchRows) {
        yield page.slice(from, from + batchRows).map((row) => layout.row(row));
      }
    }
  }

  // deno-lint-ignore require-await
  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  /** One for all calls about a side, for what it finds out about the table costs as much as reading some of it. */
  reader(side: TableSide): { layout: RowLayout; reader: RowReader } {
    let found = this.#readers.get(side);
    if (found === undefined) {
      const layout = new RowLayout(this.#context.database, side);
      this.#readers.set(side, found = { layout, reader: new RowReader(this.#context, layout) });
    }
    return found;
  }
}

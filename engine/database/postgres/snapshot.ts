import { allOrError } from "../../at_once.ts";
import type { Snapshot } from "../dialect.ts";
import { hashBucket, keyBucket, rowHash } from "../row_text.ts";
import type { Bucketing, Checksum, HashedRow, HashMethod, Row, TableSide } from "../types.ts";
import { boundaries } from "./boundaries.ts";
import { copiedRows } from "./copy_text.ts";
import { bucketSql, bucketSumsSql, type Part, rangeParts, rangeSumsSql, rowHashSql } from "./hash_sql.ts";
import { arrayText, quoteTable } from "./identifier.ts";
import type { Lanes } from "./lanes.ts";
import { findRows } from "./find_rows.ts";
import { allPackedSql, isPackable, partPackedSql, unpack } from "./packed_hashes.ts";
import type { TextRow } from "./session.ts";
import { converter, copyQuery, fromClause, readings } from "./select.ts";

/** Rows of a batch of hashes. */
const BATCH = 5_000;
/** Beyond this part of the buckets the whole table is read and not their ranges. */
const FEW = 1 / 4;
/** Between the whole numbers of two boundaries. */
const NARROW = 50_000;
const INDEX = "enable_seqscan = off";
/** Room for the sums of all buckets. The server expects far more of them, and would sort the rows for that. */
const IN_ANY_ORDER = ["work_mem = '16MB'", "enable_sort = off"];
const IN_KEY_ORDER = ["enable_seqscan = off", "enable_bitmapscan = off"];
/** The server's measure of how much the order of the rows is that of their keys, 1 at most. */
const ORDERED = 0.95;

export class PostgresSnapshot implements Snapshot {
  readonly lanes: Lanes;

  constructor(lanes: Lanes) {
    this.lanes = lanes;
  }

  count(side: TableSide): Promise<number> {
    return this.lanes.use(async (lane) => {
      const sql = `select count(*) ${fromClause(side)}`;
      return Number((await lane.query(sql, [], { table: side.table.id }))[0][0]);
    });
  }

  boundaries(side: TableSide, rowsPerSegment: number): Promise<string[]> {
    return this.lanes.use((lane) => boundaries(lane, side, rowsPerSegment));
  }

  async checksums(side: TableSide, method: HashMethod, bucketing: Bucketing): Promise<Checksum[]> {
    if (method === "client") return await this.#clientChecksums(side, bucketing);
    const isInKeyOrder = bucketing.scheme === "range" && await this.#isInKeyOrder(side);
    const queries = isInKeyOrder
      ? rangeSumsSql(side, method, bucketing.boundaries)
      : [bucketSumsSql(side, method, bucketing)];
    const settings = isInKeyOrder ? IN_KEY_ORDER : IN_ANY_ORDER;
    const results = await allOrError(queries.map((sql) => this.#query(side, sql, settings)));
    return results.flat().map(([bucket, count, sum]) => ({
      bucket: Number(bucket),
      rows: Number(count),
      sum: BigInt.asUintN(64, BigInt(sum as string)),
    }));
  }

  async *hashes(
    side: TableSide,
    method: HashMethod,
    bucketing: Bucketing,
    buckets: number[] | undefined,
  ): AsyncGenerator<HashedRow[]> {
    if (buckets?.length === 0) return;
    let left = buckets;
    if (method !== "client" && isPackable(side)) {
      const few = fewOf(bucketing, buckets);
      if (few !== undefined) {
        const [narrow, others] = narrowBuckets(few);
        for (const part of rangeParts(side, few.boundaries, narrow)) {
          yield* this.#unpacked(side, partPackedSql(side, method, part), INDEX);
        }
        left = others;
      } else if (await this.#isPaged(side)) {
        const bucket = bucketSql(side, method, bucketing, rowHashSql(side, method));
        const wanted = buckets === undefined ? undefined : new Set(buckets);
        for await (const rows of this.#unpacked(side, allPackedSql(side, method, bucket))) {
          yield wanted === undefined ? rows : rows.filter(({ bucket }) => wanted.has(bucket));
        }
        return;
      }
    }
    if (left?.length === 0) return;
    let batch: HashedRow[] = [];
    for await (const rows of this.#hashedRows(side, method, bucketing, left)) {
      batch.push(...rows);
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  rows(side: TableSide, keys: Row[]): Promise<(Row | undefined)[]> {
    return this.lanes.use((lane) => findRows(lane, side, keys));
  }

  async rowsByHash(side: TableSide, method: HashMethod, hashes: bigint[]): Promise<(Row | undefined)[]> {
    const found = new Map<bigint, Row>();
    const wanted = new Set(hashes);
    if (method === "client") {
      for await (const rows of this.all(side, BATCH)) {
        for (const row of rows) {
          const hash = rowHash(side, row);
          if (wanted.has(hash)) found.set(hash, row);
        }
      }
    } else if (wanted.size > 0) {
      const list = arrayText([...wanted].map((hash) => String(BigInt.asIntN(64, hash))));
      const columns = readings(side);
      const convert = converter(side);
      const inner = `select ${rowHashSql(side, method)} as h, ${
        columns.map(({ sql }, at) => `${sql} as c${at}`).join(", ")
      } ` +
        `${fromClause(side)} offset 0`;
      const sql = `select distinct on (h) * from (${inner}) s where h = any('${list}'::bigint[])`;
      for await (const rows of this.#stream(side, sql)) {
        for (const [hash, ...row] of rows) found.set(BigInt.asUintN(64, BigInt(hash as string)), convert(row));
      }
    }
    return hashes.map((hash) => found.get(hash));
  }

  async *all(side: TableSide, batchRows: number): AsyncGenerator<Row[]> {
    const columns = readings(side);
    const convert = converter(side);
    const sql = `select ${columns.map((column) => column.sql).join(", ")} ${fromClause(side)}`;
    let batch: Row[] = [];
    for await (const rows of this.#stream(side, sql)) {
      for (const row of rows) {
        batch.push(convert(row));
        if (batch.length < batchRows) continue;
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lanes[Symbol.asyncDispose]();
  }

  #stream(side: TableSide, sql: string, setting?: string): AsyncGenerator<Row[]> {
    return this.lanes.stream((lane) => copiedRows(copyQuery(lane, side, `copy (${sql}) to stdout`, setting)));
  }

  #unpacked(side: TableSide, copy: string, setting?: string): AsyncGenerator<HashedRow[]> {
    return this.lanes.stream((lane) => unpack(copyQuery(lane, side, copy, setting)));
  }

  /** @param settings hold for it alone */
  #query(side: TableSide, sql: string, settings: string[]): Promise<TextRow[]> {
    return this.lanes.use(async (lane) => {
      await lane.run(settings.map((setting) => `set ${setting}`).join("; "));
      const rows = await lane.query(sql, [], { table: side.table.id });
      await lane.run(settings.map((setting) => `reset ${setting.split(" ")[0]}`).join("; "));
      return rows;
    });
  }

  /** Whether the rows lie in the order of their only key column, a whole number that has an index: then it costs little to read them so. */
  async #isInKeyOrder(side: TableSide): Promise<boolean> {
    const { table, key } = side;
    if (!isPackable(side) || table.kind !== "table") return false;
    const { name } = side.columns[key[0]];
    if (![table.key, ...table.unique].some((unique) => unique.length === 1 && unique[0] === name)) return false;
    const [row] = await this.lanes.use((lane) =>
      lane.query(
        "select correlation >= $1 from pg_stats where schemaname = $2 and tablename = $3 and attname = $4 and not inherited",
        [ORDERED, table.schema, table.name, name],
        { table: table.id },
      )
    );
    return row?.[0] === "t";
  }

  /** Whether the table's rows, and no others, lie in its pages. */
  async #isPaged({ table, filter }: TableSide): Promise<boolean> {
    if (table.kind !== "table" || filter !== undefined) return false;
    const [[isPaged]] = await this.lanes.use((lane) =>
      lane.query(
        "select m.amname = 'heap' and not c.relhassubclass from pg_class c join pg_am m on m.oid = c.relam where c.oid = $1::regclass",
        [quoteTable(table)],
        { table: table.id },
      )
    );
    return isPaged === "t";
  }

  async #clientChecksums(side: TableSide, bucketing: Bucketing): Promise<Checksum[]> {
    const checksums = new Map<number, Checksum>();
    for await (const rows of this.#hashedRows(side, "client", bucketing, undefined)) {
      for (const { bucket, hash } of rows) {
        const checksum = checksums.get(bucket);
        if (checksum === undefined) checksums.set(bucket, { bucket, rows: 1, sum: hash });
        else {
          checksum.rows++;
          checksum.sum = BigInt.asUintN(64, checksum.sum + hash);
        }
      }
    }
    return [...checksums.values()];
  }

  async *#hashedRows(
    side: TableSide,
    method: HashMethod,
    bucketing: Bucketing,
    buckets: number[] | undefined,
  ): AsyncGenerator<HashedRow[]> {
    if (method === "client") {
      yield* this.#clientHashes(side, bucketing, buckets);
      return;
    }
    const columns = readings(side);
    const keys = side.key.map((at) => columns[at]);
    const names = keys.map((_, n) => `k${n}`);
    const query = ({ bucket, from, condition }: Part) =>
      `select ${rowHashSql(side, method)} as h, ${bucket} as b${
        keys.map(({ sql }, n) => `, ${sql} as ${names[n]}`).join("")
      } ` +
      `${from} where ${condition}`;
    let stream: AsyncGenerator<Row[]>;
    if (bucketing.scheme === "row") {
      const bucket = bucketSql(side, method, bucketing, "h");
      const filter = buckets === undefined ? "" : `where ${bucket} = any(${numbers(buckets)})`;
      const inner = query({ bucket: "0", from: fromClause(side), condition: "true" });
      stream = this.#stream(side, `select ${["h", bucket, ...names].join(", ")} from (${inner} offset 0) s ${filter}`);
    } else {
      stream = this.#inBuckets(side, method, bucketing, buckets, query);
    }
    const convert = converter(side, side.key);
    for await (const rows of stream) {
      yield rows.map(([hash, bucket, ...key]) => ({
        bucket: Number(bucket),
        key: convert(key),
        hash: BigInt.asUintN(64, BigInt(hash as string)),
      }));
    }
  }

  async *#clientHashes(
    side: TableSide,
    bucketing: Bucketing,
    buckets: number[] | undefined,
  ): AsyncGenerator<HashedRow[]> {
    const columns = readings(side);
    const convert = converter(side);
    const wanted = buckets === undefined ? undefined : new Set(buckets);
    const list = columns.map((column) => column.sql).join(", ");
    const query = ({ bucket, from, condition }: Part) => `select ${bucket}, ${list} ${from} where ${condition}`;
    // Ranges are the server's to tell: it knows the order of its types.
    const stream = bucketing.scheme === "range"
      ? this.#inBuckets(side, "client", bucketing, buckets, query)
      : this.#stream(side, query({ bucket: "0", from: fromClause(side), condition: "true" }));
    for await (const rows of stream) {
      const hashed: HashedRow[] = [];
      for (const [range, ...texts] of rows) {
        const row = convert(texts);
        const key = side.key.map((at) => row[at]);
        const hash = rowHash(side, row);
        const bucket = bucketing.scheme === "range"
          ? Number(range)
          : bucketing.scheme === "hash"
          ? keyBucket(side, key, bucketing.buckets)
          : hashBucket(hash, bucketing.buckets);
        if (wanted?.has(bucket) ?? true) hashed.push({ bucket, key, hash });
      }
      yield hashed;
    }
  }

  /** Streams a query over the rows of some buckets: by ranges of the key where these are few, else by a look at every row. */
  async *#inBuckets(
    side: TableSide,
    method: HashMethod,
    bucketing: Exclude<Bucketing, { scheme: "row" }>,
    buckets: number[] | undefined,
    query: (part: Part) => string,
  ): AsyncGenerator<Row[]> {
    const few = fewOf(bucketing, buckets);
    if (few !== undefined) {
      for (const part of rangeParts(side, few.boundaries, few.buckets)) {
        yield* this.#stream(side, query(part), INDEX);
      }
      return;
    }
    const bucket = bucketSql(side, method, bucketing, "");
    const condition = buckets === undefined ? "true" : `${bucket} = any(${numbers(buckets)})`;
    yield* this.#stream(side, query({ bucket, from: fromClause(side), condition }));
  }
}

interface FewBuckets {
  boundaries: string[];
  buckets: number[];
}

/** Buckets that are read by ranges of the key; undefined where the whole table is read. */
function fewOf(bucketing: Bucketing, buckets: number[] | undefined): FewBuckets | undefined {
  if (bucketing.scheme !== "range" || buckets === undefined) return undefined;
  return buckets.length <= bucketing.boundaries.length * FEW
    ? { boundaries: bucketing.boundaries, buckets }
    : undefined;
}

/** Those that cannot have more rows than go into one value, and the others. */
function narrowBuckets({ boundaries, buckets }: FewBuckets): [narrow: number[], others: number[]] {
  const isNarrow = (bucket: number) => {
    return bucket > 0 && bucket < boundaries.length &&
      Number(boundaries[bucket]) - Number(boundaries[bucket - 1]) <= NARROW;
  };
  return [buckets.filter(isNarrow), buckets.filter((bucket) => !isNarrow(bucket))];
}

function numbers(buckets: number[]): string {
  return `'${arrayText(buckets.map(String))}'::bigint[]`;
}

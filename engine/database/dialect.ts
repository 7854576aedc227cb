/** What the synchronisation needs of a database engine. `postgres/`, `mysql/` and `sqlite/` implement it, each behind the conformance suite. */
import type {
  Bucketing,
  Checksum,
  ConnectionSpec,
  Engine,
  Form,
  HashedRow,
  HashMethod,
  Row,
  Table,
  TableSide,
} from "./types.ts";

/** One engine. */
export interface Dialect {
  readonly engine: Engine;
  /**
   * Opens a connection. Sessions are set so that texts are UTF-8, times are UTC and values read exactly.
   *
   * @throws DatabaseError `connection`, `authentication` or `missing`; never with the password in it.
   */
  connect(spec: ConnectionSpec, signal: AbortSignal): Promise<Connection>;
  /** Where rows can go from one server of the engine to another without a look at them. */
  readonly direct?: DirectWays;
}

/** The server at the other end. */
export interface ServerInfo {
  engine: Engine;
  /** `PostgreSQL 17.10`, `MariaDB 10.11.19`, `SQLite 3.50.4`. */
  version: string;
  major: number;
}

/** A connection that reads catalogues and opens snapshots and writers. Disposing ends everything that it opened. */
export interface Connection extends AsyncDisposable {
  readonly server: ServerInfo;
  /**
   * Finds a table or view by what a user wrote: `name` or `schema.name`, exactly first, then ignoring case.
   *
   * @throws DatabaseError `missing`, or `ambiguous` with the candidates in its details.
   */
  find(entity: string): Promise<Table>;
  /** Whether {@link HashMethod} `md5` can be computed in the server for that column and form. */
  rendersInSql(column: Table["columns"][number], form: Form): boolean;
  /**
   * Opens one consistent snapshot over several connections where the engine can, else over one.
   *
   * @param atOnce how many queries may run at once, at most.
   */
  snapshot(atOnce: number): Promise<Snapshot>;
  /** Opens a transaction's owner, on a connection of its own. */
  writer(): Promise<Writer>;
  /** The statement that makes a table like `table` of another engine, and what of it has no counterpart here. */
  creation(table: Table): { statements: string[]; notes: string[] };
}

/** One state of the database, which later commits do not change. Its methods may be called at once; it queues what is too much. */
export interface Snapshot extends AsyncDisposable {
  /** Exact. */
  count(side: TableSide): Promise<number>;
  /**
   * Boundaries of the only key column from the data, so that segments have about `rowsPerSegment` rows; ascending, distinct.
   * Reads a sample or an index, not the table.
   */
  boundaries(side: TableSide, rowsPerSegment: number): Promise<string[]>;
  /** The checksum of every bucket that has rows, in one pass over the table. */
  checksums(side: TableSide, method: HashMethod, bucketing: Bucketing): Promise<Checksum[]>;
  /** The keys and hashes of the rows of these buckets (all buckets where undefined), in any order, in batches. */
  hashes(
    side: TableSide,
    method: HashMethod,
    bucketing: Bucketing,
    buckets: number[] | undefined,
  ): AsyncIterable<HashedRow[]>;
  /** The rows with these keys, as `keys` are ordered; undefined where there is none. At most a few thousand keys a call. */
  rows(side: TableSide, keys: Row[]): Promise<(Row | undefined)[]>;
  /** Of a table without a key: one row of each of these hashes. */
  rowsByHash(side: TableSide, method: HashMethod, hashes: bigint[]): Promise<(Row | undefined)[]>;
  /** Every row, in batches of about `batchRows`, in any order. */
  all(side: TableSide, batchRows: number): AsyncIterable<Row[]>;
}

/** What {@link Writer.lock} found. */
export interface LockedRow {
  row: Row;
  /** By the method asked for. */
  hash: bigint;
}

/** An update of one row: `row` is the new one, `changed` the positions of the columns that differ. */
export interface RowUpdate {
  key: Row;
  row: Row;
  changed: number[];
}

/**
 * Writes to one database, in transactions. One call at a time. Where a method throws, the transaction is as it was before the call
 * (a savepoint inside) and may go on, except for errors whose `aborts` is true.
 */
export interface Writer extends AsyncDisposable {
  /** Foreign keys that can be are checked at the commit. */
  begin(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** Locks the rows with these keys against others' writes until the transaction ends, and reads them. */
  lock(side: TableSide, method: HashMethod, keys: Row[]): Promise<(LockedRow | undefined)[]>;
  /** Inserts by the engine's fastest way and returns the positions of the rows whose key was there already, which stay as they are. */
  insert(side: TableSide, rows: Row[]): Promise<number[]>;
  /** Rows must have been locked. Writes the changed columns only. */
  update(side: TableSide, updates: RowUpdate[]): Promise<void>;
  /** Rows must have been locked. */
  delete(side: TableSide, keys: Row[]): Promise<void>;
  /** Of a table without a key: deletes so many rows (`count`) that are equal to `row`; returns how many it deleted. */
  deleteEqual(side: TableSide, rows: { row: Row; count: number }[]): Promise<number>;
  /** After inserts: what the server numbers itself goes on after the highest value that there is. */
  advanceIdentity(side: TableSide): Promise<void>;
  /** Runs {@link Connection.creation}'s statements. */
  create(statements: string[]): Promise<void>;
  /** Where a rollback leaves tables that were created: drops those that have no rows, in this order, and returns them. */
  dropEmpty?(tables: Table[]): Promise<Table[]>;
  /** As {@link Connection.find}, on the writer's own connection: it sees what the transaction has created. */
  find(entity: string): Promise<Table>;
}

/** The generic way is `all` and `rows`, `insert` and `update`. */
export interface DirectWays {
  copy: DirectCopy;
  /** Whether it tells a {@link HashSink} of what it copies. */
  tellsHashes?: boolean;
  /** Whether nobody else can write to the database meanwhile: then it is not for runs in batches. */
  locks?: boolean;
  carrier?: FindCarrier;
}

/**
 * A whole table straight from one server to another of the same kind (PostgreSQL: `COPY … TO` into `COPY … FROM`; SQLite:
 * values as they are stored).
 *
 * @param progress is told of so many more rows
 * @returns how many rows there were; undefined where these tables cannot be copied so, and nothing was done
 */
export type DirectCopy = (
  from: { snapshot: Snapshot; side: TableSide },
  to: { writer: Writer; side: TableSide },
  progress: (rows: number) => void,
  sink?: HashSink,
) => Promise<number | undefined>;

/** Takes the hashes of rows that are being copied. */
export interface HashSink {
  method: HashMethod;
  bucketing: Bucketing;
  take(rows: HashedRow[]): void;
}

/** @returns undefined where rows between these tables have to be looked at, as where the types of columns are not the same */
export type FindCarrier = (
  from: { snapshot: Snapshot; side: TableSide },
  to: TableSide,
  method: HashMethod,
) => RowCarrier | undefined;

/** Rows as they left one server and go into another. */
export interface CarriedRows {
  rows: number;
  bytes: number;
}

/**
 * Writes some rows of one server to another. A `DatabaseError` of a row says nothing of which it is: nothing was done, and the
 * generic way finds it out.
 */
export interface RowCarrier {
  /**
   * Reads the rows with these keys into memory; it says how many there are.
   *
   * @param replaced for an update: the hashes of the rows whose place they take, as `keys` are ordered
   */
  read(keys: Row[], replaced?: bigint[]): Promise<CarriedRows>;
  /** Inserts rows. That one is there already is an error. */
  insert(writer: Writer, rows: CarriedRows): Promise<number>;
  /**
   * Puts rows into the place of those that still have their hash, and says how many that were. Undefined where it would show that
   * columns are written that did not change.
   */
  update?(writer: Writer, rows: CarriedRows): Promise<number>;
}

/**
 * An engine in memory for tests of the core: it checks keys and foreign keys, and calls a hook before everything that it does. Over 350
 * lines, because its snapshots and writers work on the same rows, whose form nobody else should know.
 */
import { DatabaseError } from "../error.ts";
import { hashBucket, keyBucket, rowHash } from "../row_text.ts";
import { compareValues } from "../compare_values.ts";
import type { Connection, Dialect, LockedRow, RowUpdate, Snapshot, Writer } from "../dialect.ts";
import type { Bucketing, Checksum, Column, HashedRow, Row, Table, TableSide } from "../types.ts";

type Rows = Map<string, Row[]>;

/** One database: tables by their name, rows in the order of the table's columns. */
export class MemoryDatabase {
  readonly tables = new Map<string, Table>();
  rows: Rows = new Map();
  /** Called with the name of an operation and its rows or keys before it is done; what it throws is the operation's error. */
  before: (operation: string, rows: unknown[]) => void | Promise<void> = () => {};
  /** Somebody else's changes, which are there when a writer looks next. */
  readonly meanwhile: { table: string; change: (rows: Row[]) => Row[] }[] = [];
  /** Operations that were called. */
  readonly calls: string[] = [];

  add(table: Table, rows: Row[] = []): void {
    this.tables.set(table.id, table);
    this.rows.set(table.id, rows);
  }

  /** Rows sorted by their text. */
  sorted(name: string): Row[] {
    return [...this.rows.get(name) ?? []].sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  }

  async call(operation: string, rows: unknown[] = []): Promise<void> {
    this.calls.push(operation);
    await this.before(operation, rows);
  }

  get dialect(): Dialect {
    return { engine: "sqlite", connect: async () => (await this.call("connect"), new MemoryConnection(this)) };
  }
}

/** A table of text and integer columns; of each its name, and `?` where it may be NULL, `#` where it is an integer. */
export function memoryTable(name: string, columns: string[], options: Partial<Table> = {}): Table {
  return {
    name,
    id: name,
    kind: "table",
    columns: columns.map((text): Column => ({
      name: text.replace(/[?#]/g, ""),
      type: text.includes("#") ? "integer" : "text",
      logical: text.includes("#")
        ? { kind: "integer", bits: 64, unsigned: false }
        : { kind: "text", length: null, fixed: false },
      nullable: text.includes("?"),
      generated: false,
      identity: false,
      hasDefault: false,
    })),
    key: [columns[0].replace(/[?#]/g, "")],
    unique: [],
    foreignKeys: [],
    estimatedRows: 0,
    triggers: false,
    ...options,
  };
}

class MemoryConnection implements Connection {
  readonly server = { engine: "sqlite", version: "memory", major: 1 } as const;

  constructor(private readonly database: MemoryDatabase) {}

  async find(entity: string): Promise<Table> {
    await this.database.call("find", [entity]);
    const { tables } = this.database;
    const exact = tables.get(entity);
    const found = exact ?? [...tables.values()].find(({ id }) => id.toLowerCase() === entity.toLowerCase());
    if (found === undefined) throw new DatabaseError("missing", `there is no table ${entity}`);
    return found;
  }

  rendersInSql(): boolean {
    return true;
  }

  async snapshot(): Promise<Snapshot> {
    await this.database.call("snapshot");
    return new MemorySnapshot(this.database, copyOf(this.database.rows));
  }

  async writer(): Promise<Writer> {
    await this.database.call("writer");
    return new MemoryWriter(this.database);
  }

  creation(table: Table) {
    return { statements: [JSON.stringify(table)], notes: [] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database.call("close");
  }
}

function copyOf(rows: Rows): Rows {
  return new Map([...rows].map(([name, list]) => [name, [...list]]));
}

/** A stored row as the side has it. */
function project({ table, columns }: TableSide, row: Row): Row {
  return columns.map(({ name }) => row[table.columns.findIndex((column) => column.name === name)]);
}

function keyText({ key }: TableSide, row: Row): string {
  return JSON.stringify(key.map((i) => row[i]));
}

class MemorySnapshot implements Snapshot {
  constructor(private readonly database: MemoryDatabase, private readonly rows_: Rows) {}

  #rows(side: TableSide): Row[] {
    return (this.rows_.get(side.table.id) ?? []).map((row) => project(side, row));
  }

  async count(side: TableSide): Promise<number> {
    await this.database.call("count");
    return this.#rows(side).length;
  }

  async boundaries(side: TableSide, rowsPerSegment: number): Promise<string[]> {
    await this.database.call("boundaries");
    const [at] = side.key;
    const values = this.#rows(side).map((row) => row[at] as string)
      .sort((a, b) => compareValues(side.forms[at], a, b));
    return values.filter((_, i) => i > 0 && i % rowsPerSegment === 0);
  }

  async checksums(side: TableSide, _: unknown, bucketing: Bucketing): Promise<Checksum[]> {
    await this.database.call("checksums");
    const sums = new Map<number, Checksum>();
    for (const { bucket, hash } of this.#hashed(side, bucketing)) {
      const { rows, sum } = sums.get(bucket) ?? { rows: 0, sum: 0n };
      sums.set(bucket, { bucket, rows: rows + 1, sum: BigInt.asUintN(64, sum + hash) });
    }
    return [...sums.values()];
  }

  async *hashes(side: TableSide, _: unknown, bucketing: Bucketing, buckets?: number[]): AsyncGenerator<HashedRow[]> {
    await this.database.call("hashes", buckets);
    const wanted = buckets && new Set(buckets);
    const rows = this.#hashed(side, bucketing).filter(({ bucket }) => wanted?.has(bucket) ?? true);
    for (let at = 0; at < rows.length; at += 100) yield rows.slice(at, at + 100);
  }

  #hashed(side: TableSide, bucketing: Bucketing): HashedRow[] {
    return this.#rows(side).map((row) => {
      const key = side.key.map((i) => row[i]);
      const hash = rowHash(side, row);
      return { bucket: bucketOf(side, bucketing, key, hash), key, hash };
    });
  }

  async rows(side: TableSide, keys: Row[]): Promise<(Row | undefined)[]> {
    await this.database.call("rows", keys);
    const byKey = new Map(this.#rows(side).map((row) => [keyText(side, row), row]));
    return keys.map((key) => byKey.get(JSON.stringify(key)));
  }

  async rowsByHash(side: TableSide, _: unknown, hashes: bigint[]): Promise<(Row | undefined)[]> {
    await this.database.call("rowsByHash", hashes);
    const byHash = new Map(this.#rows(side).map((row) => [rowHash(side, row), row]));
    return hashes.map((hash) => byHash.get(hash));
  }

  async *all(side: TableSide, batchRows: number): AsyncGenerator<Row[]> {
    await this.database.call("all");
    const rows = this.#rows(side);
    for (let at = 0; at < rows.length; at += batchRows) yield rows.slice(at, at + batchRows);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database.call("end snapshot");
  }
}

function bucketOf(side: TableSide, bucketing: Bucketing, key: Row, hash: bigint): number {
  if (bucketing.scheme === "hash") return keyBucket(side, key, bucketing.buckets);
  if (bucketing.scheme === "row") return hashBucket(hash, bucketing.buckets);
  const form = side.forms[side.key[0]];
  let [low, high] = [0, bucketing.boundaries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareValues(form, bucketing.boundaries[middle], key[0] as string) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

class MemoryWriter implements Writer {
  #rows: Rows | undefined;
  readonly #made: Table[] = [];

  constructor(private readonly database: MemoryDatabase) {}

  async begin(): Promise<void> {
    await this.database.call("begin");
    this.#rows = copyOf(this.database.rows);
  }

  async commit(): Promise<void> {
    await this.database.call("commit");
    for (const table of this.database.tables.values()) this.#checkForeignKeys(table, true);
    this.database.rows = this.#open;
    this.#rows = undefined;
    await this.database.call("committed");
  }

  async rollback(): Promise<void> {
    await this.database.call("rollback");
    this.#rows = undefined;
    for (const { id } of this.#made) this.database.tables.delete(id);
  }

  get #open(): Rows {
    if (this.#rows === undefined) throw new Error("There is no transaction");
    return this.#rows;
  }

  async lock(side: TableSide, _: unknown, keys: Row[]): Promise<(LockedRow | undefined)[]> {
    await this.database.call("lock", keys);
    this.#takeOthers();
    const rows = this.#open.get(side.table.id)?.map((row) => project(side, row)) ?? [];
    const byKey = new Map(rows.map((row) => [keyText(side, row), row]));
    return keys.map((key) => {
      const row = byKey.get(JSON.stringify(key));
      return row && { row, hash: rowHash(side, row) };
    });
  }

  #takeOthers(): void {
    for (const { table, change } of this.database.meanwhile.splice(0)) {
      this.#open.set(table, change(this.#open.get(table) ?? []));
    }
  }

  async insert(side: TableSide, rows: Row[]): Promise<number[]> {
    await this.database.call("insert", rows);
    this.#takeOthers();
    return this.#change(side.table, (stored) => {
      const there = new Set(stored.map((row) => keyText(side, project(side, row))));
      const existing: number[] = [];
      for (const [i, row] of rows.entries()) {
        if (side.key.length > 0 && there.has(keyText(side, row))) existing.push(i);
        else stored.push(this.#whole(side, row));
      }
      return existing;
    });
  }

  #whole({ table, columns }: TableSide, row: Row, old?: Row): Row {
    return table.columns.map(({ name }, at) => {
      const i = columns.findIndex((column) => column.name === name);
      return i < 0 ? old?.[at] ?? null : row[i];
    });
  }

  async update(side: TableSide, updates: RowUpdate[]): Promise<void> {
    await this.database.call("update", updates);
    this.#change(side.table, (stored) => {
      for (const { key, row, changed } of updates) {
        const at = stored.findIndex((row) => keyText(side, project(side, row)) === JSON.stringify(key));
        const now = project(side, stored[at]);
        for (const i of changed) now[i] = row[i];
        stored[at] = this.#whole(side, now, stored[at]);
        this.#checkUnique(side.table, stored);
      }
    });
  }

  async delete(side: TableSide, keys: Row[]): Promise<void> {
    await this.database.call("delete", keys);
    const gone = new Set(keys.map((key) => JSON.stringify(key)));
    this.#change(side.table, (stored) => {
      for (const row of [...stored]) {
        if (gone.has(keyText(side, project(side, row)))) this.#remove(side.table, stored, row);
      }
    });
  }

  /** With the rows that go with it. */
  #remove(table: Table, stored: Row[], row: Row): void {
    const at = stored.indexOf(row);
    if (at < 0) return;
    stored.splice(at, 1);
    for (const child of this.database.tables.values()) {
      for (const key of child.foreignKeys) {
        if (key.table !== table.id || key.onDelete !== "cascade") continue;
        const rows = child.id === table.id ? stored : this.#open.get(child.id) ?? [];
        for (const other of [...rows]) {
          if (same(child, key.columns, other, table, key.referenced, row)) this.#remove(child, rows, other);
        }
      }
    }
  }

  async deleteEqual(side: TableSide, rows: { row: Row; count: number }[]): Promise<number> {
    await this.database.call("deleteEqual", rows);
    return this.#change(side.table, (stored) => {
      let deleted = 0;
      for (const { row, count } of rows) {
        for (let n = 0; n < count; n++) {
          const at = stored.findIndex((other) => JSON.stringify(project(side, other)) === JSON.stringify(row));
          if (at < 0) break;
          stored.splice(at, 1);
          deleted++;
        }
      }
      return deleted;
    });
  }

  async advanceIdentity(): Promise<void> {
    await this.database.call("advanceIdentity");
  }

  async create(statements: string[]): Promise<void> {
    await this.database.call("create", statements);
    for (const statement of statements) {
      const table = JSON.parse(statement) as Table;
      this.#made.push(table);
      this.database.tables.set(table.id, table);
      this.#open.set(table.id, []);
    }
  }

  find(entity: string): Promise<Table> {
    return new MemoryConnection(this.database).find(entity);
  }

  #change<T>(table: Table, work: (stored: Row[]) => T): T {
    const before = copyOf(this.#open);
    try {
      const result = work(this.#open.get(table.id) as Row[]);
      this.#checkUnique(table, this.#open.get(table.id) as Row[]);
      for (const each of this.database.tables.values()) this.#checkForeignKeys(each, false);
      return result;
    } catch (error) {
      this.#rows = before;
      throw error;
    }
  }

  #checkUnique({ columns, key, unique, id }: Table, stored: Row[]): void {
    for (const names of [key, ...unique].filter(({ length }) => length > 0)) {
      const at = names.map((name) => columns.findIndex((column) => column.name === name));
      const seen = new Set<string>();
      for (const row of stored) {
        const values = at.map((i) => row[i]);
        if (values.includes(null)) continue;
        const text = JSON.stringify(values);
        if (seen.has(text)) throw new DatabaseError("unique", `${names} of ${id} must be unique`, { table: id });
        seen.add(text);
      }
    }
  }

  #checkForeignKeys(table: Table, atCommit: boolean): void {
    for (const { columns, table: name, referenced, deferrable } of table.foreignKeys) {
      const parent = this.database.tables.get(name);
      if (parent === undefined || deferrable && !atCommit) continue;
      for (const row of this.#open.get(table.id) ?? []) {
        const isNull = columns.some((column) => row[table.columns.findIndex(({ name }) => name === column)] === null);
        if (isNull) continue;
        const found = this.#open.get(name)?.some((other) => same(table, columns, row, parent, referenced, other));
        if (!found) throw new DatabaseError("foreign-key", `a row of ${table.id} refers to none of ${name}`);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rows = undefined;
    await this.database.call("close writer");
  }
}

function same(a: Table, columns: string[], row: Row, b: Table, others: string[], other: Row): boolean {
  return columns.every((name, i) => {
    const value = row[a.columns.findIndex((column) => column.name === name)];
    return value === other[b.columns.findIndex((column) => column.name === others[i])];
  });
}

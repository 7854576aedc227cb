import * as fs from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { isDamage, removeDatabase } from "../sqlite_damage.ts";
import { writtenPath } from "./written.ts";
import { decodeName, encodeNameInto } from "../posix/mod.ts";

/** Reads a pair's baseline. */
export class BaselineReader {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;

  private constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true, timeout: 60_000 });
    try {
      this.#database.exec("PRAGMA mmap_size = 1073741824");
      this.#select = this.#database.prepare("SELECT entries FROM directory WHERE path = ?");
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  static #last: { key: string; reader: BaselineReader } | undefined;

  /** Opening takes longer than a small batch's comparison, so each thread keeps its last reader for the next batch. */
  static of(path: string): BaselineReader {
    const { dev, ino } = fs.statSync(path);
    const key = `${path} ${dev} ${ino}`;
    const last = BaselineReader.#last;
    if (last?.key === key) return last.reader;
    BaselineReader.#last = undefined;
    if (last !== undefined) last.reader.#database.close();
    const reader = new BaselineReader(path);
    BaselineReader.#last = { key, reader };
    return reader;
  }

  /** Runs a batch of reads in one transaction: each alone would lock and unlock the file. */
  batch<T>(work: () => T): T {
    try {
      this.#database.exec("BEGIN");
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      BaselineReader.#last = undefined;
      this.#database.close();
      throw error;
    }
  }

  /** The row of a directory, for `decodeBaseline`. */
  read(directory: string): Uint8Array | undefined {
    return this.#select.get(key(directory))?.entries as Uint8Array | undefined;
  }
}

/** The rows that a baseline has, and those that a run has set aside for it. */
export type BaselineTable = "directory" | "aside";

/** All rows of a pair's baseline, for who goes through them. */
export class BaselineRows implements Disposable {
  readonly #database: DatabaseSync;
  readonly #table: BaselineTable;

  constructor(path: string, table: BaselineTable = "directory") {
    this.#database = new DatabaseSync(path, { readOnly: true, timeout: 60_000 });
    this.#table = table;
  }

  /** The row of a directory, for `decodeBaseline`. */
  read(directory: string): Uint8Array | undefined {
    const row = this.#database.prepare(`SELECT entries FROM ${this.#table} WHERE path = ?`).get(key(directory));
    return row?.entries as Uint8Array | null ?? undefined;
  }

  /** In the order of their paths' bytes, those after one, or all. */
  *after(directory: string | undefined): Generator<[directory: string, entries: Uint8Array]> {
    const select = `SELECT path, entries FROM ${this.#table} WHERE entries IS NOT NULL`;
    const rows = directory === undefined
      ? this.#database.prepare(`${select} ORDER BY path`).iterate()
      : this.#database.prepare(`${select} AND path > ? ORDER BY path`).iterate(key(directory));
    for (const { path, entries } of rows) yield [decodeName(path as Uint8Array), entries as Uint8Array];
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

/**
 * A pair's baseline in its own SQLite file. Rows of a run are set aside first and take effect all together at its end, when the
 * files that they speak of are on the disk. Several threads may have it open. Keys are the bytes of paths, since SQLite's text
 * cannot hold names that are not UTF-8.
 */
export class BaselineStore implements Disposable {
  readonly #database: DatabaseSync;

  constructor(path: string) {
    // It lists names of files, which are nobody else's business.
    fs.closeSync(fs.openSync(path, "a", 0o600));
    this.#database = new DatabaseSync(path, { timeout: 60_000 });
    try {
      this.#database.exec(`
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        CREATE TABLE IF NOT EXISTS directory (path BLOB PRIMARY KEY, entries BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS aside (path BLOB PRIMARY KEY, entries BLOB) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS placed (path BLOB NOT NULL, entries BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS placed_path ON placed (path);
        CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      `);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** The row of a directory, for `decodeBaseline`. */
  read(directory: string): Uint8Array | undefined {
    const row = this.#database.prepare("SELECT entries FROM directory WHERE path = ?").get(key(directory));
    return row?.entries as Uint8Array | undefined;
  }

  /** The row that a directory was given by {@link setAside}. */
  readAside(directory: string): Uint8Array | undefined {
    const row = this.#database.prepare("SELECT entries FROM aside WHERE path = ?").get(key(directory));
    return row?.entries as Uint8Array | null ?? undefined;
  }

  /** Sets new rows aside; null forgets a directory and all below it. Lost in a power cut, which {@link settle} outlives. */
  setAside(rows: Iterable<[directory: string, entries: Uint8Array | null]>): void {
    this.#database.exec("PRAGMA synchronous = OFF");
    this.#transaction(() => {
      const put = this.#database.prepare("INSERT OR REPLACE INTO aside VALUES (?, ?)");
      for (const [directory, entries] of rows) put.run(key(directory), entries);
    });
  }

  /**
   * Notes rows of files that the run put into a directory, with what is known of their contents: for {@link placed}, until the run's
   * end.
   */
  notePlaced(rows: Iterable<[directory: string, entries: Uint8Array]>): void {
    this.#database.exec("PRAGMA synchronous = OFF");
    this.#transaction(() => {
      const put = this.#database.prepare("INSERT INTO placed VALUES (?, ?)");
      for (const [directory, entries] of rows) put.run(key(directory), entries);
    });
  }

  /** The rows of {@link notePlaced} of a directory, the oldest first. */
  placed(directory: string): Uint8Array[] {
    const rows = this.#database.prepare("SELECT entries FROM placed WHERE path = ? ORDER BY rowid").all(key(directory));
    return rows.map(({ entries }) => entries as Uint8Array);
  }

  /** Forgets what is set aside and what was noted, and stores facts about the pair. */
  begin(facts: Record<string, string>): void {
    this.#transaction(() => {
      this.#database.exec("DELETE FROM aside; DELETE FROM placed");
      this.#setFacts(facts);
    });
  }

  /** Makes rows, and over them what was set aside, the baseline, with facts about the pair, in one step. */
  settle(facts: Record<string, string>, rows: Iterable<[directory: string, entries: Uint8Array]>): void {
    this.#database.exec("PRAGMA synchronous = FULL");
    this.#transaction(() => {
      const gone = this.#database.prepare("SELECT path FROM aside WHERE entries IS NULL").all();
      const remove = this.#database.prepare("DELETE FROM directory WHERE path = ? OR (path >= ? AND path < ?)");
      for (const { path } of gone as { path: Uint8Array }[]) remove.run(path, below(path, "/"), below(path, "0"));
      const put = this.#database.prepare("INSERT OR REPLACE INTO directory VALUES (?, ?)");
      for (const [directory, entries] of rows) put.run(key(directory), entries);
      this.#database.exec(`
        INSERT OR REPLACE INTO directory SELECT path, entries FROM aside WHERE entries IS NOT NULL;
        DELETE FROM aside;
        DELETE FROM placed;
      `);
      this.#setFacts(facts);
    });
  }

  fact(name: string): string | undefined {
    return this.#database.prepare("SELECT value FROM meta WHERE name = ?").get(name)?.value as string | undefined;
  }

  #setFacts(facts: Record<string, string>): void {
    const put = this.#database.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)");
    for (const [name, value] of Object.entries(facts)) put.run(name, value);
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      // What is damaged may have rolled back by itself.
      if (!isDamage(error)) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

function below(path: Uint8Array, separator: "/" | "0"): Uint8Array {
  return Uint8Array.of(...path, separator.charCodeAt(0));
}

let keyRoom = new Uint8Array(4096);

/** A path's bytes, good until the next call. */
function key(path: string): Uint8Array {
  if (path.length * 3 > keyRoom.length) keyRoom = new Uint8Array(path.length * 3);
  return keyRoom.subarray(0, encodeNameInto(path, keyRoom));
}

/** Removes a pair's baseline with all that belongs to it. */
export function removeBaseline(path: string): void {
  removeDatabase(path);
  fs.rmSync(writtenPath(path), { force: true });
}

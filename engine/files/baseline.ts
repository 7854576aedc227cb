import * as fs from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { decodeName, encodeNameInto, type Listing } from "../posix/mod.ts";

/**
 * What both sides agreed on when a pair was last synchronised: for each directory one row with its entries. It tells who
 * changed a path since. Losing it loses no data: the next run is then a first run, with no conflicts to see.
 */
export interface BaselineEntry {
  type: "file" | "directory" | "symlink";
  size: number;
  /** The source's modification time. */
  mtime: number;
  mtimeNs: number;
  /** The target's; another one only where its file system keeps coarser times. */
  targetMtime: number;
  targetMtimeNs: number;
  /** A link's target. */
  link: string;
}

const FILE = 1;
const DIRECTORY = 2;
const SYMLINK = 3;
const COARSE = 4;

/** Entries of one directory as bytes, in any order. Layout in {@link BaselineEncoder.add}. */
export class BaselineEncoder {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  reset(): void {
    this.#length = 0;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  #text(text: string): void {
    const room = text.length * 3 + 2;
    this.#reserve(room);
    const at = this.#length;
    const written = encodeNameInto(text, this.#bytes.subarray(at + 2, at + room));
    this.#view.setUint16(at, written, true);
    this.#length = at + 2 + written;
  }

  /** Writes kind (1 byte), name (length, bytes), then by kind: size and times (8+8+4, coarse +8+4), or a link's target. */
  add(name: string, entry: BaselineEntry): void {
    const { type, size, mtime, mtimeNs, targetMtime, targetMtimeNs } = entry;
    if (type === "directory") return this.#begin(DIRECTORY, name);
    if (type === "symlink") {
      this.#begin(SYMLINK, name);
      return this.#text(entry.link);
    }
    const coarse = targetMtime !== mtime || targetMtimeNs !== mtimeNs;
    this.#begin(coarse ? FILE | COARSE : FILE, name);
    this.#file(size, mtime, mtimeNs);
    if (coarse) {
      this.#reserve(12);
      this.#time(targetMtime, targetMtimeNs);
    }
  }

  /** As {@link add} of the listing's {@link baselineEntry}, without making one. */
  addListed(listing: Listing, index: number): void {
    const type = listing.type(index);
    const name = listing.names[index];
    if (type === "directory") return this.#begin(DIRECTORY, name);
    if (type === "symlink") {
      this.#begin(SYMLINK, name);
      return this.#text(listing.links.get(index) as string);
    }
    this.#begin(FILE, name);
    this.#file(listing.size(index), listing.mtime(index), listing.mtimeNs(index));
  }

  #begin(kind: number, name: string): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = kind;
    this.#text(name);
  }

  #file(size: number, mtime: number, mtimeNs: number): void {
    this.#reserve(20);
    this.#view.setFloat64(this.#length, size, true);
    this.#length += 8;
    this.#time(mtime, mtimeNs);
  }

  #time(seconds: number, nanoseconds: number): void {
    this.#view.setFloat64(this.#length, seconds, true);
    this.#view.setUint32(this.#length + 8, nanoseconds, true);
    this.#length += 12;
  }

  /** A view of what was added, good until the next call. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** The entry that a listing's entry makes where both sides agree; undefined for what is not synchronised. */
export function baselineEntry(listing: Listing, index: number): BaselineEntry | undefined {
  const type = listing.type(index);
  if (type === "special") return undefined;
  const [mtime, mtimeNs] = [listing.mtime(index), listing.mtimeNs(index)];
  return {
    type,
    size: listing.size(index),
    mtime,
    mtimeNs,
    targetMtime: mtime,
    targetMtimeNs: mtimeNs,
    link: listing.links.get(index) ?? "",
  };
}

/** Reads what {@link BaselineEncoder} wrote. */
export function decodeBaseline(bytes: Uint8Array): Map<string, BaselineEntry> {
  const entries = new Map<string, BaselineEntry>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const text = () => {
    const length = view.getUint16(at, true);
    at += 2 + length;
    return decodeName(bytes.subarray(at - length, at));
  };
  while (at < bytes.length) {
    const kind = bytes[at++];
    const name = text();
    const entry: BaselineEntry = {
      type: "directory",
      size: 0,
      mtime: 0,
      mtimeNs: 0,
      targetMtime: 0,
      targetMtimeNs: 0,
      link: "",
    };
    if ((kind & 3) === SYMLINK) {
      entry.type = "symlink";
      entry.link = text();
    } else if ((kind & 3) === FILE) {
      entry.type = "file";
      entry.size = view.getFloat64(at, true);
      entry.mtime = entry.targetMtime = view.getFloat64(at + 8, true);
      entry.mtimeNs = entry.targetMtimeNs = view.getUint32(at + 16, true);
      at += 20;
      if (kind & COARSE) {
        entry.targetMtime = view.getFloat64(at, true);
        entry.targetMtimeNs = view.getUint32(at + 8, true);
        at += 12;
      }
    }
    entries.set(name, entry);
  }
  return entries;
}

/** Whether a target's entry is still what the last run left there. */
export function targetUnchanged(baseline: BaselineEntry | undefined, target: Listing, index: number): boolean {
  if (baseline === undefined || baseline.type !== target.type(index)) return false;
  if (baseline.type === "directory") return true;
  if (baseline.type === "symlink") return baseline.link === target.links.get(index);
  return baseline.size === target.size(index) && baseline.targetMtime === target.mtime(index) &&
    baseline.targetMtimeNs === target.mtimeNs(index);
}

/** Whether a source's file is still what the last run read. */
export function sourceUnchanged(baseline: BaselineEntry | undefined, source: Listing, index: number): boolean {
  return baseline !== undefined && baseline.type === "file" && source.type(index) === "file" &&
    baseline.size === source.size(index) && baseline.mtime === source.mtime(index) &&
    baseline.mtimeNs === source.mtimeNs(index);
}

/** Reads a pair's baseline. */
export class BaselineReader {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;

  private constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true, timeout: 60_000 });
    this.#database.exec("PRAGMA mmap_size = 1073741824");
    this.#select = this.#database.prepare("SELECT entries FROM directory WHERE path = ?");
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
    this.#database.exec("BEGIN");
    try {
      return work();
    } finally {
      this.#database.exec("COMMIT");
    }
  }

  /** The row of a directory, for {@link decodeBaseline}. */
  read(directory: string): Uint8Array | undefined {
    return this.#select.get(key(directory))?.entries as Uint8Array | undefined;
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
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS directory (path BLOB PRIMARY KEY, entries BLOB NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS aside (path BLOB PRIMARY KEY, entries BLOB) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    `);
  }

  /** The row of a directory, for {@link decodeBaseline}. */
  read(directory: string): Uint8Array | undefined {
    const row = this.#database.prepare("SELECT entries FROM directory WHERE path = ?").get(key(directory));
    return row?.entries as Uint8Array | undefined;
  }

  /** Sets new rows aside; null forgets a directory and all below it. Lost in a power cut, which {@link settle} outlives. */
  setAside(rows: Iterable<[directory: string, entries: Uint8Array | null]>): void {
    this.#database.exec("PRAGMA synchronous = OFF");
    this.#transaction(() => {
      const put = this.#database.prepare("INSERT OR REPLACE INTO aside VALUES (?, ?)");
      for (const [directory, entries] of rows) put.run(key(directory), entries);
    });
  }

  /** Forgets what is set aside, and stores facts about the pair. */
  begin(facts: Record<string, string>): void {
    this.#transaction(() => {
      this.#database.exec("DELETE FROM aside");
      this.#setFacts(facts);
    });
  }

  /** Makes what was set aside the baseline, with facts about the pair, in one step. */
  settle(facts: Record<string, string>): void {
    this.#transaction(() => {
      const gone = this.#database.prepare("SELECT path FROM aside WHERE entries IS NULL").all();
      const remove = this.#database.prepare("DELETE FROM directory WHERE path = ? OR (path >= ? AND path < ?)");
      for (const { path } of gone as { path: Uint8Array }[]) remove.run(path, below(path, "/"), below(path, "0"));
      this.#database.exec(`
        INSERT OR REPLACE INTO directory SELECT path, entries FROM aside WHERE entries IS NOT NULL;
        DELETE FROM aside;
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
      this.#database.exec("ROLLBACK");
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

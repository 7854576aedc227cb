import * as fs from "node:fs";
import { createHash } from "node:crypto";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { DamagedFile, isDamage } from "../../sqlite_damage.ts";
import { isSameHash } from "../fingerprint.ts";
import type { FileState } from "../types.ts";
import { Chunker } from "../../backup/chunking/chunker.ts";
import { decodeName, encodeNameInto } from "../../posix/mod.ts";

/** Of texts: an edit in a long one costs a chunk or two. */
const CHUNKING = {
  algorithm: "fastcdc" as const,
  minimum: 16 << 10,
  average: 64 << 10,
  maximum: 256 << 10,
  normalization: 2,
  region: 1 << 20,
};
/** Nobody else sees where chunks end, so that needs no secret. */
const SEED = new Uint8Array(32);

/** A version of a file; without a text where it cannot be merged, so that it is not read again. */
export interface KeptFile extends KeptVersion {
  name: string;
  text: Uint8Array | undefined;
}

/** What tells a kept version from others. */
export interface KeptVersion extends FileState {
  /** SHA-256 of the file; undefined where nobody has read all of it, and of those that were kept before there were hashes. */
  hash: Uint8Array | undefined;
}

/** In the place of a hash that is not known. */
const NO_HASH = new Uint8Array(0);

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS pair (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS directory (
    id INTEGER PRIMARY KEY,
    pair INTEGER NOT NULL REFERENCES pair ON DELETE CASCADE,
    path BLOB NOT NULL,
    digest BLOB,
    UNIQUE (pair, path)
  );
  CREATE TABLE IF NOT EXISTS version (
    directory INTEGER NOT NULL REFERENCES directory ON DELETE CASCADE,
    name BLOB NOT NULL,
    size INTEGER NOT NULL,
    mtime INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    hash BLOB NOT NULL,
    chunks TEXT,
    PRIMARY KEY (directory, name, size, mtime, mtime_ns, hash)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS chunk (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    bytes BLOB NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0
  );
  CREATE TRIGGER IF NOT EXISTS version_added AFTER INSERT ON version BEGIN
    UPDATE chunk SET uses = uses + 1 WHERE id IN (SELECT value FROM json_each(NEW.chunks));
  END;
  CREATE TRIGGER IF NOT EXISTS version_removed AFTER DELETE ON version BEGIN
    UPDATE chunk SET uses = uses - 1 WHERE id IN (SELECT value FROM json_each(OLD.chunks));
    DELETE FROM chunk WHERE uses = 0 AND id IN (SELECT value FROM json_each(OLD.chunks));
  END;
`;

/** Takes over what a store has of before files had several versions. Its own triggers count its chunks down. */
const UPGRADE = `
  INSERT INTO version SELECT directory, name, size, mtime, mtime_ns, x'', chunks FROM text;
  DELETE FROM text;
  DROP TABLE text;
`;

/**
 * The texts of the versions that pairs last had in common, for merges: one SQLite file for all pairs, in which equal chunks are there
 * once, compressed, for as long as a text uses them. While a run is under way a file has those of before and after it, so that a kill at
 * any moment leaves the one that the baseline speaks of. Several threads may have it open. It only makes merges possible, so losing it, or
 * its last transactions in a power cut, loses no data.
 */
export class TextStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string) {
    // It holds what is in people's files.
    fs.closeSync(fs.openSync(path, "a", 0o600));
    this.#database = new DatabaseSync(path, { timeout: 60_000 });
    try {
      this.#database.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
      this.transaction(() => {
        this.#database.exec(SCHEMA);
        const old = this.#database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'text'").get();
        if (old !== undefined) this.#database.exec(UPGRADE);
      });
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }

  transaction<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      // What is damaged may have rolled back by itself.
      if (!isDamage(error)) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** What tells the row of the baseline for which a directory's texts were last kept. */
  digest(pair: string, path: string): Uint8Array | undefined {
    const row = this.#directory(pair, path);
    return row?.digest ?? undefined;
  }

  #directory(pair: string, path: string): { id: number; digest: Uint8Array | null } | undefined {
    return this.#prepare(
      "SELECT d.id, d.digest FROM directory d JOIN pair p ON p.id = d.pair WHERE p.name = ? AND d.path = ?",
    ).get(pair, encode(path)) as { id: number; digest: Uint8Array | null } | undefined;
  }

  /** The versions of a directory's files that are kept, by name. */
  versions(pair: string, path: string): Map<string, KeptVersion[]> {
    const id = this.#directory(pair, path)?.id;
    const versions = new Map<string, KeptVersion[]>();
    if (id === undefined) return versions;
    const rows = this.#prepare("SELECT name, size, mtime, mtime_ns, hash FROM version WHERE directory = ?").all(id);
    for (const row of rows) {
      const name = decodeName(row.name as Uint8Array);
      const hash = row.hash as Uint8Array;
      const version: KeptVersion = {
        size: row.size as number,
        mtime: row.mtime as number,
        mtimeNs: row.mtime_ns as number,
        hash: hash.length === 0 ? undefined : hash,
      };
      const others = versions.get(name);
      if (others === undefined) versions.set(name, [version]);
      else others.push(version);
    }
    return versions;
  }

  /** Keeps versions of a directory's files beside those that it has of them. */
  add(pair: string, path: string, files: KeptFile[]): void {
    const chunked = files.map(({ text }) => text === undefined ? undefined : [...chunks(text)]);
    this.transaction(() => {
      const id = this.#open(pair, path);
      for (const [index, { name, size, mtime, mtimeNs, hash }] of files.entries()) {
        const ids = chunked[index]?.map((chunk) => this.#chunk(chunk));
        this.#prepare("INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING").run(
          id,
          encode(name),
          size,
          mtime,
          mtimeNs,
          hash ?? NO_HASH,
          ids === undefined ? null : JSON.stringify(ids),
        );
      }
    });
  }

  /**
   * Forgets versions of a directory's files.
   * @param digest of the baseline's row for which all is kept that can be; undefined where more may be missing
   */
  settle(
    pair: string,
    path: string,
    gone: Iterable<[name: string, version: KeptVersion]>,
    digest: Uint8Array | undefined,
  ): void {
    this.transaction(() => {
      const id = this.#open(pair, path);
      const forget = this.#prepare(
        "DELETE FROM version WHERE directory = ? AND name = ? AND size = ? AND mtime = ? AND mtime_ns = ? AND hash = ?",
      );
      for (const [name, { size, mtime, mtimeNs, hash }] of gone) {
        forget.run(id, encode(name), size, mtime, mtimeNs, hash ?? NO_HASH);
      }
      this.#prepare("UPDATE directory SET digest = ? WHERE id = ?").run(digest ?? null, id);
    });
  }

  /** Makes the row of a directory where it is missing; returns its number. */
  #open(pair: string, path: string): number {
    this.#prepare("INSERT INTO pair (name) VALUES (?) ON CONFLICT DO NOTHING").run(pair);
    this.#prepare("INSERT INTO directory (pair, path) SELECT id, ? FROM pair WHERE name = ? ON CONFLICT DO NOTHING")
      .run(
        encode(path),
        pair,
      );
    return this.#directory(pair, path)?.id as number;
  }

  #chunk({ hash, bytes }: Chunk): number {
    const known = this.#prepare("SELECT id FROM chunk WHERE hash = ?").get(hash);
    if (known !== undefined) return known.id as number;
    return Number(this.#prepare("INSERT INTO chunk (hash, bytes) VALUES (?, ?)").run(hash, bytes()).lastInsertRowid);
  }

  /**
   * The text of a version; undefined where that is not kept, or where several have its size and time and no hash tells which it is.
   * @throws DamagedFile
   */
  read(pair: string, path: string, name: string, version: KeptVersion): Uint8Array | undefined {
    const { size, mtime, mtimeNs, hash } = version;
    const rows = this.#prepare(`
      SELECT v.chunks, v.hash FROM version v JOIN directory d ON d.id = v.directory JOIN pair p ON p.id = d.pair
      WHERE p.name = ? AND d.path = ? AND v.name = ? AND v.size = ? AND v.mtime = ? AND v.mtime_ns = ?
    `).all(pair, encode(path), encode(name), size, mtime, mtimeNs) as { chunks: string | null; hash: Uint8Array }[];
    const exact = rows.filter((row) => isSameHash(row.hash, hash));
    const [row, ...others] = exact.length > 0
      ? exact
      : rows.filter(({ hash: own }) => hash === undefined || own.length === 0);
    if (row === undefined || row.chunks === null || others.length > 0) return undefined;
    const text = new Uint8Array(size);
    let at = 0;
    for (const id of JSON.parse(row.chunks) as number[]) {
      const bytes = this.#readChunk(id);
      if (at + bytes.length > size) throw new DamagedFile("A kept text is longer than its version");
      text.set(bytes, at);
      at += bytes.length;
    }
    if (at < size) throw new DamagedFile("A kept text is shorter than its version");
    // What was kept without a hash may be another version's, with the same size and time.
    return hash === undefined || isSameHash(digestOf(text), hash) ? text : undefined;
  }

  #readChunk(id: number): Uint8Array {
    const row = this.#prepare("SELECT hash, bytes FROM chunk WHERE id = ?").get(id);
    if (row === undefined) throw new DamagedFile("A kept text lacks a chunk");
    const bytes = decompress(row.bytes as Uint8Array);
    if (!digestOf(bytes).equals(row.hash as Uint8Array)) throw new DamagedFile("A chunk of a kept text is damaged");
    return bytes;
  }

  /** The directories of a pair that it knows, in the order of their names' bytes. */
  *directories(pair: string): Generator<string> {
    const rows = this.#database.prepare(
      "SELECT d.path FROM directory d JOIN pair p ON p.id = d.pair WHERE p.name = ? ORDER BY d.path",
    ).all(pair);
    for (const { path } of rows) yield decodeName(path as Uint8Array);
  }

  forgetDirectories(pair: string, paths: string[]): void {
    this.transaction(() => {
      const forget = this.#prepare(
        "DELETE FROM directory WHERE path = ? AND pair = (SELECT id FROM pair WHERE name = ?)",
      );
      for (const path of paths) forget.run(encode(path), pair);
    });
  }

  /** Forgets pairs that are none any more, and gives free space back. */
  collect(isThere: (pair: string) => boolean): void {
    const gone = this.#database.prepare("SELECT name FROM pair").all().filter(({ name }) => !isThere(name as string));
    for (const { name } of gone) this.#prepare("DELETE FROM pair WHERE name = ?").run(name);
    this.#database.exec("PRAGMA incremental_vacuum");
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

interface Chunk {
  hash: Uint8Array;
  /** Compressed. */
  bytes(): Uint8Array;
}

function* chunks(text: Uint8Array): Generator<Chunk> {
  const chunker = new Chunker(CHUNKING, SEED);
  for (let start = 0; start < text.length;) {
    const length = chunker.next(text, start, text.length, true);
    const piece = text.subarray(start, start + length);
    yield { hash: digestOf(piece), bytes: () => zstdCompressSync(piece) };
    start += length;
  }
}

function decompress(bytes: Uint8Array): Uint8Array {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: CHUNKING.maximum });
  } catch (error) {
    throw new DamagedFile("A chunk of a kept text cannot be read", { cause: error });
  }
}

function digestOf(bytes: Uint8Array) {
  return createHash("sha256").update(bytes).digest();
}

function encode(name: string): Uint8Array {
  const bytes = new Uint8Array(name.length * 3);
  return bytes.subarray(0, encodeNameInto(name, bytes));
}

import * as fs from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Bucketing, Checksum } from "../../types.ts";
import type { RowState, Side } from "../decide.ts";
import { HashList, wordsOf } from "./hash_list.ts";
import { StagedSegments } from "./staged_segments.ts";
import { DamagedFile } from "../../../sqlite_damage.ts";

/** Key hash → row hash. */
export type BaseRows = Map<bigint, bigint>;

/** A write that a run was about to do: the side's row shall have this hash, or be gone. */
export interface Intent {
  keyHash: bigint;
  side: Side;
  to: RowState;
}

/**
 * Rows that were not written after all, by segment and the key's hash: they stay in the baseline what they were there, or become
 * the hash that is given.
 */
export type KeptRows = Map<number, Map<bigint, bigint | undefined>>;

/** A segment and what it is cut into, in the order of the keys. */
export interface SegmentCut {
  segment: number;
  parts: HashList[];
}

const TO_SOURCE = 1n;
const GONE = 2n;

/** The rows of a segment take about 2,500 bytes, of which pages of the usual size hold one. */
const SCHEMA = `
  PRAGMA page_size = 8192;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS bucket (bucket INTEGER PRIMARY KEY, rows INTEGER NOT NULL, sum TEXT NOT NULL, entries BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS intent (bucket INTEGER PRIMARY KEY, entries BLOB NOT NULL);
`;

/**
 * What the two tables of a pair agreed on when they were last synchronised: of each segment its checksum, and of each row 8
 * bytes that stand for its key and 8 bytes of its hash. It tells who changed a row since. Losing it loses no data: the next run
 * is then a first run, with no conflicts to see.
 *
 * A run sets the new state of the segments that it changes aside first, with what it is about to write (`intent`), and makes it
 * the baseline once everything is committed. Where it was killed between, the next run finds the intents, and takes a row that
 * is as intended for written by us and not for somebody's change.
 */
export class Baseline implements Disposable {
  readonly #database: DatabaseSync;
  readonly #shape: string;
  readonly #statements = new Map<string, StatementSync>();
  readonly #staged: StagedSegments;
  /** Segments with intents; undefined where it has to be looked up. */
  #intended: Set<number> | undefined;
  /** How the stored segments are cut; undefined where there is no baseline of this shape. */
  readonly bucketing: Bucketing | undefined;

  private constructor(path: string, shape: string, scratch: string) {
    this.#shape = shape;
    this.#staged = new StagedSegments(scratch);
    this.#database = new DatabaseSync(path, { timeout: 60_000 });
    try {
      this.#database.exec(SCHEMA);
      this.bucketing = this.#fact("shape") === shape ? this.#bucketing() : undefined;
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /**
   * Opens a pair's baseline. What it holds of another shape counts for nothing.
   * @param scratch path for a file of this run's own
   * @param mustBeThere nothing is made: undefined where there is no file
   */
  static open(path: string, shape: string, scratch: string, mustBeThere: boolean): Baseline | undefined {
    if (mustBeThere && !fs.existsSync(path)) return undefined;
    // It tells of rows, which are nobody else's business.
    fs.closeSync(fs.openSync(path, "a", 0o600));
    return new Baseline(path, shape, scratch);
  }

  /** The checksum of every segment's stored rows. */
  checksums(): Map<number, Checksum> {
    const rows = this.#database.prepare("SELECT bucket, rows, sum FROM bucket").all() as unknown as (
      { bucket: number; rows: number; sum: string }
    )[];
    return new Map(rows.map(({ bucket, rows, sum }) => [bucket, { bucket, rows, sum: BigInt(sum) }]));
  }

  rows(bucket: number): BaseRows {
    const found = this.#prepare("SELECT entries FROM bucket WHERE bucket = ?").get(bucket);
    return found === undefined ? new Map() : pairs(wordsOf(found.entries as Uint8Array));
  }

  /** Segments that a run which did not come to its end was about to write. */
  pending(): Set<number> {
    const rows = this.#database.prepare("SELECT bucket FROM intent").all();
    return new Set(rows.map(({ bucket }) => bucket as number));
  }

  /** What it was about to write there. */
  intents(bucket: number): Intent[] {
    const found = this.#prepare("SELECT entries FROM intent WHERE bucket = ?").get(bucket);
    if (found === undefined) return [];
    const words = wordsOf(found.entries as Uint8Array);
    return Array.from({ length: words.length / 4 }, (_, n): Intent => {
      const [keyHash, hash, flags] = words.subarray(4 * n, 4 * n + 3);
      const to = (flags & GONE) !== 0n ? undefined : hash;
      return { keyHash, side: (flags & TO_SOURCE) !== 0n ? "source" : "target", to };
    });
  }

  /** Begins to set aside. What was set aside before is forgotten; so {@link absorb} what was pending. */
  begin(): void {
    this.#database.exec("BEGIN IMMEDIATE");
    this.#staged.clear();
  }

  /** Corrects a pending segment's rows by what turned out to have been written. */
  absorb(bucket: number, rows: BaseRows): void {
    const list = new HashList();
    for (const [key, hash] of rows) list.add(key, hash);
    this.#put({ bucket, rows: list.length / 2, sum: list.sum() }, list.bytes());
    this.#prepare("DELETE FROM intent WHERE bucket = ?").run(bucket);
    this.#intended?.delete(bucket);
  }

  /** Sets a segment's new rows aside. */
  stage(bucket: number, rows: HashList): Checksum {
    return this.#staged.set(bucket, rows);
  }

  /** Adds to what is set aside of a segment. @returns the checksum of all of it */
  stageMore(bucket: number, rows: HashList): Checksum {
    return this.#staged.add(bucket, rows);
  }

  /** Notes what is about to be written, to be called before that is committed. */
  addIntents(bucket: number, intents: Intent[]): void {
    const intended = this.#intended ??= this.pending();
    const before = intended.has(bucket) ? this.intents(bucket) : [];
    intended.add(bucket);
    const list = new HashList(2 * (before.length + intents.length));
    for (const { keyHash, side, to } of [...before, ...intents]) {
      list.add(keyHash, to ?? 0n);
      list.add((side === "source" ? TO_SOURCE : 0n) | (to === undefined ? GONE : 0n), 0n);
    }
    this.#prepare("INSERT OR REPLACE INTO intent VALUES (?, ?)").run(bucket, list.bytes());
  }

  /** Ends the setting aside: what is about to be written is on the disk now, and the writing may begin. */
  prepared(): void {
    this.#database.exec("COMMIT");
  }

  /** Forgets what is set aside since {@link begin}. */
  abandon(): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    this.#staged.clear();
    this.#intended = undefined;
  }

  /** Forgets what was set aside, where it is certain that nothing of it was written. */
  discard(): void {
    this.abandon();
    this.#database.exec("DELETE FROM intent");
  }

  /**
   * Makes what was set aside the baseline.
   * @param whole every segment was set aside, cut in this way
   */
  settle(whole: Bucketing | undefined, kept: KeptRows): void {
    this.#transaction(() => {
      for (const [bucket, keys] of kept) {
        this.#restore(bucket, keys, whole !== undefined && this.bucketing === undefined);
      }
      if (whole !== undefined) this.#database.exec("DELETE FROM bucket");
      for (const { checksum, entries } of this.#staged.all()) {
        if (checksum.rows > 0) this.#put(checksum, entries);
        else this.#prepare("DELETE FROM bucket WHERE bucket = ?").run(checksum.bucket);
      }
      this.#database.exec("DELETE FROM intent");
      this.#intended = undefined;
      if (whole === undefined) return;
      const put = this.#database.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)");
      put.run("shape", this.#shape);
      put.run("bucketing", JSON.stringify(whole));
    });
  }

  /**
   * Puts several segments in the place of each of some.
   * @param boundaries of all segments as they are then
   */
  cut(cuts: SegmentCut[], boundaries: string[]): void {
    this.#transaction(() => {
      for (const { segment, parts } of cuts.toReversed()) {
        const more = parts.length - 1;
        // By way of negative numbers, so that none is there twice.
        this.#database.exec(`
          DELETE FROM bucket WHERE bucket = ${segment};
          UPDATE bucket SET bucket = -bucket - ${more} WHERE bucket > ${segment};
          UPDATE bucket SET bucket = -bucket WHERE bucket < 0;
        `);
        for (const [at, part] of parts.entries()) {
          if (part.length === 0) continue;
          this.#put({ bucket: segment + at, rows: part.length / 2, sum: part.sum() }, part.bytes());
        }
      }
      const put = this.#database.prepare("UPDATE meta SET value = ? WHERE name = 'bucketing'");
      put.run(JSON.stringify({ scheme: "range", boundaries }));
    });
  }

  #restore(bucket: number, kept: Map<bigint, bigint | undefined>, isFirst: boolean): void {
    const staged = this.#staged.get(bucket);
    if (staged === undefined) return;
    const rows = pairs(staged);
    const before: BaseRows = isFirst ? new Map() : this.rows(bucket);
    for (const [key, now] of kept) {
      const hash = now ?? before.get(key);
      if (hash === undefined) rows.delete(key);
      else rows.set(key, hash);
    }
    const list = new HashList();
    for (const [key, hash] of rows) list.add(key, hash);
    this.#staged.set(bucket, list);
  }

  #put({ bucket, rows, sum }: Checksum, entries: Uint8Array): void {
    this.#prepare("INSERT OR REPLACE INTO bucket VALUES (?, ?, ?, ?)").run(bucket, rows, sum.toString(), entries);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }

  #fact(name: string): string | undefined {
    return this.#database.prepare("SELECT value FROM meta WHERE name = ?").get(name)?.value as string | undefined;
  }

  #bucketing(): Bucketing {
    try {
      return JSON.parse(this.#fact("bucketing") ?? "");
    } catch (error) {
      throw new DamagedFile("The segments' borders cannot be read", { cause: error });
    }
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
    this.#staged[Symbol.dispose]();
  }
}

function pairs(words: BigUint64Array): BaseRows {
  const rows: BaseRows = new Map();
  for (let i = 0; i < words.length; i += 2) rows.set(words[i], words[i + 1]);
  return rows;
}

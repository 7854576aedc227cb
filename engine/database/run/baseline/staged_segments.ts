import * as fs from "node:fs";
import type { Checksum } from "../../types.ts";
import { type HashList, wordsOf } from "./hash_list.ts";

const BUFFER = 1 << 20;
/** A segment that comes in more pieces is put together again. */
const MOST_PIECES = 16;

interface Staged {
  checksum: Checksum;
  /** Offset and length of each piece in the file. */
  pieces: [offset: number, length: number][];
}

/**
 * The rows of segments as a run will leave them, in a file of the run's own that is worth nothing after it: in the baseline's
 * database they would be written to the disk four times.
 */
export class StagedSegments implements Disposable {
  readonly #path: string;
  readonly #segments = new Map<number, Staged>();
  #buffer: Uint8Array | undefined;
  #buffered = 0;
  #file: number | undefined;
  #written = 0;

  /** Nothing is made on the disk before there is more than memory should hold. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Sets a segment's rows, in place of what there was of it. */
  set(bucket: number, rows: HashList): Checksum {
    const staged: Staged = { checksum: { bucket, rows: rows.length / 2, sum: rows.sum() }, pieces: [] };
    if (rows.length > 0) staged.pieces.push(this.#put(rows.bytes()));
    this.#segments.set(bucket, staged);
    return staged.checksum;
  }

  /** Adds rows to those of a segment. @returns the checksum of all of them */
  add(bucket: number, rows: HashList): Checksum {
    const staged = this.#segments.get(bucket);
    if (staged === undefined) return this.set(bucket, rows);
    const { checksum } = staged;
    checksum.rows += rows.length / 2;
    checksum.sum = BigInt.asUintN(64, checksum.sum + rows.sum());
    const bytes = rows.bytes();
    staged.pieces = staged.pieces.length < MOST_PIECES
      ? [...staged.pieces, this.#put(bytes)]
      : [this.#put(joined([this.#read(staged), bytes]))];
    return checksum;
  }

  /** The words of a segment's rows; undefined where nothing is staged of it. */
  get(bucket: number): BigUint64Array | undefined {
    const staged = this.#segments.get(bucket);
    return staged === undefined ? undefined : wordsOf(this.#read(staged));
  }

  /** Everything, each segment's rows as a {@link HashList}'s bytes, which are good until the next. */
  *all(): Generator<{ checksum: Checksum; entries: Uint8Array }> {
    for (const staged of this.#segments.values()) yield { checksum: staged.checksum, entries: this.#read(staged) };
  }

  clear(): void {
    this.#segments.clear();
    this.#buffered = this.#written = 0;
  }

  #put(bytes: Uint8Array): [number, number] {
    const buffer = this.#buffer ??= new Uint8Array(BUFFER);
    if (this.#buffered + bytes.length > BUFFER) {
      this.#write(buffer.subarray(0, this.#buffered));
      this.#buffered = 0;
    }
    const place: [number, number] = [this.#written + this.#buffered, bytes.length];
    if (bytes.length > BUFFER) this.#write(bytes);
    else {
      buffer.set(bytes, this.#buffered);
      this.#buffered += bytes.length;
    }
    return place;
  }

  #write(bytes: Uint8Array): void {
    this.#file ??= fs.openSync(this.#path, "w+", 0o600);
    for (let at = 0; at < bytes.length;) {
      at += fs.writeSync(this.#file, bytes, at, bytes.length - at, this.#written + at);
    }
    this.#written += bytes.length;
  }

  #read({ pieces }: Staged): Uint8Array {
    return joined(pieces.map(([offset, length]) => {
      // A piece is in the file or in the buffer, never in both.
      const at = offset - this.#written;
      return at >= 0 ? (this.#buffer as Uint8Array).subarray(at, at + length) : this.#fromFile(offset, length);
    }));
  }

  #fromFile(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const count = fs.readSync(this.#file as number, bytes, at, length - at, offset + at);
      if (count === 0) throw new Error(`Cannot read the segments: ${this.#path} is shorter than it was written`);
      at += count;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    if (this.#file === undefined) return;
    fs.closeSync(this.#file);
    fs.rmSync(this.#path);
    this.#file = undefined;
  }
}

function joined(parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

import * as fs from "node:fs";
import type { HashedRow } from "../types.ts";

const MOST_BUFFERED = 1 << 14;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Partition {
  lines: string[];
  length: number;
  /** Offset and length of each piece that was written. */
  pieces: [number, number][];
}

/** Rows that arrive in any order and are too many for memory, in a file, by partitions that are read one at a time. */
export class RowPartitions implements Disposable {
  readonly #path: string;
  readonly #partitions: Partition[];
  #file: number | undefined;
  #end = 0;

  constructor(path: string, count: number) {
    this.#path = path;
    this.#partitions = Array.from({ length: count }, () => ({ lines: [], length: 0, pieces: [] }));
  }

  add(partition: number, { bucket, key, hash }: HashedRow): void {
    const to = this.#partitions[partition];
    const line = JSON.stringify([bucket, hash.toString(16), ...key]);
    to.lines.push(line);
    to.length += line.length;
    if (to.length > MOST_BUFFERED) this.#write(to);
  }

  /** In the order in which they were added. */
  read(partition: number): HashedRow[] {
    const { pieces, lines } = this.#partitions[partition];
    const rows: HashedRow[] = [];
    for (const [offset, length] of pieces) {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length;) {
        const count = fs.readSync(this.#file as number, bytes, at, length - at, offset + at);
        if (count === 0) throw new Error(`Cannot read the rows: ${this.#path} is shorter than it was written`);
        at += count;
      }
      for (const line of decoder.decode(bytes).split("\n")) rows.push(parse(line));
    }
    for (const line of lines) rows.push(parse(line));
    return rows;
  }

  #write(partition: Partition): void {
    this.#file ??= fs.openSync(this.#path, "w+", 0o600);
    const bytes = encoder.encode(partition.lines.join("\n"));
    for (let at = 0; at < bytes.length;) {
      at += fs.writeSync(this.#file, bytes, at, bytes.length - at, this.#end + at);
    }
    partition.pieces.push([this.#end, bytes.length]);
    partition.lines = [];
    partition.length = 0;
    this.#end += bytes.length;
  }

  [Symbol.dispose](): void {
    if (this.#file === undefined) return;
    fs.closeSync(this.#file);
    fs.rmSync(this.#path);
  }
}

function parse(line: string): HashedRow {
  const [bucket, hash, ...key] = JSON.parse(line);
  return { bucket, key, hash: BigInt(`0x${hash}`) };
}

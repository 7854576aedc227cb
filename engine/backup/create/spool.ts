import * as fs from "node:fs";
import { RunCounter } from "./run_counter.ts";

/** A place in a spool file, bytes. */
export interface SpoolRange {
  offset: number;
  length: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * What a run knows of single files lies in this file, so that its size never counts in memory. Several threads append to it:
 * each takes its place by adding to a shared counter. Text only; JSON keeps names that are not UTF-8.
 */
export class Spool implements Disposable {
  readonly #file: number;
  readonly #counters: BigInt64Array;

  constructor(path: string, counters: BigInt64Array) {
    this.#file = fs.openSync(path, "r+");
    this.#counters = counters;
  }

  append(text: string): SpoolRange {
    const bytes = encoder.encode(text);
    const offset = Number(Atomics.add(this.#counters, RunCounter.spool, BigInt(bytes.length)));
    for (let at = 0; at < bytes.length;) at += fs.writeSync(this.#file, bytes, at, bytes.length - at, offset + at);
    return { offset, length: bytes.length };
  }

  read({ offset, length }: SpoolRange): string {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const count = fs.readSync(this.#file, bytes, at, length - at, offset + at);
      if (count === 0) throw new Error("Cannot read the spool: its file is shorter than it was written");
      at += count;
    }
    return decoder.decode(bytes);
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#file);
  }
}

import { Random } from "../random.ts";

const MIB = 1024 * 1024;
const WORDS = MIB / 4;
/** Words of 8 bytes that the part to be compressed consists of. */
const DICTIONARY = 256;

/**
 * A big file as of a database or a virtual machine: no two MiB of it are alike, nor parts of them, half of each can be compressed, and
 * 1% of it changes in runs of a MiB.
 */
export class BigFile {
  readonly #path: string;
  readonly #mebibytes: number;
  readonly #dictionary: Uint32Array;
  readonly #seed: number;
  readonly #piece = new Uint32Array(WORDS);
  #version = 0;

  /** @param bytes a whole number of MiB */
  constructor(path: string, bytes: number, seed: number) {
    this.#path = path;
    this.#mebibytes = bytes / MIB;
    this.#seed = seed;
    const random = new Random(seed);
    this.#dictionary = Uint32Array.from({ length: 2 * DICTIONARY }, () => random.uint32());
  }

  /** Writes all of it. */
  async make(signal: AbortSignal): Promise<void> {
    using file = await Deno.open(this.#path, { write: true, createNew: true });
    for (let index = 0; index < this.#mebibytes; index++) {
      signal.throwIfAborted();
      await this.#write(file, index);
    }
  }

  /** Gives 1% of its MiB, at least one, another content. */
  async change(): Promise<void> {
    this.#version++;
    const random = new Random(this.#seed + this.#version);
    const count = Math.max(1, Math.round(this.#mebibytes / 100));
    const places = new Set<number>();
    while (places.size < count) places.add(random.int(this.#mebibytes));
    using file = await Deno.open(this.#path, { write: true });
    for (const index of places) await this.#write(file, index);
  }

  async #write(file: Deno.FsFile, index: number): Promise<void> {
    const random = new Random(this.#seed ^ (this.#version * this.#mebibytes + index + 1));
    const piece = this.#piece;
    for (let at = 0; at < WORDS / 2; at += 2) {
      const word = 2 * random.int(DICTIONARY);
      piece[at] = this.#dictionary[word];
      piece[at + 1] = this.#dictionary[word + 1];
    }
    for (let at = WORDS / 2; at < WORDS; at++) piece[at] = random.uint32();
    await file.seek(index * MIB, Deno.SeekMode.Start);
    const bytes = new Uint8Array(piece.buffer);
    for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
  }
}

import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";

const PIECE = 1 << 16;
const ZEROS = Buffer.alloc(PIECE);
/** Of nothing but zeros, by their size. */
const zeroHashes = new Map<number, Buffer>();

/** Bytes of any length in memory, of which runs of zeros take none. */
export class SparseBytes {
  size = 0;
  /** By their number; what is missing is zeros. */
  readonly #pieces = new Map<number, Uint8Array>();

  /** @param stream whose bytes are kept. */
  static async of(stream: AsyncIterable<Uint8Array> | null): Promise<SparseBytes> {
    const bytes = new SparseBytes();
    for await (const arrived of stream ?? []) bytes.append(arrived);
    return bytes;
  }

  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const [number, offset] = [Math.floor(this.size / PIECE), this.size % PIECE];
      const run = bytes.subarray(at, at + PIECE - offset);
      if (!isZero(run)) {
        const piece = this.#pieces.get(number) ?? new Uint8Array(PIECE);
        piece.set(run, offset);
        this.#pieces.set(number, piece);
      }
      at += run.length;
      this.size += run.length;
    }
  }

  *slice(start: number, end: number): Generator<Uint8Array<ArrayBuffer>> {
    for (let at = start; at < end;) {
      const offset = at % PIECE;
      const until = Math.min(PIECE, offset + end - at);
      yield Uint8Array.from((this.#pieces.get(Math.floor(at / PIECE)) ?? ZEROS).subarray(offset, until));
      at += until - offset;
    }
  }

  md5(): Buffer {
    if (this.#pieces.size > 0) return this.#md5();
    const known = zeroHashes.get(this.size) ?? this.#md5();
    zeroHashes.set(this.size, known);
    return known;
  }

  #md5(): Buffer {
    const hash = createHash("md5");
    for (const piece of this.slice(0, this.size)) hash.update(piece);
    return hash.digest();
  }
}

function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, ZEROS.subarray(0, bytes.length)) === 0;
}

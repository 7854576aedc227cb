import type { Descriptor } from "../posix/mod.ts";
import { BLOCK, pieceBuffer, pieceSize, writePiece } from "../posix/piece.ts";

/**
 * Writes runs of bytes to a file in large pieces; what lies between two runs is left as it is, but for the rest of a block. Use one at a
 * time in a thread: it has the thread's piece.
 */
export class PieceWriter {
  readonly #file: Descriptor;
  readonly #direct: boolean;
  /** Where the piece begins in the file. */
  #start: number;
  #filled = 0;

  /**
   * @param start where the first byte goes; a whole number of blocks with `direct`.
   * @param direct the file was opened past the page cache: blocks are written whole, filled up with zeros, so the file may
   * have to be cut afterwards.
   */
  constructor(file: Descriptor, start: number, direct: boolean) {
    this.#file = file;
    this.#start = start;
    this.#direct = direct;
  }

  /** Bytes for a place that is not before the end of those that were put last. */
  put(bytes: Uint8Array, offset: number): void {
    if (offset !== this.#start + this.#filled) this.#skipTo(offset);
    for (let taken = 0; taken < bytes.length;) {
      const count = Math.min(bytes.length - taken, pieceSize - this.#filled);
      pieceBuffer.set(
        taken === 0 && count === bytes.length ? bytes : bytes.subarray(taken, taken + count),
        this.#filled,
      );
      this.#filled += count;
      taken += count;
      if (this.#filled === pieceSize) this.flush();
    }
  }

  #skipTo(offset: number): void {
    const block = offset - offset % BLOCK;
    if (block - this.#start <= this.#filled + BLOCK && offset - this.#start < pieceSize) {
      pieceBuffer.fill(0, this.#filled, offset - this.#start);
      this.#filled = offset - this.#start;
      return;
    }
    this.flush();
    this.#start = this.#direct ? block : offset;
    this.#filled = offset - this.#start;
    pieceBuffer.fill(0, 0, this.#filled);
  }

  flush(): void {
    if (this.#filled === 0) return;
    let length = this.#filled;
    if (this.#direct && length % BLOCK !== 0) {
      length += BLOCK - length % BLOCK;
      pieceBuffer.fill(0, this.#filled, length);
    }
    writePiece(this.#file, length, this.#start);
    this.#start += this.#filled;
    this.#filled = 0;
  }
}

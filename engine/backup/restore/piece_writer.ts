import { type Descriptor, writeFrom, writeFromLater } from "../../posix/mod.ts";
import { BLOCK, pieceBuffer, pieceSize } from "../../posix/piece.ts";

/** The thread's piece is used as two: one is filled while the other one is written. */
const SIZE = pieceSize / 2;
const PIECES = [pieceBuffer.subarray(0, SIZE), pieceBuffer.subarray(SIZE)];

/**
 * Writes runs of bytes to a file in large pieces; what lies between two runs is left as it is, but for the rest of a block. Use one at a
 * time in a thread: it has the thread's piece. Dispose of it before the file is closed: a piece may be on its way.
 */
export class PieceWriter implements AsyncDisposable {
  readonly #file: Descriptor;
  readonly #direct: boolean;
  /** Where the piece begins in the file. */
  #start: number;
  #filled = 0;
  /** The piece that is filled. */
  #piece = 0;
  /** The write of the other one. */
  #writing: Promise<void> = Promise.resolve();

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

  /**
   * Bytes for a place that is not before the end of those that were put last. They may be used again once it returns, or, where it
   * returns a promise, once that resolves.
   * @throws PosixError
   */
  put(bytes: Uint8Array, offset: number): Promise<void> | undefined {
    if (offset !== this.#start + this.#filled || this.#filled + bytes.length >= SIZE) return this.#put(bytes, offset);
    PIECES[this.#piece].set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  async #put(bytes: Uint8Array, offset: number): Promise<void> {
    if (offset !== this.#start + this.#filled) await this.#skipTo(offset);
    for (let taken = 0; taken < bytes.length;) {
      const count = Math.min(bytes.length - taken, SIZE - this.#filled);
      PIECES[this.#piece].set(bytes.subarray(taken, taken + count), this.#filled);
      this.#filled += count;
      taken += count;
      if (this.#filled === SIZE) await this.#flush();
    }
  }

  async #skipTo(offset: number): Promise<void> {
    const block = offset - offset % BLOCK;
    if (block - this.#start <= this.#filled + BLOCK && offset - this.#start < SIZE) {
      PIECES[this.#piece].fill(0, this.#filled, offset - this.#start);
      this.#filled = offset - this.#start;
      return;
    }
    await this.#flush();
    this.#start = this.#direct ? block : offset;
    this.#filled = offset - this.#start;
    PIECES[this.#piece].fill(0, 0, this.#filled);
  }

  async #flush(): Promise<void> {
    if (this.#filled === 0) return;
    const piece = PIECES[this.#piece];
    let length = this.#filled;
    if (this.#direct && length % BLOCK !== 0) {
      length += BLOCK - length % BLOCK;
      piece.fill(0, this.#filled, length);
    }
    await this.#writing;
    // What is short is written sooner than another thread has begun.
    if (length < SIZE) writeFrom(this.#file, piece.subarray(0, length), this.#start);
    else {
      this.#writing = writeFromLater(this.#file, piece, this.#start);
      // Whoever waits for it next is told.
      this.#writing.catch(() => {});
      this.#piece = 1 - this.#piece;
    }
    this.#start += this.#filled;
    this.#filled = 0;
  }

  /** Writes what is left. @throws PosixError */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#writing]);
  }
}

import { createHash, type Hash } from "node:crypto";
import type { Descriptor } from "../posix/mod.ts";
import { pieceBuffer, pieceSize, readPiece } from "../posix/piece.ts";

/** SHA-256 of a file whose pieces come one after the other. */
export class CopyHasher {
  readonly #hash: Hash = createHash("sha256");
  #length = 0;

  /** Takes a piece; after a hole it takes none any more. */
  update(bytes: Uint8Array, offset: number): void {
    if (offset !== this.#length) return;
    this.#hash.update(bytes);
    this.#length += bytes.length;
  }

  /** Reads what has not come. */
  readRest(file: Descriptor, size: number): void {
    for (let at = this.#length; at < size; at = this.#length) {
      const count = readPiece(file, Math.min(pieceSize, size - at), at);
      if (count === 0) return;
      this.update(pieceBuffer.subarray(0, count), at);
    }
  }

  /** Undefined where not all of the file's bytes have come. */
  digest(size: number): Uint8Array | undefined {
    return this.#length === size ? this.#hash.digest() : undefined;
  }
}

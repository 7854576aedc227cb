import type { Descriptor } from "./calls.ts";
import { lastError } from "./error.ts";
import { addressOf, errno, libc } from "./libc.ts";

/** What direct transfers align to: the largest logical block of common devices, and a page. */
export const BLOCK = 4096;

/** Bytes that a thread moves at once. Larger pieces cost memory and gain nothing measurable. */
export const pieceSize = 8 << 20;

const memory = new ArrayBuffer(pieceSize + BLOCK);
const misaligned = addressOf(memory) % BLOCK;
const padding = misaligned === 0 ? 0 : BLOCK - misaligned;
const address = addressOf(memory) + padding;
const EINTR = 4;
const EINVAL = 22;

/** This thread's piece of file data, at an address that direct transfers accept. */
export const pieceBuffer: Uint8Array = new Uint8Array(memory, padding, pieceSize);

/**
 * Fills the piece from a file's offset and returns how many bytes there were: fewer than wanted only at the file's end.
 * @throws PosixError
 */
export function readPiece(file: Descriptor, wanted: number, offset: number): number {
  let filled = 0;
  while (filled < wanted) {
    const count = libc.pread(file, address + filled, wanted - filled, offset + filled);
    if (count === 0) break;
    if (count > 0) filled += count;
    else if (errno() === EINVAL && filled % BLOCK !== 0) break; // a direct read ended at the file's end
    else if (errno() !== EINTR) throw lastError("read");
  }
  return filled;
}

/** Writes the piece's first bytes at a file's offset, all of them. @throws PosixError */
export function writePiece(file: Descriptor, length: number, offset: number): void {
  let written = 0;
  while (written < length) {
    const count = libc.pwrite(file, address + written, length - written, offset + written);
    if (count >= 0) written += count;
    else if (errno() !== EINTR) throw lastError("write");
  }
}

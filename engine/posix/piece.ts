import type { Descriptor } from "./calls.ts";
import { lastError } from "./error.ts";
import { addressOf, errno, libc } from "./libc.ts";

/** What direct transfers align to: the largest logical block of common devices, and a page. */
export const BLOCK = 4096;

/** Bytes that a thread moves at once. Larger pieces cost memory and gain nothing measurable. */
export const pieceSize = 8 << 20;

const memory = new ArrayBuffer(pieceSize + BLOCK);
const address = aligned(memory);
const EINTR = 4;
const EINVAL = 22;

/** This thread's piece of file data, at an address that direct transfers accept. */
export const pieceBuffer: Uint8Array = new Uint8Array(memory, address - addressOf(memory), pieceSize);

/** What a piece is compared in: small enough for the processor's cache. */
const COMPARED_SIZE = 1 << 18;
const comparedMemory = new ArrayBuffer(COMPARED_SIZE + BLOCK);
const comparedAddress = aligned(comparedMemory);
const compared = new Uint8Array(comparedMemory, comparedAddress - addressOf(comparedMemory), COMPARED_SIZE);

/**
 * Fills the piece from a file's offset and returns how many bytes there were: fewer than wanted only at the file's end.
 * @throws PosixError
 */
export function readPiece(file: Descriptor, wanted: number, offset: number): number {
  return readTo(address, file, wanted, offset);
}

function readTo(to: number, file: Descriptor, wanted: number, offset: number): number {
  let filled = 0;
  while (filled < wanted) {
    const count = libc.pread(file, BigInt(to + filled), BigInt(wanted - filled), BigInt(offset + filled));
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
    const count = libc.pwrite(file, BigInt(address + written), BigInt(length - written), BigInt(offset + written));
    if (count >= 0) written += count;
    else if (errno() !== EINTR) throw lastError("write");
  }
}

/**
 * Whether a file has the piece's first bytes at an offset. Reads whole blocks, so past the cache where the file was opened so.
 * @throws PosixError
 */
export function readsBack(file: Descriptor, length: number, offset: number): boolean {
  for (let at = 0; at < length; at += COMPARED_SIZE) {
    const wanted = Math.min(COMPARED_SIZE, length - at);
    const count = readTo(comparedAddress, file, Math.ceil(wanted / BLOCK) * BLOCK, offset + at);
    if (count < wanted) return false;
    if (libc.memcmp(BigInt(address + at), compared, BigInt(wanted)) !== 0) return false;
  }
  return true;
}

function aligned(memory: ArrayBuffer): number {
  return Math.ceil(addressOf(memory) / BLOCK) * BLOCK;
}

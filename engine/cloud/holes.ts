import { Buffer } from "node:buffer";

const ZEROS = Buffer.alloc(1 << 20);

/** Whether nothing but zeros is in a piece: a file that has a hole there reads the same, and takes no space for it. */
export function isHole(piece: Uint8Array): boolean {
  for (let at = 0; at < piece.length; at += ZEROS.length) {
    const part = piece.subarray(at, at + ZEROS.length);
    if (Buffer.compare(part, ZEROS.subarray(0, part.length)) !== 0) return false;
  }
  return true;
}

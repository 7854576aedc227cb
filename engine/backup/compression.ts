/** zstd, as frames of packs use it: FORMAT.md section 4. */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { damaged } from "./damaged.ts";

/** Chosen by measurement. */
export const LEVEL = 3;

/** The bytes compressed at a zstd level, or null where that is not worth it and they should be stored raw. */
export function compress(bytes: Uint8Array, level: number = LEVEL): Uint8Array | null {
  const result = zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } });
  return result.length < bytes.length ? result : null;
}

/**
 * @param length What must come out, in bytes; never more is made.
 * @param what Names the object in errors.
 * @throws {EngineError} `damaged` where it is no zstd frame or of another length.
 */
export function decompress(bytes: Uint8Array, length: number, what: string): Uint8Array {
  let result: Uint8Array;
  try {
    result = zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, length) });
  } catch (cause) {
    throw damaged(what, "it cannot be decompressed", { cause });
  }
  if (result.length !== length) throw damaged(what, `decompressed it has ${result.length} bytes instead of ${length}`);
  return result;
}

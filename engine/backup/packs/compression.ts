/** zstd, as frames of packs use it: FORMAT.md section 4. */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { damaged } from "../repository/damaged.ts";

/**
 * On programs, text and pictures (1.7 GB, frames of 1 MiB, a busy machine) level 2 made 0.966 of restic's repository at 151 MiB/s,
 * level 1 1.022 at 182, level 3 0.928 at 115.
 */
export const LEVEL = 2;

/** What compression must save, as a share: less is not worth decompressing it each time it is read. */
const WORTH = 1 / 64;

/**
 * The bytes compressed, or null where that is not worth it and they should be stored raw.
 *
 * zstd itself is the test: at this level it goes through noise at 2,700 MiB/s, taking longer steps the longer it finds nothing.
 * A histogram of the bytes in TypeScript is slower, and samples miss what repeats far apart.
 */
export function compress(bytes: Uint8Array, level: number = LEVEL): Uint8Array<ArrayBuffer> | null {
  // Room for the largest result at once (ZSTD_COMPRESSBOUND): one call of zstd, which then knows the input's length too.
  const chunkSize = bytes.length + (bytes.length >>> 8) + 128;
  const result = zstdCompressSync(bytes, { chunkSize, params: { [constants.ZSTD_c_compressionLevel]: level } });
  return result.length < bytes.length * (1 - WORTH) ? result as Uint8Array<ArrayBuffer> : null;
}

/**
 * @param length What must come out, in bytes; never more is made.
 * @param what Names the object in errors.
 * @throws {EngineError} `damaged` where it is no zstd frame or of another length.
 */
export function decompress(bytes: Uint8Array, length: number, what: string): Uint8Array<ArrayBuffer> {
  let result: Uint8Array;
  try {
    result = zstdDecompressSync(bytes, { chunkSize: length + 64, maxOutputLength: Math.max(1, length) });
  } catch (cause) {
    throw damaged(what, "it cannot be decompressed", { cause });
  }
  if (result.length !== length) throw damaged(what, `decompressed it has ${result.length} bytes instead of ${length}`);
  return result as Uint8Array<ArrayBuffer>;
}

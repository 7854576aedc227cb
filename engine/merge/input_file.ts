import { basename, dirname } from "node:path/posix";
import { EngineError } from "../errors.ts";
import * as posix from "../posix/mod.ts";
import { invalidFile, mergeFileError } from "./file_error.ts";

const MIB = 1024 ** 2;
/** The largest file that is merged, in bytes. */
const MOST_BYTES = 64 * MIB;
/** Numbering lines takes eight bytes for each. */
const MOST_LINES = 20_000_000;
const LF = 10;

/**
 * Reads a file of text whole. No link is followed on the way to it. Blocks, so it belongs in a worker.
 * @throws EngineError `not-found`; `forbidden`; `invalid` for what is no file, too large or binary; `conflict` where it changed
 */
export function readInput(field: string, path: string): Uint8Array {
  const bytes = readWhole(field, path);
  if (isBinary(bytes)) throw invalidFile(`${field}: ${path} is binary: it has NUL bytes. Only text can be merged.`);
  if (bytes.length > MOST_LINES && countLines(bytes) > MOST_LINES) {
    throw invalidFile(`${field}: ${path} has more than ${MOST_LINES} lines, which is the most that is merged.`);
  }
  return bytes;
}

/** Whether a file is no text: it has a NUL byte, as UTF-16 has, too. */
export function isBinary(bytes: Uint8Array): boolean {
  return bytes.includes(0);
}

function readWhole(field: string, path: string): Uint8Array {
  try {
    const file = open(path);
    try {
      const before = posix.statOf(file);
      if (before.type !== "file") throw invalidFile(`${field}: ${path} is a ${before.type}, not a file.`);
      if (before.size > MOST_BYTES) {
        throw invalidFile(
          `${field}: ${path} is larger than ${MOST_BYTES / MIB} MiB, which is the most that is merged.`,
        );
      }
      const bytes = new Uint8Array(before.size);
      const count = posix.readInto(file, bytes, 0);
      const after = posix.statOf(file);
      const isSame = count === after.size && before.mtime === after.mtime && before.mtimeNs === after.mtimeNs;
      if (isSame) return bytes;
      const details = `${field}: ${path} changed while it was read. Merge it again once it is at rest.`;
      throw new EngineError("conflict", "A file changed", details);
    } finally {
      posix.close(file);
    }
  } catch (error) {
    throw mergeFileError(error, field, path);
  }
}

function open(path: string): posix.Descriptor {
  const directory = posix.openPassage(dirname(path));
  try {
    return posix.openAt(directory, basename(path), posix.O_RDONLY | posix.O_NOFOLLOW | posix.O_NONBLOCK);
  } finally {
    posix.close(directory);
  }
}

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === LF) count++;
  return count;
}

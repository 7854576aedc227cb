import { Buffer } from "node:buffer";
import { chunkId } from "../crypto/chunk_id.ts";
import { PieceWriter } from "./piece_writer.ts";
import { describe } from "./restore_metadata.ts";
import { At, type FileEntry } from "../trees/tree_entry.ts";
import type { Part, VersionData } from "../versions/version_data.ts";
import { goesDirect, openTemporary, PathFailure, VerificationFailed } from "../../files/copy.ts";
import {
  close,
  type Descriptor,
  hasCode,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  openAt,
  ReadBuffer,
  seek,
  SEEK_DATA,
  setTimesAt,
  statOf,
  truncate,
  unlinkAt,
  writeFrom,
} from "../../posix/mod.ts";
import { BLOCK } from "../../posix/piece.ts";

export interface FileOptions {
  /** Read back what was written and compare it with the chunks' ids. */
  verify: boolean;
  /** Whether this process may give files to others. */
  owners: boolean;
  /** Called before each chunk: may throw to cancel. */
  beforePart(): void;
  /** Called with the bytes that were written or compared. */
  afterPart(bytes: number): void;
}

/** A file that is being made. */
export interface MadeFile {
  /** Bytes that came from the repository. */
  bytes: number;
  /** Metadata that could not be set, in words. */
  failures: string[];
}

/** Part of a file; `end` is at its end or at a multiple of the block size. */
export interface Range {
  start: number;
  end: number;
}

/** This thread's memory for what is read back; as long as the longest chunk so far. */
let chunkMemory = new ReadBuffer(1 << 20);

/** Opens a file of the target to read it, without following a link; undefined where it is no file. */
export function openExisting(directory: Descriptor, name: string): Descriptor | undefined {
  let file: Descriptor;
  try {
    file = openAt(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ELOOP", "EACCES", "ENXIO")) return undefined;
    throw error;
  }
  if (statOf(file).type === "file") return file;
  close(file);
  return undefined;
}

/** Whether a file holds the parts, chunk by chunk; holes must read as zeros. Ends at the first difference. */
export function holds(file: Descriptor, parts: Part[], data: VersionData, options: FileOptions): boolean {
  for (const { offset, length, id } of parts) {
    if (id === undefined) {
      if (!readsZeros(file, offset, length, options)) return false;
      continue;
    }
    options.beforePart();
    const bytes = readBack(file, offset, length);
    if (bytes === undefined || !equal(chunkId(data.access, bytes), id)) return false;
    options.afterPart(length);
  }
  return true;
}

const ZEROS = new Uint8Array(1 << 20);

function readsZeros(file: Descriptor, offset: number, length: number, options: FileOptions): boolean {
  const end = offset + length;
  if (statOf(file).size < end) return false;
  for (let at = seek(file, offset, SEEK_DATA); at >= 0 && at < end; at = seek(file, at, SEEK_DATA)) {
    options.beforePart();
    const bytes = readBack(file, at, Math.min(ZEROS.length, end - at));
    if (bytes === undefined || Buffer.compare(bytes, ZEROS.subarray(0, bytes.length)) !== 0) return false;
    at += bytes.length;
    if (at === end) break;
  }
  return true;
}

/** A file's bytes, good until the next call; undefined where the file ends before. */
function readBack(file: Descriptor, offset: number, length: number): Uint8Array<ArrayBuffer> | undefined {
  if (chunkMemory.bytes.length < length) chunkMemory = new ReadBuffer(length);
  const count = chunkMemory.read(file, 0, length, offset);
  return count < length ? undefined : chunkMemory.bytes.subarray(0, length);
}

/**
 * Writes a range's parts; each chunk is checked against its id before. Chunks that the old file has at the same place are taken from there.
 * @param old the file that will be replaced, if there is one.
 * @param direct as of {@link PieceWriter}.
 * @returns how many bytes came from the repository.
 */
export async function writeParts(
  file: Descriptor,
  parts: Part[],
  { start, end }: Range,
  old: Descriptor | undefined,
  direct: boolean,
  data: VersionData,
  options: FileOptions,
): Promise<number> {
  let fetched = 0;
  await using writer = new PieceWriter(file, start, direct);
  for (const { offset, length, id } of parts) {
    if (id === undefined) continue;
    options.beforePart();
    const known = old === undefined ? undefined : readBack(old, offset, length);
    let bytes: Uint8Array = known as Uint8Array;
    if (known === undefined || !equal(chunkId(data.access, known), id)) {
      bytes = await data.chunks.read(id);
      fetched += length;
    }
    const [from, to] = [Math.max(offset, start), Math.min(offset + length, end)];
    await writer.put(to - from === length ? bytes : bytes.subarray(from - offset, to - offset), from);
    options.afterPart(to - from);
  }
  await writer.finish();
  return fetched;
}

/**
 * Makes a file under a temporary name: data, owner, permissions, attributes, times. On an error nothing is left.
 * @param parts all of its content.
 * @throws PosixError, ChunkLost, VerificationFailed
 */
export async function makeFile(
  directory: Descriptor,
  temporary: string,
  entry: FileEntry,
  parts: Part[],
  old: Descriptor | undefined,
  data: VersionData,
  options: FileOptions,
): Promise<MadeFile> {
  const size = entry[At.size];
  checkSize(parts, size);
  // A lost chunk is noticed before anything is made for it.
  const only = parts.length === 1 && parts[0].id !== undefined && old === undefined ? parts[0] : undefined;
  const first = only === undefined ? undefined : await data.chunks.read(only.id as Uint8Array);
  const made = openTemporary(directory, temporary, 0o600, goesDirect(size, options.verify));
  let result: MadeFile;
  try {
    try {
      let bytes = 0;
      if (first !== undefined && !made.direct) {
        writeFrom(made.descriptor, first, 0);
        options.afterPart(size);
        bytes = size;
      } else if (size > 0) {
        const range = { start: 0, end: size };
        bytes = await writeParts(made.descriptor, parts, range, old, made.direct, data, options);
        if (made.direct && size % BLOCK !== 0 || parts[parts.length - 1].id === undefined) {
          truncate(made.descriptor, size);
        }
      }
      if (options.verify) verify(made.descriptor, parts, size, data, options);
      result = { bytes, failures: describe(made.descriptor, statOf(made.descriptor), entry, options.owners) };
    } finally {
      close(made.descriptor);
    }
    // Some file systems stamp a file once more when it is closed.
    setTimesAt(directory, temporary, entry[At.mtime], entry[At.mtimeNs]);
  } catch (error) {
    unlinkAt(directory, temporary);
    throw error;
  }
  return result;
}

/** @throws VerificationFailed */
export function verify(file: Descriptor, parts: Part[], size: number, data: VersionData, options: FileOptions): void {
  const quiet = { ...options, afterPart: () => {} };
  if (statOf(file).size !== size || !holds(file, parts, data, quiet)) {
    throw new VerificationFailed("what was written reads back differently");
  }
}

function checkSize(parts: Part[], size: number): void {
  const last = parts.at(-1);
  const length = last === undefined ? 0 : last.offset + last.length;
  if (length !== size) throw new PathFailure(`its content in the version has ${length} bytes instead of ${size}`);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < b.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

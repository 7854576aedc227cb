import { CopyHasher } from "./copy_hasher.ts";
import {
  chmodOf,
  chownAt,
  cloneFile,
  close,
  type Descriptor,
  hasCode,
  O_CREAT,
  O_DIRECT,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  openAt,
  PosixError,
  seek,
  SEEK_DATA,
  SEEK_HOLE,
  setTimesAt,
  type Stat,
  statAt,
  statOf,
  truncate,
  unlinkAt,
} from "../posix/mod.ts";
import { BLOCK, pieceBuffer, pieceSize, readPiece, readsBack, writePiece } from "../posix/piece.ts";

/** A reason, in words for a person, why one path could not be done; the others go on. */
export class PathFailure extends Error {}
/** A file that did not hold still while it was copied. */
export class ChangedWhileCopied extends PathFailure {}
/** What was written does not read back as what was read. */
export class VerificationFailed extends PathFailure {}

export interface CopyOptions {
  /** Read back what was written and compare it, byte for byte, with what was read: no digest can tell more. */
  verify: boolean;
  /** Hash what is copied at once, while it is in hand. A large file that shares blocks or has holes is not read for that. */
  hash: boolean;
  preservePermissions: boolean;
  owners: boolean;
  /** Bytes that may be moved at once. */
  piece: number;
  /** Called before each piece: may wait, may throw to cancel. */
  beforePiece(bytes: number): void;
  afterPiece(bytes: number): void;
}

/**
 * From this size on a file is written past the page cache: the data reaches the disk while it is copied, other programs' cached
 * data stays, and no memory is filled that the final flush would have to empty. Smaller files are faster through the cache.
 * Where it is verified, each file past the cache waits for the disk a second time, so that pays only for larger ones.
 */
const DIRECT_FROM = 1 << 16;
const DIRECT_FROM_VERIFIED = 1 << 23;
/** Sharing blocks pays from here on. */
const CLONE_FROM = 1 << 16;
/** A file up to this size is hashed even where its data did not come by. Merges need that of no larger ones. */
const HASH_UP_TO = 4 << 20;
const ATTEMPTS = 3;
/** Set-user-ID and set-group-ID. */
const SET_ID = 0o6000;

/** A complete copy. */
export interface Copied {
  /** The source's metadata that the copy has. */
  source: Stat;
  /** Bytes of data: all but holes. */
  bytes: number;
  /** Whether the file system keeps the time as it was given. */
  exact: boolean;
  /** The copy under its temporary name. */
  made: Stat;
  /** SHA-256, where {@link CopyOptions.hash} asks for it. */
  hash?: Uint8Array;
}

/** A copy that is not complete yet, as plain data: what its source was when it began, and how far it has come. */
export interface PartialCopy {
  source: Stat;
  bytes: number;
  /** All before it is written (and verified). */
  offset: number;
}

/** What file systems have turned out not to do: `direct` or `clone` with the devices. Each is tried once a thread. */
const unable = new Set<string>();

/** The device part of an identity. */
function device(stat: Stat): string {
  return stat.identity.slice(0, stat.identity.lastIndexOf(":"));
}

/**
 * Copies a file to a temporary name: data, holes, owner, permissions, modification time, in that order. A file that changes
 * meanwhile is copied again, up to three times. On an error nothing is left.
 * @throws PosixError, {@link ChangedWhileCopied}, {@link VerificationFailed}
 */
export function copyToTemporary(
  from: Descriptor,
  name: string,
  to: Descriptor,
  temporary: string,
  options: CopyOptions,
  replaced?: Stat,
): Copied {
  for (let attempt = 1;; attempt++) {
    try {
      return copyPart(from, name, to, temporary, options, replaced, undefined, Infinity) as Copied;
    } catch (error) {
      if (!mayRetry(error, attempt)) throw error;
    }
  }
}

/** Whether a copy that failed for the nth time, counted from 1, is to be tried once more. */
export function mayRetry(error: unknown, attempt: number): boolean {
  return attempt < (error instanceof ChangedWhileCopied ? ATTEMPTS : error instanceof VerificationFailed ? 2 : 1);
}

/**
 * Goes on with a copy, or begins it. It is complete where the result has no `offset`. On an error nothing is left, as with
 * {@link copyToTemporary}, but it is not tried again.
 * @param most bytes of data, in whole blocks, after which it stops
 */
export function copyPart(
  from: Descriptor,
  name: string,
  to: Descriptor,
  temporary: string,
  options: CopyOptions,
  replaced: Stat | undefined,
  part: PartialCopy | undefined,
  most: number,
): Copied | PartialCopy {
  const source = openSourceFile(from, name);
  try {
    const now = statOf(source);
    const before = part?.source ?? now;
    if (before.type !== "file") throw new ChangedWhileCopied("is no longer a regular file");
    const mode = options.preservePermissions ? firstMode(before, most) : before.permissions & 0o777;
    const direct = goesDirect(before.size, options.verify);
    const target = openTemporary(to, temporary, mode, direct, part !== undefined);
    const hasher = options.hash && part === undefined && before.size <= most ? new CopyHasher() : undefined;
    let filled: PartialCopy;
    try {
      if (part !== undefined && !sameFile(before, now)) throw new ChangedWhileCopied("changed while it was copied");
      filled = fill(
        source,
        target.descriptor,
        part ?? { source: before, offset: 0, bytes: 0 },
        most,
        target.direct,
        options,
        hasher,
      );
      if (before.size <= HASH_UP_TO) hasher?.readRest(source, before.size);
      const after = statOf(source);
      if (!sameState(before, after)) throw new ChangedWhileCopied("changed while it was copied");
      if (filled.offset === before.size) describe(target.descriptor, before, options, replaced);
    } catch (error) {
      close(target.descriptor);
      unlinkAt(to, temporary);
      throw error;
    }
    try {
      close(target.descriptor);
      if (filled.offset < before.size) return filled;
      // Some file systems stamp a file once more when it is closed.
      setTimesAt(to, temporary, before.mtime, before.mtimeNs);
      const made = statAt(to, temporary);
      const exact = made.mtime === before.mtime && made.mtimeNs === before.mtimeNs;
      return { source: before, bytes: filled.bytes, exact, made, hash: hasher?.digest(before.size) };
    } catch (error) {
      unlinkAt(to, temporary);
      throw error;
    }
  } finally {
    close(source);
  }
}

/**
 * The permissions under which a copy is made, before it has its owner: already its own, which saves setting them, where the group
 * may do what everybody may and it is not opened again for another part; else only its maker may do anything yet.
 */
function firstMode({ permissions, size }: Stat, most: number): number {
  const everybody = (permissions >> 3 & 0o7) === (permissions & 0o7);
  return everybody && size <= most ? permissions & 0o777 : 0o600;
}

function openSourceFile(from: Descriptor, name: string): Descriptor {
  try {
    return openAt(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, "ENOENT")) throw new PathFailure("disappeared during the run");
    if (error instanceof PosixError) throw new PathFailure(`cannot be read: ${error.message}`);
    throw error;
  }
}

/** Whether a file of this size is written past the page cache. */
export function goesDirect(size: number, verify: boolean): boolean {
  return size >= (verify ? DIRECT_FROM_VERIFIED : DIRECT_FROM);
}

/**
 * Makes a file, or opens one that was made so, past the page cache where that is wanted and possible.
 * @throws PosixError
 */
export function openTemporary(to: Descriptor, name: string, mode: number, direct: boolean, existing = false) {
  const flags = O_RDWR | O_NOFOLLOW | (existing ? 0 : O_CREAT | O_EXCL);
  const key = direct ? `direct ${device(statOf(to))}` : "";
  if (direct && !unable.has(key)) {
    try {
      return { descriptor: openAt(to, name, flags | O_DIRECT, mode), direct: true };
    } catch (error) {
      if (!hasCode(error, "EINVAL")) throw error;
      unable.add(key);
      // Some kernels make the name before they refuse the flag.
      try {
        if (!existing) unlinkAt(to, name);
      } catch (error) {
        if (!hasCode(error, "ENOENT")) throw error;
      }
    }
  }
  return { descriptor: openAt(to, name, flags, mode), direct: false };
}

/** Copies data and verifies it, until so much is moved or all of it; returns how far it came. */
function fill(
  source: Descriptor,
  target: Descriptor,
  part: PartialCopy,
  most: number,
  direct: boolean,
  options: CopyOptions,
  hasher: CopyHasher | undefined,
): PartialCopy {
  const { source: before, offset } = part;
  const { size } = before;
  if (size === 0) return part;
  if (size >= CLONE_FROM && offset === 0 && !options.verify) {
    const key = `clone ${device(before)} ${device(statOf(target))}`;
    if (!unable.has(key)) {
      if (cloneFile(source, target)) {
        options.afterPiece(size);
        return { source: before, offset: size, bytes: size };
      }
      unable.add(key);
    }
  }
  let [end, moved] = [offset, 0];
  for (const range of dataRanges(source, before, offset)) {
    if (moved >= most) break;
    range[1] = Math.min(range[1], range[0] + most - moved);
    copyRange(source, target, range, direct, options, hasher);
    end = range[1];
    moved += range[1] - range[0];
  }
  const complete = moved < most || end === size;
  if (complete && (end < size || direct && size % BLOCK !== 0)) truncate(target, size);
  if (complete && options.verify && statOf(target).size !== size) throw new VerificationFailed(DIFFERENT);
  return { source: before, offset: complete ? size : end, bytes: part.bytes + moved };
}

const DIFFERENT = "what was written reads back differently";

/** Where a file has data from an offset on: all of it, or what lies between its holes, widened to whole blocks. */
function* dataRanges(source: Descriptor, { size, allocated }: Stat, from: number): Generator<[number, number]> {
  if (allocated >= size) {
    yield [from, size];
    return;
  }
  for (let at = from; at < size;) {
    const start = seek(source, at, SEEK_DATA);
    if (start < 0 || start >= size) return;
    const end = seek(source, start, SEEK_HOLE);
    const range: [number, number] = [Math.max(at, start - start % BLOCK), Math.min(size, end < 0 ? size : end)];
    range[1] = Math.min(size, Math.ceil(range[1] / BLOCK) * BLOCK);
    yield range;
    at = range[1];
  }
}

function copyRange(
  source: Descriptor,
  target: Descriptor,
  [start, end]: [number, number],
  direct: boolean,
  options: CopyOptions,
  hasher: CopyHasher | undefined,
): void {
  const piece = Math.min(pieceSize, options.piece);
  const largest = Math.max(BLOCK, piece - piece % BLOCK);
  for (let at = start; at < end;) {
    const wanted = Math.min(largest, end - at);
    options.beforePiece(wanted);
    const count = readPiece(source, wanted, at);
    if (count < wanted) throw new ChangedWhileCopied("changed while it was copied");
    writePiece(target, direct ? Math.ceil(count / BLOCK) * BLOCK : count, at);
    hasher?.update(pieceBuffer.subarray(0, count), at);
    options.afterPiece(count);
    if (options.verify && !readsBack(target, count, at)) throw new VerificationFailed(DIFFERENT);
    at += count;
  }
}

/** Sets what the copy has beside its data. A changed owner clears set-user-ID bits, so the owner comes first. */
export function describe(target: Descriptor, source: Stat, options: CopyOptions, replaced: Stat | undefined): void {
  if (options.preservePermissions) {
    const made = statOf(target);
    if (options.owners && (made.uid !== source.uid || made.gid !== source.gid)) {
      chownAt(target, "", source.uid, source.gid);
    }
    // A program must not run as another user than the one who set its bits.
    const foreign = !options.owners && (made.uid !== source.uid || made.gid !== source.gid);
    const permissions = foreign ? source.permissions & ~SET_ID : source.permissions;
    if (made.permissions !== permissions) chmodOf(target, permissions);
  } else if (replaced?.type === "file") {
    if (options.owners) chownAt(target, "", replaced.uid, replaced.gid);
    chmodOf(target, replaced.permissions & ~SET_ID);
  }
}

function sameFile(a: Stat, b: Stat): boolean {
  return a.identity === b.identity && sameState(a, b);
}

function sameState(a: Stat, b: Stat): boolean {
  return a.size === b.size && a.mtime === b.mtime && a.mtimeNs === b.mtimeNs && a.ctime === b.ctime &&
    a.ctimeNs === b.ctimeNs;
}

/** Whether a write failed because the disk or the quota is full. */
export function isFull(error: unknown): boolean {
  return error instanceof PosixError && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

import { type CopyOptions, describe, openTemporary, VerificationFailed } from "./copy.ts";
import { close, type Descriptor, setTimesAt, type Stat, statAt, unlinkAt } from "../posix/mod.ts";
import { pieceBuffer, pieceSize, readsBack, writePiece } from "../posix/piece.ts";

/** What the coarsest file systems cut off a time, seconds. */
const COARSEST = 2;

/**
 * Writes bytes to a temporary name, with the permissions and owner that a copy of `source` over `replaced` would have. Its time is that
 * of the writing, but one that tells it from both, on a file system with coarse times too. On an error nothing is left.
 * @returns what was made
 * @throws PosixError, {@link VerificationFailed}
 */
export function writeToTemporary(
  bytes: Uint8Array,
  source: Stat,
  to: Descriptor,
  temporary: string,
  options: CopyOptions,
  replaced: Stat,
): Stat {
  const { descriptor } = openTemporary(to, temporary, 0o600, false);
  try {
    try {
      write(descriptor, bytes, options);
      describe(descriptor, source, options, replaced);
    } finally {
      close(descriptor);
    }
    const made = statAt(to, temporary);
    const others = [source, replaced];
    const isAlike = others.some(({ size, mtime }) => size === made.size && Math.abs(mtime - made.mtime) <= COARSEST);
    if (!isAlike) return made;
    setTimesAt(to, temporary, Math.max(...others.map(({ mtime }) => mtime)) + COARSEST + 1, 0);
    return statAt(to, temporary);
  } catch (error) {
    unlinkAt(to, temporary);
    throw error;
  }
}

function write(file: Descriptor, bytes: Uint8Array, options: CopyOptions): void {
  const most = Math.max(1, Math.min(pieceSize, options.piece));
  for (let at = 0; at < bytes.length; at += most) {
    const count = Math.min(most, bytes.length - at);
    options.beforePiece(count);
    pieceBuffer.set(bytes.subarray(at, at + count));
    writePiece(file, count, at);
    options.afterPiece(count);
    if (options.verify && !readsBack(file, count, at)) {
      throw new VerificationFailed("what was written reads back differently");
    }
  }
}

import type { Descriptor } from "./calls.ts";
import { lastError, PosixError } from "./error.ts";
import { errno, libc } from "./libc.ts";

const EIO = 5;
const EINTR = 4;
/** The kernel moves less than 2 GiB in one call. */
const MOST = 1 << 30;

/**
 * Fills `bytes` from a file's offset and returns how many there were: fewer only at the file's end.
 * @throws PosixError
 */
export function readInto(file: Descriptor, bytes: Uint8Array, offset: number): number {
  let filled = 0;
  while (filled < bytes.length) {
    const count = libc.readInto(
      file,
      bytes.subarray(filled) as Uint8Array<ArrayBuffer>,
      Math.min(bytes.length - filled, MOST),
      offset + filled,
    );
    if (count === 0) break;
    if (count > 0) filled += count;
    else if (errno() !== EINTR) throw lastError("read");
  }
  return filled;
}

/** Writes all of `bytes` at a file's offset. @throws PosixError */
export function writeFrom(file: Descriptor, bytes: Uint8Array, offset: number): void {
  let written = 0;
  while (written < bytes.length) {
    const rest = bytes.subarray(written) as Uint8Array<ArrayBuffer>;
    const count = libc.writeFrom(file, rest, Math.min(rest.length, MOST), offset + written);
    if (count >= 0) written += count;
    else if (errno() !== EINTR) throw lastError("write");
  }
}

/** As {@link readInto}, while this thread does other things. `bytes` must not be touched meanwhile. */
export async function readIntoLater(file: Descriptor, bytes: Uint8Array, offset: number): Promise<number> {
  const count = await libc.readIntoLater(file, bytes as Uint8Array<ArrayBuffer>, Math.min(bytes.length, MOST), offset);
  if (count === bytes.length) return count;
  // What is left is the file's end or an error, whose number only a call on this thread tells.
  const done = Math.max(count, 0);
  return done + readInto(file, bytes.subarray(done), offset + done);
}

/** As {@link writeFrom}, while this thread does other things. `bytes` must not be touched meanwhile. */
export async function writeFromLater(file: Descriptor, bytes: Uint8Array, offset: number): Promise<void> {
  const size = Math.min(bytes.length, MOST);
  const count = await libc.writeFromLater(file, bytes as Uint8Array<ArrayBuffer>, size, offset);
  if (count === bytes.length) return;
  const done = Math.max(count, 0);
  writeFrom(file, bytes.subarray(done), offset + done);
}

/**
 * Waits until a file's data, or a directory's names, are on the device, while this thread does other things. A failure must
 * not be tried again: the kernel reports it once and may have dropped the data.
 * @throws PosixError `EIO`, whatever the reason was.
 */
export async function flushLater(file: Descriptor): Promise<void> {
  if (await libc.fsyncLater(file) < 0) throw new PosixError("fsync", EIO);
}

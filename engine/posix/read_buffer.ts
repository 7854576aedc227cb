import type { Descriptor } from "./calls.ts";
import { lastError } from "./error.ts";
import { addressOf, errno, libc } from "./libc.ts";

const EINTR = 4;

/** Memory of a fixed size that files are read into, at any place of it. Made once and used again. */
export class ReadBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #address: number;

  /** @param size bytes */
  constructor(size: number) {
    const memory = new ArrayBuffer(size);
    this.bytes = new Uint8Array(memory);
    this.#address = addressOf(memory);
  }

  /**
   * Reads `wanted` bytes from a file's offset to the buffer's place `at`, and returns how many there were: fewer only at the file's end.
   * @throws PosixError
   */
  read(file: Descriptor, at: number, wanted: number, offset: number): number {
    if (at < 0 || at + wanted > this.bytes.length) throw new RangeError("Cannot read past the end of a buffer");
    let filled = 0;
    while (filled < wanted) {
      const count = libc.pread(file, this.#address + at + filled, wanted - filled, offset + filled);
      if (count === 0) break;
      if (count > 0) filled += count;
      else if (errno() !== EINTR) throw lastError("read");
    }
    return filled;
  }
}

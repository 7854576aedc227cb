import { createHash, type Hash } from "node:crypto";
import type { FileContents } from "./compare_input.ts";
import { isSameHash } from "./fingerprint.ts";
import { close, type Descriptor, type Listing, openAt, PosixError, ReadBuffer, statOf } from "../posix/mod.ts";
import { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } from "../posix/constants.ts";

const PIECE = 1 << 20;

let buffers: [ReadBuffer, ReadBuffer] | undefined;

/** One side of a directory. */
export interface ListedSide {
  descriptor: Descriptor;
  listing: Listing;
}

/** What the files of the directory that is compared hold, read when it is asked for, and once for all passes. */
export class Contents {
  readonly #checkpoint: () => void;
  readonly #keepsHashes: boolean;
  #sides: readonly (ListedSide | undefined)[] = [];
  #lookedAt = 0;
  readonly #hashes = [new Map<number, Uint8Array | undefined>(), new Map<number, Uint8Array | undefined>()];
  readonly #equal = new Map<string, boolean>();
  /** All that was read. */
  bytesRead = 0;

  /**
   * @param checkpoint called between pieces of 1 MiB
   * @param keepsHashes whether files that are compared are hashed, too
   */
  constructor(checkpoint: () => void, keepsHashes: boolean) {
    this.#checkpoint = checkpoint;
    this.#keepsHashes = keepsHashes;
  }

  /** Goes on to another directory. @param lookedAt when its sides were listed, milliseconds since 1970 */
  begin(sides: readonly (ListedSide | undefined)[], lookedAt: number): void {
    this.#sides = sides;
    this.#lookedAt = lookedAt;
    for (const hashes of this.#hashes) hashes.clear();
    this.#equal.clear();
  }

  /** The contents as the pass sees them whose source is the side `from`. */
  of(from: number): FileContents {
    const number = (side: "source" | "target") => side === "source" ? from : 1 - from;
    return {
      lookedAt: this.#lookedAt,
      hash: (side, index) => this.#hash(number(side), index),
      knownHash: (side, index) => this.#hashes[number(side)].get(index),
      equal: (i, j) => from === 0 ? this.#areEqual(i, j) : this.#areEqual(j, i),
    };
  }

  #hash(side: number, index: number): Uint8Array | undefined {
    const hashes = this.#hashes[side];
    if (!hashes.has(index)) hashes.set(index, this.#tryReading(() => this.#read(side, index)));
    return hashes.get(index);
  }

  #areEqual(first: number, second: number): boolean {
    const [a, b] = [this.#hashes[0].get(first), this.#hashes[1].get(second)];
    if (a !== undefined && b !== undefined) return isSameHash(a, b);
    const key = `${first} ${second}`;
    let equal = this.#equal.get(key);
    if (equal === undefined) {
      equal = this.#tryReading(() => this.#compare(first, second)) ?? false;
      this.#equal.set(key, equal);
    }
    return equal;
  }

  /** A file that cannot be read tells nothing; whoever copies it says why. */
  #tryReading<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return undefined;
    }
  }

  #read(side: number, index: number): Uint8Array | undefined {
    const file = this.#open(side, index);
    try {
      if (!this.#isListed(file, side, index)) return undefined;
      const hash = createHash("sha256");
      const [buffer] = buffers ??= [new ReadBuffer(PIECE), new ReadBuffer(PIECE)];
      for (let offset = 0, count = PIECE; count === PIECE; offset += PIECE) {
        this.#checkpoint();
        count = buffer.read(file, 0, PIECE, offset);
        this.bytesRead += count;
        hash.update(buffer.bytes.subarray(0, count));
      }
      return this.#isListed(file, side, index) ? hash.digest() : undefined;
    } finally {
      close(file);
    }
  }

  #compare(first: number, second: number): boolean {
    const a = this.#open(0, first);
    try {
      const b = this.#open(1, second);
      try {
        const hash = this.#keepsHashes ? createHash("sha256") : undefined;
        if (!this.#holdSame(a, b, hash)) return false;
        // The hash is that of what was listed only where both have held still.
        if (hash !== undefined && this.#isListed(a, 0, first) && this.#isListed(b, 1, second)) {
          const digest = hash.digest();
          this.#hashes[0].set(first, digest);
          this.#hashes[1].set(second, digest);
        }
        return true;
      } finally {
        close(b);
      }
    } finally {
      close(a);
    }
  }

  #holdSame(a: Descriptor, b: Descriptor, hash: Hash | undefined): boolean {
    const [first, second] = buffers ??= [new ReadBuffer(PIECE), new ReadBuffer(PIECE)];
    for (let offset = 0;; offset += PIECE) {
      this.#checkpoint();
      const count = first.read(a, 0, PIECE, offset);
      if (second.read(b, 0, PIECE, offset) !== count) return false;
      this.bytesRead += 2 * count;
      if (!equal(first.bytes, second.bytes, count)) return false;
      hash?.update(first.bytes.subarray(0, count));
      if (count < PIECE) return true;
    }
  }

  #open(side: number, index: number): Descriptor {
    const { descriptor, listing } = this.#side(side);
    return openAt(descriptor, listing.names[index], O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }

  /** Whether a file is still what was listed. */
  #isListed(file: Descriptor, side: number, index: number): boolean {
    const { listing } = this.#side(side);
    const { type, size, mtime, mtimeNs, ctime, ctimeNs } = statOf(file);
    return type === "file" && size === listing.size(index) && mtime === listing.mtime(index) &&
      mtimeNs === listing.mtimeNs(index) && ctime === listing.ctime(index) && ctimeNs === listing.ctimeNs(index);
  }

  #side(side: number): ListedSide {
    const listed = this.#sides[side];
    if (listed === undefined) throw new TypeError("Cannot read a file of a side that was not listed");
    return listed;
  }
}

function equal(a: Uint8Array, b: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

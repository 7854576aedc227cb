import { tmpdir } from "node:os";
import { isMainThread } from "node:worker_threads";
import * as posix from "../posix/mod.ts";
import type { ByteSource } from "./body.ts";
import { storeError } from "./directory_paths.ts";
import { isHole } from "./holes.ts";
import { StoreError } from "./object_store.ts";

const FLAGS = posix.O_RDWR | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW;

/**
 * A file without a name in the system's directory for temporary files: its space is free once it is disposed of, or the process
 * has ended in whatever way. Blocks in a worker only.
 */
export class SpoolFile implements ByteSource, AsyncDisposable {
  size = 0;
  readonly #file: posix.Descriptor;
  #pending: Promise<unknown> = Promise.resolve();
  #isDisposed = false;

  /** @throws StoreError */
  constructor() {
    try {
      const directory = posix.openAt(posix.AT_FDCWD, tmpdir(), posix.O_RDONLY | posix.O_DIRECTORY);
      try {
        const name = `syncline-${crypto.randomUUID()}`;
        this.#file = posix.openAt(directory, name, FLAGS, 0o600);
        posix.unlinkAt(directory, name);
      } finally {
        posix.close(directory);
      }
    } catch (error) {
      throw storeError(error, `a temporary file in ${tmpdir()}`);
    }
  }

  async append(piece: Uint8Array): Promise<void> {
    try {
      if (isHole(piece)) posix.truncate(this.#file, this.size + piece.length);
      else if (!isMainThread) posix.writeFrom(this.#file, piece, this.size);
      else await (this.#pending = posix.writeFromLater(this.#file, piece, this.size));
    } catch (error) {
      throw storeError(error, `a temporary file in ${tmpdir()}`);
    }
    this.size += piece.length;
  }

  async read(into: Uint8Array<ArrayBuffer>, offset: number): Promise<void> {
    const count = isMainThread
      ? await posix.readIntoLater(this.#file, into, offset)
      : posix.readInto(this.#file, into, offset);
    if (count < into.length) throw new StoreError("damaged", `a temporary file in ${tmpdir()} was cut`);
  }

  /** Once nothing reads from it any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    await Promise.allSettled([this.#pending]);
    posix.close(this.#file);
  }
}

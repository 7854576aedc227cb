import type { ObjectWriter, PutOptions } from "./object_store.ts";
import * as posix from "../posix/mod.ts";
import { isHole } from "./holes.ts";
import { makeDirectory, storeError, TEMPORARY } from "./directory_paths.ts";

const PRIVATE = 0o600;
const CREATE = posix.O_RDWR | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW;

/** A file in `tmp/` on its way to its key. */
export class DirectoryWriter implements ObjectWriter {
  readonly writable: WritableStream<Uint8Array>;
  #size = 0;
  #isClosed = false;
  #hasName = true;
  #isDisposed = false;
  /** A call on another thread that still uses the descriptor. */
  #pending: Promise<void> = Promise.resolve();

  private constructor(
    private readonly root: string,
    private readonly temporary: posix.Descriptor,
    private readonly name: string,
    private readonly file: posix.Descriptor,
    private readonly partsOf: (key: string) => string[],
    private readonly mayBlock: boolean,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.writable = new WritableStream({ write: (piece) => this.write(piece), close: () => this.close() });
  }

  /** @param partsOf checks a key. @throws StoreError */
  static async open(
    root: string,
    partsOf: (key: string) => string[],
    mayBlock: boolean,
    signal: AbortSignal | undefined,
  ): Promise<DirectoryWriter> {
    try {
      const temporary = await makeDirectory(root, [TEMPORARY]);
      const name = crypto.randomUUID();
      try {
        const file = posix.openAt(temporary, name, CREATE, PRIVATE);
        return new DirectoryWriter(root, temporary, name, file, partsOf, mayBlock, signal);
      } catch (error) {
        posix.close(temporary);
        throw error;
      }
    } catch (error) {
      throw storeError(error, `${TEMPORARY}/`);
    }
  }

  async write(piece: Uint8Array): Promise<void> {
    this.signal?.throwIfAborted();
    try {
      if (isHole(piece)) posix.truncate(this.file, this.#size + piece.length);
      else if (this.mayBlock) posix.writeFrom(this.file, piece, this.#size);
      else await (this.#pending = posix.writeFromLater(this.file, piece, this.#size));
    } catch (error) {
      throw storeError(error, `${TEMPORARY}/${this.name}`);
    }
    this.#size += piece.length;
  }

  /** @throws StoreError */
  setAttribute(name: string, value: Uint8Array<ArrayBuffer>): void {
    try {
      posix.setXattr(this.file, name, value);
    } catch (error) {
      throw storeError(error, `the attributes of ${TEMPORARY}/${this.name}`);
    }
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  async commit(key: string, { ifAbsent = false, signal }: PutOptions = {}): Promise<void> {
    const parts = this.partsOf(key);
    if (!this.#isClosed) throw new Error(`Cannot commit ${key} before its stream is closed`);
    try {
      await (this.#pending = posix.flushLater(this.file));
      const directory = await makeDirectory(this.root, parts.slice(0, -1));
      try {
        this.signal?.throwIfAborted();
        signal?.throwIfAborted();
        this.#place(directory, parts[parts.length - 1], ifAbsent);
        await posix.flushLater(directory);
      } finally {
        posix.close(directory);
      }
    } catch (error) {
      throw storeError(error, key);
    }
  }

  #place(directory: posix.Descriptor, name: string, ifAbsent: boolean): void {
    if (!ifAbsent) {
      posix.renameAt(this.temporary, this.name, directory, name);
      this.#hasName = false;
      return;
    }
    try {
      // A link fails where the name is taken, on every file system that has links; `renameat2` is not everywhere atomic.
      posix.linkAt(this.temporary, this.name, directory, name);
    } catch (error) {
      if (!posix.hasCode(error, "EPERM", "EOPNOTSUPP", "ENOSYS", "EMLINK")) throw error;
      posix.renameToFree(this.temporary, this.name, directory, name);
      this.#hasName = false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    await Promise.allSettled([this.#pending]);
    try {
      posix.close(this.file);
      if (this.#hasName && posix.statIfPresent(this.temporary, this.name)) posix.unlinkAt(this.temporary, this.name);
    } finally {
      posix.close(this.temporary);
    }
  }
}

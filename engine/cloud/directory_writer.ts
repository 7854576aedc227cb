import { type ObjectWriter, type PutOptions, StoreError } from "./object_store.ts";
import * as posix from "../posix/mod.ts";
import { isHole } from "./holes.ts";
import { infoOf, makeDirectory, storeError } from "./directory_paths.ts";

const PRIVATE = 0o600;
const CREATE = posix.O_RDWR | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW;

const WHAT = "a file on its way";

/** Opens the directory of files on their way, making it where it is missing. @throws StoreError */
export async function openTemporary(root: string, parts: string[]): Promise<posix.Descriptor> {
  try {
    return await makeDirectory(root, parts);
  } catch (error) {
    throw storeError(error, WHAT);
  }
}

/** A file on its way to its key. */
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

  /** @param temporary is closed with the writer. @param partsOf checks a key. @throws StoreError */
  static open(
    root: string,
    temporary: posix.Descriptor,
    partsOf: (key: string) => string[],
    mayBlock: boolean,
    signal: AbortSignal | undefined,
  ): DirectoryWriter {
    const name = crypto.randomUUID();
    try {
      const file = posix.openAt(temporary, name, CREATE, PRIVATE);
      return new DirectoryWriter(root, temporary, name, file, partsOf, mayBlock, signal);
    } catch (error) {
      posix.close(temporary);
      throw storeError(error, WHAT);
    }
  }

  async write(piece: Uint8Array): Promise<void> {
    this.signal?.throwIfAborted();
    try {
      if (isHole(piece)) posix.truncate(this.file, this.#size + piece.length);
      else if (this.mayBlock) posix.writeFrom(this.file, piece, this.#size);
      else await (this.#pending = posix.writeFromLater(this.file, piece, this.#size));
    } catch (error) {
      throw storeError(error, WHAT);
    }
    this.#size += piece.length;
  }

  /** @throws StoreError */
  setAttribute(name: string, value: Uint8Array<ArrayBuffer>): void {
    try {
      posix.setXattr(this.file, name, value);
    } catch (error) {
      throw storeError(error, "an object's attributes");
    }
  }

  /** The object's tag, once it is closed. */
  get etag(): string {
    return infoOf("", posix.statOf(this.file)).etag;
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
      throw commitError(error, key);
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

/** What a directory cannot hold, and other stores can, is said in words of keys. */
function commitError(error: unknown, key: string): unknown {
  const refuse = (words: string) => new StoreError("invalid", `${key}: ${words}`, false, { cause: error });
  if (posix.hasCode(error, "EISDIR")) return refuse(`a directory keeps no object beside those of ${key}/`);
  if (posix.hasCode(error, "ENOTDIR")) return refuse("a directory keeps no object below another");
  if (posix.hasCode(error, "ENAMETOOLONG")) {
    return refuse("a directory keeps no name of over 255 bytes between slashes");
  }
  return storeError(error, key);
}

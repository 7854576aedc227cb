import { isMainThread } from "node:worker_threads";
import { DescriptorCache, type OpenFile } from "./descriptor_cache.ts";
import { listObjects } from "./directory_list.ts";
import { DirectoryWriter, openTemporary } from "./directory_writer.ts";
import { close, hasCode, readInto, readIntoLater, readXattrs, statIfPresent, unlinkAt } from "../posix/mod.ts";
import { flushLater, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, openAt } from "../posix/mod.ts";
import { keyParts, prefixParts } from "./key.ts";
import { infoOf, isAbsent, openDirectory, storeError, TEMPORARY } from "./directory_paths.ts";
import type { ObjectInfo, ObjectStore, ObjectWriter, PutOptions, ReadOptions } from "./object_store.ts";
import { StoreError } from "./object_store.ts";

/** Reads of up to so many bytes are done at once even on the main thread. */
const SHORT = 1 << 16;
/** Of a stream. */
const PIECE = 1 << 20;

const ATTRIBUTE = "user.syncline";

const files = new DescriptorCache();

/**
 * Objects as files of one directory: a key is a path below it. Files are private to the user. No link below the root is
 * followed. `tmp/` is the store's own and holds no objects. Directories that have become empty stay.
 *
 * In a worker, reads and writes block. On the main thread all that touches much data or waits for the device runs on another
 * thread; short reads and the work on names (microseconds each) do not. Flushing never blocks.
 *
 * Data stays in the page cache as the kernel sees fit: what was just written is what a check or a restore reads next.
 */
export class DirectoryStore implements ObjectStore {
  readonly description: string;

  /**
   * @param path absolute; made by the first `put`.
   * @param beside a directory of the same file system for files on their way, in place of `tmp/`, whose name then is free for objects.
   */
  constructor(
    readonly path: string,
    private readonly mayBlock = !isMainThread,
    private readonly beside?: string,
  ) {
    this.description = `directory ${path}`;
  }

  /** Of files on their way: a root and the parts below it. */
  get #temporary(): [root: string, parts: string[]] {
    return this.beside === undefined ? [this.path, [TEMPORARY]] : [this.beside, []];
  }

  async put(
    key: string,
    body: Uint8Array | ReadableStream<Uint8Array>,
    options: PutOptions = {},
  ): Promise<void> {
    this.#parts(key);
    await using writer = await this.#writer(options.signal);
    if (body instanceof Uint8Array) {
      await writer.write(body);
      await writer.close();
    } else {
      await body.pipeTo(writer.writable, { signal: options.signal });
    }
    await writer.commit(key, options);
  }

  /**
   * As {@link put}, with bytes of the caller's own beside the object, at most about 3 KiB. Gives the object's tag.
   * @throws StoreError `invalid` where the file system cannot keep them
   */
  protected async putWithAttribute(
    key: string,
    pieces: AsyncIterable<Uint8Array>,
    attribute: Uint8Array<ArrayBuffer>,
    options: PutOptions,
  ): Promise<string> {
    this.#parts(key);
    await using writer = await this.#writer(options.signal);
    for await (const piece of pieces) await writer.write(piece);
    writer.setAttribute(ATTRIBUTE, attribute);
    await writer.close();
    await writer.commit(key, options);
    return writer.etag;
  }

  /** As {@link head}, with what {@link putWithAttribute} put beside the object. */
  protected async headWithAttribute(
    key: string,
    options: { signal?: AbortSignal },
  ): Promise<[info: ObjectInfo, attribute: Uint8Array | undefined]> {
    const info = await this.head(key, options);
    const file = this.#openFile(this.#parts(key));
    try {
      const attribute = readXattrs(file).find(([name]) => name === ATTRIBUTE)?.[1];
      return [info, attribute];
    } catch (error) {
      throw storeError(error, key);
    } finally {
      close(file);
    }
  }

  writer(options: { signal?: AbortSignal } = {}): Promise<ObjectWriter> {
    return this.#writer(options.signal);
  }

  async #writer(signal: AbortSignal | undefined): Promise<DirectoryWriter> {
    signal?.throwIfAborted();
    const [root, parts] = this.#temporary;
    const temporary = await openTemporary(root, parts);
    return DirectoryWriter.open(this.path, temporary, (key) => this.#parts(key), this.mayBlock, signal);
  }

  async read(key: string, { offset = 0, length, signal }: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    signal?.throwIfAborted();
    const file = this.#open(key);
    try {
      const bytes = new Uint8Array(checkRange(key, file.stat.size, offset, length));
      const blocks = this.mayBlock || bytes.length <= SHORT;
      const count = blocks
        ? readInto(file.descriptor, bytes, offset)
        : await readIntoLater(file.descriptor, bytes, offset);
      if (count < bytes.length) throw new StoreError("damaged", `${key} was cut while it was read`);
      return bytes;
    } catch (error) {
      throw readError(error, key);
    } finally {
      files.release(file);
    }
  }

  // deno-lint-ignore require-await -- rejects rather than throws
  async get(key: string, { offset = 0, length, signal }: ReadOptions = {}): Promise<ReadableStream<Uint8Array>> {
    signal?.throwIfAborted();
    const file = this.#open(key);
    try {
      const end = offset + checkRange(key, file.stat.size, offset, length);
      return this.#stream(key, file, offset, end, signal);
    } catch (error) {
      files.release(file);
      throw error;
    }
  }

  #stream(key: string, file: OpenFile, start: number, end: number, signal?: AbortSignal): ReadableStream<Uint8Array> {
    let at = start;
    const next = async (): Promise<Uint8Array> => {
      signal?.throwIfAborted();
      const piece = new Uint8Array(Math.min(PIECE, end - at));
      const count = this.mayBlock
        ? readInto(file.descriptor, piece, at)
        : await readIntoLater(file.descriptor, piece, at);
      if (count < piece.length) throw new StoreError("damaged", `${key} was cut while it was read`);
      at += count;
      return piece;
    };
    let reading: Promise<unknown> | undefined;
    return new ReadableStream({
      pull: async (controller) => {
        try {
          reading = next();
          const piece = await reading as Uint8Array;
          reading = undefined;
          if (piece.length > 0) controller.enqueue(piece);
          if (at < end) return;
          controller.close();
        } catch (error) {
          controller.error(readError(error, key));
        }
        files.release(file);
      },
      // A read that is under way has the descriptor, and then gives it back.
      cancel: async () => {
        if (reading === undefined) files.release(file);
        else await Promise.allSettled([reading]);
      },
    }, { highWaterMark: 0 });
  }

  // deno-lint-ignore require-await -- rejects rather than throws
  async head(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<ObjectInfo> {
    const parts = this.#parts(key);
    signal?.throwIfAborted();
    try {
      const directory = openDirectory(this.path, parts.slice(0, -1));
      try {
        const stat = statIfPresent(directory, parts[parts.length - 1]);
        if (stat?.type === "file") return infoOf(key, stat);
      } finally {
        close(directory);
      }
    } catch (error) {
      if (!isAbsent(error)) throw storeError(error, key);
    }
    throw this.#missing(key);
  }

  async *list(prefix: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<ObjectInfo> {
    const { directory, rest } = prefixParts(prefix);
    for (const info of listObjects(this.path, directory, rest, this.beside === undefined ? TEMPORARY : undefined)) {
      signal?.throwIfAborted();
      yield await Promise.resolve(info);
    }
  }

  async delete(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const parts = this.#parts(key);
    signal?.throwIfAborted();
    const name = parts[parts.length - 1];
    try {
      const directory = openDirectory(this.path, parts.slice(0, -1));
      try {
        if (statIfPresent(directory, name)?.type !== "file") return;
        files.forget(`${this.path}/${key}`);
        unlinkAt(directory, name);
        await flushLater(directory);
      } finally {
        close(directory);
      }
    } catch (error) {
      if (!isAbsent(error)) throw storeError(error, key);
    }
  }

  // deno-lint-ignore require-await -- rejects rather than throws
  async removeUnfinished(before: Date): Promise<number> {
    let bytes = 0;
    const [root, parts] = this.#temporary;
    const old = [...listObjects(root, parts, "")].filter((info) => Date.parse(info.modified) < +before);
    if (old.length === 0) return 0;
    try {
      const directory = openDirectory(root, parts);
      try {
        for (const info of old) {
          const name = info.key.slice(parts.map((part) => `${part}/`).join("").length);
          if (name.includes("/") || statIfPresent(directory, name) === undefined) continue;
          unlinkAt(directory, name);
          bytes += info.size;
        }
      } finally {
        close(directory);
      }
    } catch (error) {
      if (!isAbsent(error)) throw storeError(error, TEMPORARY);
    }
    return bytes;
  }

  #open(key: string): OpenFile {
    const parts = this.#parts(key);
    try {
      const file = files.acquire(`${this.path}/${key}`, () => this.#openFile(parts));
      if (file.stat.type === "file") return file;
      files.forget(file.path);
      files.release(file);
    } catch (error) {
      if (!isAbsent(error)) throw storeError(error, key);
    }
    throw this.#missing(key);
  }

  #openFile(parts: string[]): number {
    const directory = openDirectory(this.path, parts.slice(0, -1));
    try {
      return openAt(directory, parts[parts.length - 1], O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } finally {
      close(directory);
    }
  }

  #parts(key: string): string[] {
    const parts = keyParts(key);
    if (this.beside === undefined && parts[0] === TEMPORARY) {
      throw new StoreError("invalid", `${TEMPORARY}/ holds no objects: ${key}`);
    }
    return parts;
  }

  #missing(key: string): StoreError {
    return new StoreError("not-found", `There is no ${key} in ${this.description}`);
  }
}

/** A device that cannot read what it holds has lost it. */
function readError(error: unknown, key: string): unknown {
  if (!hasCode(error, "EIO")) return storeError(error, key);
  return new StoreError("damaged", `${key} cannot be read from the device`, false, { cause: error });
}

function checkRange(key: string, size: number, offset: number, length: number | undefined): number {
  const end = length === undefined ? size : offset + length;
  if (offset >= 0 && offset <= end && end <= size) return end - offset;
  throw new StoreError("invalid", `${key} has ${size} bytes, not the range ${offset} to ${end}`);
}

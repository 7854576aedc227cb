import { compareKeys, keyParts } from "./key.ts";
import {
  type ObjectInfo,
  type ObjectStore,
  type ObjectWriter,
  type PutOptions,
  type ReadOptions,
  StoreError,
} from "./object_store.ts";

interface StoredObject {
  bytes: Uint8Array<ArrayBuffer>;
  info: ObjectInfo;
}

/** Puts of all stores together, so that no two states of an object, not even in two stores, have one tag. */
let writes = 0;

/** Objects in this process's memory, for tests. Bytes are copied on their way in and out. */
export class MemoryStore implements ObjectStore {
  readonly description = "memory";
  readonly #objects = new Map<string, StoredObject>();

  async put(
    key: string,
    body: Uint8Array | ReadableStream<Uint8Array>,
    { ifAbsent = false, signal }: PutOptions = {},
  ): Promise<void> {
    keyParts(key);
    signal?.throwIfAborted();
    const bytes = body instanceof Uint8Array ? Uint8Array.from(body) : await gather(body, signal);
    this.#set(key, bytes, ifAbsent);
  }

  #set(key: string, bytes: Uint8Array<ArrayBuffer>, ifAbsent: boolean): void {
    if (ifAbsent && this.#objects.has(key)) throw new StoreError("exists", `${key} exists already`);
    const modified = new Date().toISOString();
    this.#objects.set(key, { bytes, info: { key, size: bytes.length, modified, etag: String(++writes) } });
  }

  // deno-lint-ignore require-await -- rejects rather than throws
  async writer({ signal }: { signal?: AbortSignal } = {}): Promise<ObjectWriter> {
    signal?.throwIfAborted();
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let isClosed = false;
    return {
      writable: new WritableStream<Uint8Array>({
        write(piece) {
          signal?.throwIfAborted();
          pieces.push(Uint8Array.from(piece));
        },
        close() {
          isClosed = true;
        },
      }),
      // deno-lint-ignore require-await -- rejects rather than throws
      commit: async (key: string, { ifAbsent = false, signal: now }: PutOptions = {}) => {
        keyParts(key);
        signal?.throwIfAborted();
        now?.throwIfAborted();
        if (!isClosed) throw new Error(`Cannot commit ${key} before its stream is closed`);
        this.#set(key, concatenate(pieces), ifAbsent);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  // deno-lint-ignore require-await -- rejects rather than throws
  async read(key: string, { offset = 0, length, signal }: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    signal?.throwIfAborted();
    const { bytes } = this.#find(key);
    const end = length === undefined ? bytes.length : offset + length;
    if (offset > end || end > bytes.length) {
      throw new StoreError("invalid", `${key} has ${bytes.length} bytes, not the range ${offset} to ${end}`);
    }
    return bytes.slice(offset, end);
  }

  async get(key: string, options: ReadOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const bytes = await this.read(key, options);
    let at = 0;
    return new ReadableStream({
      pull(controller) {
        if (options.signal?.aborted) return controller.error(options.signal.reason);
        if (at === bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, at + PIECE));
        at = Math.min(at + PIECE, bytes.length);
      },
    });
  }

  // deno-lint-ignore require-await -- rejects rather than throws
  async head(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<ObjectInfo> {
    signal?.throwIfAborted();
    return { ...this.#find(key).info };
  }

  async *list(prefix: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<ObjectInfo> {
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort(compareKeys);
    for (const key of keys) {
      signal?.throwIfAborted();
      const object = this.#objects.get(key);
      if (object !== undefined) yield await Promise.resolve({ ...object.info });
    }
  }

  // deno-lint-ignore require-await -- rejects rather than throws
  async delete(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    keyParts(key);
    signal?.throwIfAborted();
    this.#objects.delete(key);
  }

  removeUnfinished(): Promise<number> {
    return Promise.resolve(0);
  }

  #find(key: string): StoredObject {
    keyParts(key);
    const object = this.#objects.get(key);
    if (object === undefined) throw new StoreError("not-found", `There is no ${key} in ${this.description}`);
    return object;
  }

  /** The keys and bytes of all objects, for tests: to compare and to set back. */
  snapshot(): Map<string, Uint8Array<ArrayBuffer>> {
    return new Map([...this.#objects].map(([key, object]) => [key, object.bytes.slice()]));
  }

  /** A store with the objects of a {@link snapshot}. */
  static of(objects: Iterable<[string, Uint8Array]>): MemoryStore {
    const store = new MemoryStore();
    for (const [key, bytes] of objects) store.#set(key, Uint8Array.from(bytes), false);
    return store;
  }
}

const PIECE = 1 << 16;

async function gather(stream: ReadableStream<Uint8Array>, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) {
    signal?.throwIfAborted();
    pieces.push(Uint8Array.from(piece));
  }
  return concatenate(pieces);
}

function concatenate(pieces: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

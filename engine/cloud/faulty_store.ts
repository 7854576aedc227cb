import {
  type ObjectInfo,
  type ObjectStore,
  type ObjectWriter,
  type PutOptions,
  type ReadOptions,
  StoreError,
} from "./object_store.ts";

/**
 * How an operation fails: without having been done, after it was done, or (of one that writes) half done: half of the bytes of a
 * `put` or of a written object are under its key, as a store that breaks its promise would leave them. `half` is `before` for
 * the operations that write no object.
 */
export type FaultMode = "before" | "after" | "half";

export interface Fault {
  /** The number of the operation, from 1. */
  at: number;
  mode: FaultMode;
  /** Whether every later operation fails too, as for a process that has died. Otherwise only this one. */
  isCrash: boolean;
}

export interface FaultOptions {
  fault?: Fault;
  /** What a read gives in place of the bytes that are there. */
  damage?: (key: string, bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
}

/** The error of an operation that was made to fail. */
export class InjectedFault extends StoreError {}

/**
 * A store for tests that fails on demand. Every call is an operation, and so is each piece written to a writer, its commit
 * and each object that `list` yields.
 */
export class FaultyStore implements ObjectStore {
  readonly description: string;
  /** Operations so far. */
  operations = 0;
  /** The operation that failed, such as `put config`; undefined before. */
  failed: string | undefined;
  /** The key that has half an object because of it. */
  torn: string | undefined;
  #hasCrashed = false;

  constructor(private readonly inner: ObjectStore, private readonly options: FaultOptions = {}) {
    this.description = `faulty ${inner.description}`;
  }

  async #run<T>(name: string, action: () => Promise<T>, half?: () => Promise<unknown>): Promise<T> {
    const { fault } = this.options;
    if (this.#hasCrashed) throw new InjectedFault("unavailable", `Crashed before ${name}`);
    this.operations++;
    if (this.operations !== fault?.at) return await action();
    this.#hasCrashed = fault.isCrash;
    this.failed = name;
    if (fault.mode === "after") await action();
    if (fault.mode === "half" && half !== undefined) {
      await half();
      this.torn = name.slice(name.indexOf(" ") + 1);
    }
    throw new InjectedFault("unavailable", `Fault ${fault.at} ${fault.mode} ${name}`);
  }

  async put(
    key: string,
    body: Uint8Array | ReadableStream<Uint8Array>,
    options?: PutOptions,
  ): Promise<void> {
    if (body instanceof Uint8Array) {
      const half = () => this.inner.put(key, body.subarray(0, body.length >> 1), options);
      return await this.#run(`put ${key}`, () => this.inner.put(key, body, options), half);
    }
    return await this.#run(`put ${key}`, () => this.inner.put(key, body, options));
  }

  async writer(options?: { signal?: AbortSignal }): Promise<ObjectWriter> {
    const pieces: Uint8Array[] = [];
    const inner = await this.#run("writer", () => this.inner.writer(options));
    const sink = inner.writable.getWriter();
    const half = (key: string) => this.inner.put(key, firstHalf(pieces));
    return {
      writable: new WritableStream({
        write: (piece) =>
          this.#run("write", () => {
            if (this.options.fault?.mode === "half") pieces.push(Uint8Array.from(piece));
            return sink.write(piece);
          }),
        close: () => sink.close(),
        abort: (reason) => sink.abort(reason),
      }),
      commit: (key, commitOptions) =>
        this.#run(`commit ${key}`, () => inner.commit(key, commitOptions), () => half(key)),
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
  }

  async read(key: string, options: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#run(`read ${key}`, async () => {
      if (this.options.damage === undefined) return await this.inner.read(key, options);
      const { offset = 0, length, signal } = options;
      const damaged = this.options.damage(key, await this.inner.read(key, { signal }));
      const end = length === undefined ? damaged.length : offset + length;
      if (end > damaged.length) throw new StoreError("invalid", `${key} does not have the range ${offset} to ${end}`);
      return damaged.slice(offset, end);
    });
  }

  async get(key: string, options: ReadOptions = {}): Promise<ReadableStream<Uint8Array>> {
    if (this.options.damage === undefined) return await this.#run(`get ${key}`, () => this.inner.get(key, options));
    return ReadableStream.from([await this.read(key, options)]);
  }

  async head(key: string, options?: { signal?: AbortSignal }): Promise<ObjectInfo> {
    return await this.#run(`head ${key}`, () => this.inner.head(key, options));
  }

  async *list(prefix: string, options?: { signal?: AbortSignal }): AsyncGenerator<ObjectInfo> {
    const iterator = this.inner.list(prefix, options)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await this.#run(`list ${prefix}`, () => iterator.next());
        if (step.done) return;
        yield step.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  async delete(key: string, options?: { signal?: AbortSignal }): Promise<void> {
    await this.#run(`delete ${key}`, () => this.inner.delete(key, options));
  }

  async removeUnfinished(before: Date): Promise<number> {
    return await this.#run("removeUnfinished", () => this.inner.removeUnfinished(before));
  }
}

function firstHalf(pieces: Uint8Array[]): Uint8Array {
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const half = new Uint8Array(total >> 1);
  let at = 0;
  for (const piece of pieces) {
    const part = piece.subarray(0, half.length - at);
    half.set(part, at);
    at += part.length;
  }
  return half;
}

import { createHash } from "node:crypto";
import { type ByteSource, bytesSource, sourceBody } from "./body.ts";
import { compareKeys, keyParts } from "./key.ts";
import {
  type ObjectInfo,
  type ObjectStore,
  type ObjectWriter,
  type PutOptions,
  type ReadOptions,
  StoreError,
} from "./object_store.ts";
import { inLanes } from "./in_lanes.ts";
import { PART, partSize } from "./part_size.ts";
import { rangeStream } from "./range_stream.ts";
import type { Attributes, Body, ObjectDetails, Page, RemoteDriver, Upload } from "./remote_driver.ts";
import { MemorySink, readRange, type ReadSoFar, type Sink, SinkError } from "./read_range.ts";
import { type RequestOptions, Requests } from "./requests.ts";
import { SpoolFile } from "./spool_file.ts";
import { spoolWriter } from "./spool_writer.ts";
import { withinLimit } from "./within_limit.ts";

/** Parts of one object that are sent at once. */
const AT_ONCE = 4;
/** How often an object in parts is begun, where what was sent of it is lost. */
const BEGINNINGS = 3;

export interface PutSourceOptions extends PutOptions, Attributes {}

/**
 * A store at the other end of a connection. Long objects go up in parts, several at once, from memory that is bounded; every request
 * ends some time after nothing moves any more, and is tried again where its failure may pass. A read that is cut goes on where it was.
 */
export class RemoteStore implements ObjectStore {
  readonly description: string;
  readonly isDistant = true;
  readonly #requests: Requests;

  constructor(readonly driver: RemoteDriver, private readonly prefix: string, options: RequestOptions = {}) {
    this.description = prefix === "" ? driver.description : `${driver.description}/${prefix}`;
    this.#requests = new Requests(this.description, options);
  }

  async put(
    key: string,
    body: Uint8Array | ReadableStream<Uint8Array>,
    options: PutOptions = {},
  ): Promise<void> {
    this.#full(key);
    options.signal?.throwIfAborted();
    if (body instanceof Uint8Array) return void await this.putSource(key, bytesSource(body), options);
    await using spool = new SpoolFile();
    await body.pipeTo(new WritableStream({ write: (piece) => spool.append(piece) }), { signal: options.signal });
    await this.putSource(key, spool, options);
  }

  /** Stores what a source has, in parts where it is long, and gives its tag. The source must not change meanwhile. */
  async putSource(key: string, source: ByteSource, options: PutSourceOptions = {}): Promise<string> {
    const { ifAbsent = false, signal } = options;
    const full = this.#full(key);
    if (ifAbsent && !this.driver.isConditional) await this.#refuseTaken(key, signal);
    if (source.size > PART) return await this.#putParts(key, source, options);
    const body = await sourceBody(source, 0, source.size);
    const what = `put ${key}`;
    return await this.#requests.run({ what, signal, bytes: body.size }, async (inner, attempt, alive) => {
      try {
        return await this.driver.put(full, body, options, ifAbsent, inner, alive);
      } catch (error) {
        // The answer to an earlier try may have been lost after it was done.
        const stored = attempt > 0 && isKind(error, "exists") ? await this.#stored(full, body, inner) : undefined;
        if (stored === undefined) throw error;
        return stored;
      }
    });
  }

  /** The tag of an object that has these bytes. */
  async #stored(full: string, body: Body, signal: AbortSignal): Promise<string | undefined> {
    const sink = new MemorySink();
    const done: ReadSoFar = { filled: 0 };
    await readRange(this.driver, full, {}, sink, signal, () => {}, done);
    const isSame = sink.bytes.length === body.size && createHash("md5").update(sink.bytes).digest().equals(body.md5);
    return isSame ? done.etag : undefined;
  }

  async #refuseTaken(key: string, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.head(key, { signal });
    } catch (error) {
      if (isKind(error, "not-found")) return;
      throw error;
    }
    throw new StoreError("exists", `${key} exists already`);
  }

  async #putParts(key: string, source: ByteSource, options: PutSourceOptions): Promise<string> {
    for (let beginning = 1;; beginning++) {
      try {
        return await this.#putPartsOnce(key, source, options);
      } catch (error) {
        if (!isKind(error, "not-found")) throw error;
        if (beginning === BEGINNINGS) throw this.lostUpload(key, error);
      }
      if (options.ifAbsent && !this.driver.isConditional) await this.#refuseTaken(key, options.signal);
    }
  }

  /** What was sent of an object is lost, again and again. */
  lostUpload(key: string, cause: unknown): StoreError {
    const words = `${this.description} has thrown away what was sent of ${key}; is somebody else storing it now?`;
    return new StoreError("unavailable", words, false, { cause });
  }

  async #putPartsOnce(key: string, source: ByteSource, options: PutSourceOptions): Promise<string> {
    const size = partSize(source.size, this.driver.mostParts);
    const upload = await this.beginUpload(key, options, options.signal);
    try {
      const tags = new Array<string>(Math.ceil(source.size / size));
      await inLanes(AT_ONCE, tags.length, options.signal, async (index, signal) => {
        const length = Math.min(size, source.size - index * size);
        tags[index] = await this.putPart(upload, index + 1, await sourceBody(source, index * size, length), signal);
      });
      return await this.completeUpload(upload, tags, options);
    } catch (error) {
      await this.#giveUp(upload);
      throw error;
    }
  }

  /** Not after the caller's signal, which has fired perhaps; what cannot be given up now, {@link removeUnfinished} finds. */
  async #giveUp(upload: Upload): Promise<void> {
    try {
      await this.abortUpload(upload);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
  }

  async beginUpload(key: string, attributes: Attributes, signal?: AbortSignal): Promise<Upload> {
    const full = this.#full(key);
    return await this.#requests.run(
      { what: `begin ${key}`, signal },
      (inner) => this.driver.begin(full, attributes, inner),
    );
  }

  async putPart(upload: Upload, number: number, body: Body, signal?: AbortSignal): Promise<string> {
    const what = `part ${number} of ${upload.key}`;
    return await this.#requests.run(
      { what, signal, bytes: body.size },
      (inner, _, alive) => this.driver.putPart(upload, number, body, inner, alive),
    );
  }

  /**
   * @param tags of the parts, in their order.
   * @returns the object's tag.
   * @throws StoreError `not-found` where the upload is no more and must be begun again
   */
  async completeUpload(upload: Upload, tags: readonly string[], options: PutSourceOptions): Promise<string> {
    const { ifAbsent = false, signal } = options;
    return await this.#requests.run({ what: `complete ${upload.key}`, signal }, async (inner, attempt) => {
      try {
        return await this.driver.complete(upload, tags, options, ifAbsent, inner);
      } catch (error) {
        if (attempt === 0 || !isKind(error, "exists", "not-found")) throw error;
        const found = await this.driver.head(upload.key, inner);
        if (!this.driver.isOutcome(upload, tags, found)) throw error;
        return found.etag;
      }
    });
  }

  async abortUpload(upload: Upload): Promise<void> {
    await this.#requests.run({ what: `abort ${upload.key}` }, (inner) => this.driver.abort(upload, inner));
  }

  // deno-lint-ignore require-await -- rejects rather than throws
  async writer({ signal }: { signal?: AbortSignal } = {}): Promise<ObjectWriter> {
    signal?.throwIfAborted();
    return spoolWriter((key, source, options) => {
      signal?.throwIfAborted();
      return this.putSource(key, source, options);
    }, signal);
  }

  async read(key: string, options: ReadOptions & { etag?: string } = {}): Promise<Uint8Array<ArrayBuffer>> {
    const { offset = 0, length, etag, signal } = options;
    const full = this.#full(key);
    signal?.throwIfAborted();
    if (length === 0 || length === undefined && offset > 0) {
      const { size } = await this.head(key, { signal });
      if (offset > size) throw badRange(key, size, offset, length);
      if (length === 0 || offset === size) return new Uint8Array();
      return await this.read(key, { offset, length: size - offset, etag, signal });
    }
    const sink = new MemorySink();
    await this.#readInto(full, { offset, length, etag, signal }, sink);
    return sink.bytes;
  }

  /**
   * Reads a range that is there, a piece at a time.
   * @throws what `take` throws, as it is
   */
  async readTo(
    key: string,
    range: { offset: number; length: number; etag: string; signal?: AbortSignal },
    take: (piece: Uint8Array) => void,
  ): Promise<void> {
    if (range.length === 0) return;
    const write = (piece: Uint8Array) => {
      try {
        take(piece);
      } catch (error) {
        throw new SinkError(error);
      }
    };
    try {
      await this.#readInto(this.#full(key), range, { begin() {}, write });
    } catch (error) {
      throw error instanceof SinkError ? error.cause : error;
    }
  }

  async #readInto(
    full: string,
    range: { offset: number; length?: number; etag?: string; signal?: AbortSignal },
    sink: Sink,
  ): Promise<void> {
    const done: ReadSoFar = { filled: 0 };
    await this.#requests.run(
      { what: `read ${full}`, signal: range.signal },
      (inner, _, alive) => readRange(this.driver, full, range, sink, inner, alive, done),
    );
  }

  async get(key: string, options: ReadOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const { offset = 0, length, signal } = options;
    const { size, etag } = await this.head(key, { signal });
    const end = length === undefined ? size : offset + length;
    if (offset < 0 || offset > end || end > size) throw badRange(key, size, offset, length);
    return rangeStream(offset, end, signal, (at, count, inner) => {
      return this.read(key, { offset: at, length: count, etag, signal: inner });
    });
  }

  async head(key: string, options: { signal?: AbortSignal } = {}): Promise<ObjectInfo> {
    const { size, modified, etag } = await this.details(key, options);
    return { key, size, modified, etag };
  }

  async details(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<ObjectDetails> {
    const full = this.#full(key);
    const found = await this.#requests.run({ what: `head ${key}`, signal }, (inner) => this.driver.head(full, inner));
    return { ...found, key };
  }

  async *list(prefix: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<ObjectInfo> {
    let cursor: string | undefined;
    do {
      const page = await this.page(prefix, { cursor, signal });
      for (const info of page.infos) {
        signal?.throwIfAborted();
        yield info;
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /** One page of {@link list}. */
  async page(prefix: string, options: { cursor?: string; limit?: number; signal?: AbortSignal } = {}): Promise<Page> {
    const { cursor, limit, signal } = options;
    const full = this.prefix === "" ? prefix : `${this.prefix}/${prefix}`;
    const page = await this.#requests.run(
      { what: `list ${prefix}`, signal },
      (inner) => this.driver.list(full, { cursor, limit, signal: inner }),
    );
    const cut = this.prefix === "" ? 0 : this.prefix.length + 1;
    const infos = page.infos.map((info) => ({ ...info, key: info.key.slice(cut) }));
    // The large services sort by bytes; some that speak their protocol do not.
    return { infos: infos.sort((a, b) => compareKeys(a.key, b.key)), cursor: page.cursor };
  }

  async delete(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const full = this.#full(key);
    await this.#requests.run({ what: `delete ${key}`, signal }, (inner) => this.driver.delete(full, inner));
  }

  async removeUnfinished(before: Date): Promise<number> {
    const prefix = this.prefix === "" ? "" : `${this.prefix}/`;
    return await this.#requests.run({ what: "remove unfinished" }, (inner) => {
      return this.driver.abortBegun({ prefix, before }, inner);
    });
  }

  /** Gives up the uploads in parts of a key that were begun from one time to another. */
  async abortBegun(key: string, after: Date, before: Date): Promise<void> {
    const begun = { prefix: this.#full(key), isKey: true, after, before };
    await this.#requests.run({ what: `abort uploads of ${key}` }, (inner) => this.driver.abortBegun(begun, inner));
  }

  /** Rejects where the bucket cannot be used; one try. */
  async probe(limitMs: number): Promise<void> {
    await withinLimit({ limitMs, what: this.description }, (inner) => this.driver.probe(inner));
  }

  async link(key: string, seconds: number, contentType: string | undefined): Promise<string> {
    const name = key.slice(key.lastIndexOf("/") + 1);
    return await this.driver.link(this.#full(key), seconds, { name, contentType });
  }

  /** @throws StoreError `invalid` */
  #full(key: string): string {
    keyParts(key);
    const refusal = this.driver.refusal(key);
    if (refusal !== undefined) {
      throw new StoreError("invalid", `${this.description}: ${JSON.stringify(key)}: ${refusal}`);
    }
    if (this.prefix === "") return key;
    const full = `${this.prefix}/${key}`;
    keyParts(full);
    return full;
  }
}

function isKind(error: unknown, ...kinds: StoreError["kind"][]): boolean {
  return error instanceof StoreError && kinds.includes(error.kind);
}

function badRange(key: string, size: number, offset: number, length: number | undefined): StoreError {
  const end = length === undefined ? "the end" : offset + length;
  return new StoreError("invalid", `${key} has ${size} bytes, not the range ${offset} to ${end}`);
}

import { createHash, randomBytes } from "node:crypto";
import type { RepositoryAccess } from "../repository/access.ts";
import { ID_BYTES } from "../crypto/chunk_id.ts";
import { encrypt, packKey, SALT_BYTES, TABLE_NONCE } from "../crypto/cipher.ts";
import { compress } from "./compression.ts";
import { encodeHeader, encodeTrailer } from "./pack_frame.ts";
import { Codec, type PackKind, packObject, type StoredPack, TableBuilder } from "./pack_table.ts";
import { release } from "./release.ts";
import type { ObjectStore, ObjectWriter } from "../../cloud/object_store.ts";

/** A frame is closed once it has this many bytes. */
const FRAME = 1 << 20;
/** A longer chunk has a frame of its own. */
const ALONE = 1 << 19;
/** A pack is closed once it has this many bytes. */
const PACK = 32 << 20;

/**
 * Writes chunks into packs as streams: small chunks share a frame, frames go to the store as they are made, a full pack gets
 * its table and its name. The caller sees to it that no chunk comes twice. Of a writer that is disposed of before {@link PackWriter.finish}
 * the packs that were full stay, without an index.
 *
 * @example
 * ```ts
 * await using packs = new PackWriter(access, store, "data");
 * await packs.add(id, bytes);
 * const stored = await packs.finish();
 * ```
 */
export class PackWriter implements AsyncDisposable {
  readonly #access: RepositoryAccess;
  readonly #store: ObjectStore;
  readonly #kind: PackKind;
  readonly #stored: StoredPack[] = [];
  readonly #frame = new Uint8Array(FRAME + ALONE);
  readonly #ids = new Uint8Array(ID_BYTES * 65_536);
  #lengths: number[] = [];
  #filled = 0;
  #pack: OpenPack | undefined;
  /** The pack before, which gets its table and its name while this one is filled: making it durable takes its time. */
  #closing: Promise<void> = Promise.resolve();

  constructor(access: RepositoryAccess, store: ObjectStore, kind: PackKind) {
    this.#access = access;
    this.#store = store;
    this.#kind = kind;
  }

  /**
   * Takes a chunk; both arrays may be used again once it returns, or, where it returns a promise, once that resolves.
   * @throws StoreError
   */
  add(id: Uint8Array, bytes: Uint8Array): Promise<void> | undefined {
    if (bytes.length > ALONE) return this.#write(bytes, id, [bytes.length]);
    this.#frame.set(bytes, this.#filled);
    this.#ids.set(id, this.#lengths.length * ID_BYTES);
    this.#lengths.push(bytes.length);
    this.#filled += bytes.length;
    if (this.#filled >= FRAME || this.#lengths.length === this.#ids.length / ID_BYTES) return this.#closeFrame();
  }

  /** Closes what is open and returns every pack that was stored. */
  async finish(): Promise<StoredPack[]> {
    await this.#closeFrame();
    await this.#closePack();
    await this.#closing;
    return this.#stored;
  }

  async #closeFrame(): Promise<void> {
    if (this.#lengths.length === 0) return;
    const lengths = this.#lengths;
    this.#lengths = [];
    const bytes = this.#frame.subarray(0, this.#filled);
    this.#filled = 0;
    await this.#write(bytes, this.#ids, lengths);
  }

  async #write(bytes: Uint8Array, ids: Uint8Array, lengths: number[]): Promise<void> {
    const pack = this.#pack ??= await OpenPack.begin(this.#access, this.#store, this.#kind);
    await pack.addFrame(bytes, ids, lengths);
    if (pack.length >= PACK) await this.#closePack();
  }

  async #closePack(): Promise<void> {
    const pack = this.#pack;
    if (pack === undefined) return;
    await this.#closing;
    this.#pack = undefined;
    this.#closing = this.#close(pack);
    // Whoever waits for it next is told.
    this.#closing.catch(() => {});
  }

  async #close(pack: OpenPack): Promise<void> {
    await using _ = pack;
    this.#stored.push(await pack.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#closing]);
    await this.#pack?.[Symbol.asyncDispose]();
    this.#pack = undefined;
  }
}

/** One pack on its way to the store (FORMAT section 4). */
class OpenPack implements AsyncDisposable {
  readonly #hash = createHash("sha256");
  readonly #table = new TableBuilder();
  readonly #stream: WritableStreamDefaultWriter<Uint8Array>;
  /** Bytes so far. */
  length = 0;

  private constructor(
    private readonly writer: ObjectWriter,
    private readonly kind: PackKind,
    private readonly salt: Uint8Array,
    private readonly header: Uint8Array,
    /** Null in a plain repository. */
    private readonly key: Uint8Array | null,
  ) {
    this.#stream = writer.writable.getWriter();
    // Its failures come with the write that meets them.
    this.#stream.closed.catch(() => {});
  }

  static async begin(access: RepositoryAccess, store: ObjectStore, kind: PackKind): Promise<OpenPack> {
    const { masterKey } = access;
    const salt = masterKey === null ? new Uint8Array(SALT_BYTES) : new Uint8Array(randomBytes(SALT_BYTES));
    const header = encodeHeader(masterKey !== null, kind, salt);
    const key = masterKey === null ? null : packKey(masterKey, salt);
    const pack = new OpenPack(await store.writer(), kind, salt, header, key);
    await pack.#append(header);
    return pack;
  }

  async addFrame(bytes: Uint8Array, ids: Uint8Array, lengths: number[]): Promise<void> {
    const compressed = compress(bytes);
    const payload = compressed ?? bytes;
    // A store may take a piece without copying it, so what it gets is never a buffer that is used again.
    const stored = this.key === null
      ? compressed ?? new Uint8Array(bytes)
      : encrypt(this.key, this.#table.frames, payload);
    const codec = compressed === null ? Codec.raw : Codec.zstd;
    const frame = { offset: this.length, storedLength: stored.length, plainLength: bytes.length, codec };
    this.#table.addFrame(frame, ids, lengths);
    if (compressed !== null && compressed !== stored) release(compressed);
    await this.#append(stored);
    release(stored);
  }

  /** Writes the table and gives the pack its name. */
  async close(): Promise<StoredPack> {
    const table = this.#table.encode();
    const sealed = this.key === null ? table : encrypt(this.key, TABLE_NONCE, table, this.header);
    await this.#append(sealed);
    await this.#append(encodeTrailer(sealed.length));
    await this.#stream.close();
    const name = this.#hash.digest("hex");
    await this.writer.commit(packObject(name));
    return { name, salt: this.salt, size: this.length, kind: this.kind, table };
  }

  async #append(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.length += bytes.length;
    await this.#stream.write(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.writer[Symbol.asyncDispose]();
  }
}

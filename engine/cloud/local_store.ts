import { DirectoryStore } from "./directory_store.ts";
import type { ByteSource } from "./body.ts";
import type { ReadOptions } from "./object_store.ts";
import { StoreError } from "./object_store.ts";
import type { ObjectDetails } from "./remote_driver.ts";
import type { PutSourceOptions } from "./remote_store.ts";

const PIECE = 1 << 20;

/** A directory that keeps what the cloud API keeps: with an object also its type and its metadata, as an extended attribute of the file. */
export class LocalStore extends DirectoryStore {
  constructor(path: string, mayBlock?: boolean) {
    super(path, mayBlock, `${path}.unfinished`);
  }

  async putSource(key: string, source: ByteSource, options: PutSourceOptions = {}): Promise<string> {
    const { contentType, metadata, ...put } = options;
    const attributes = new TextEncoder().encode(JSON.stringify({ contentType, metadata }));
    return await this.putWithAttribute(key, pieces(source), attributes, put);
  }

  async details(key: string, options: { signal?: AbortSignal } = {}): Promise<ObjectDetails> {
    const [found, attributes] = await this.headWithAttribute(key, options);
    const { contentType, metadata = {} } = parse(attributes);
    return { ...found, contentType, metadata };
  }

  override async read(key: string, options: ReadOptions & { etag?: string } = {}): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await super.read(key, options);
    if (options.etag !== undefined && (await this.head(key)).etag !== options.etag) {
      throw new StoreError("unavailable", `${key} was replaced while it was read`);
    }
    return bytes;
  }

  /** As of `RemoteStore`. */
  async readTo(
    key: string,
    { offset, length, etag, signal }: { offset: number; length: number; etag: string; signal?: AbortSignal },
    take: (piece: Uint8Array) => void,
  ): Promise<void> {
    for (let at = 0; at < length; at += PIECE) {
      take(await this.read(key, { offset: offset + at, length: Math.min(PIECE, length - at), etag, signal }));
    }
  }
}

type Attributes = Pick<Partial<ObjectDetails>, "contentType" | "metadata">;

/** Whatever cannot be read as ours was put there by somebody else. */
function parse(bytes: Uint8Array | undefined): Attributes {
  if (bytes === undefined) return {};
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? value as Attributes : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

async function* pieces(source: ByteSource): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < source.size; at += PIECE) {
    const piece = new Uint8Array(Math.min(PIECE, source.size - at));
    await source.read(piece, at);
    yield piece;
  }
}

import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { Body } from "./remote_driver.ts";

/** Bytes that can be read any number of times, in any order. */
export interface ByteSource {
  readonly size: number;
  /** Fills `into` from an offset; all of it is there. */
  read(into: Uint8Array<ArrayBuffer>, offset: number): Promise<void>;
}

/** A longer body is not held in memory but read twice: for its hash, and as it is sent. */
const IN_MEMORY = 16 << 20;
const PIECE = 1 << 20;

export function bytesBody(bytes: Uint8Array): Body {
  return { size: bytes.length, md5: createHash("md5").update(bytes).digest(), open: () => bytes };
}

/**
 * @param memory where it fits: what the bytes are read into, not to be touched while the body is in use.
 * @param inMemory for tests: {@link IN_MEMORY}.
 */
export async function sourceBody(
  source: ByteSource,
  offset: number,
  size: number,
  memory?: Uint8Array<ArrayBuffer>,
  inMemory = IN_MEMORY,
): Promise<Body> {
  if (size <= inMemory) {
    const bytes = memory !== undefined && memory.length >= size ? memory.subarray(0, size) : new Uint8Array(size);
    await source.read(bytes, offset);
    return bytesBody(bytes);
  }
  const md5 = createHash("md5");
  for await (const piece of pieces(source, offset, size)) md5.update(piece);
  return {
    size,
    md5: md5.digest(),
    open: () => Readable.from(pieces(source, offset, size), { objectMode: false, highWaterMark: PIECE }),
  };
}

async function* pieces(source: ByteSource, offset: number, size: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < size; at += PIECE) {
    const piece = new Uint8Array(Math.min(PIECE, size - at));
    await source.read(piece, offset + at);
    yield piece;
  }
}

export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(into, offset) {
      into.set(bytes.subarray(offset, offset + into.length));
      return Promise.resolve();
    },
  };
}

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
/** What is sent at once. */
const SENT = 512 << 10;

/** Bytes in memory. */
export function bytesBody(bytes: Uint8Array): Body {
  const open = (alive: () => void) => bytes.length <= SENT ? bytes : readable(slices(bytes), alive);
  return { size: bytes.length, md5: createHash("md5").update(bytes).digest(), bytes, open };
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
  return { size, md5: md5.digest(), open: (alive) => readable(pieces(source, offset, size), alive) };
}

function readable(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, alive: () => void): Readable {
  const watched = async function* () {
    for await (const piece of pieces) {
      yield piece;
      alive();
    }
  };
  return Readable.from(watched(), { objectMode: false, highWaterMark: SENT });
}

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SENT) yield bytes.subarray(at, at + SENT);
}

async function* pieces(source: ByteSource, offset: number, size: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < size; at += SENT) {
    const piece = new Uint8Array(Math.min(SENT, size - at));
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

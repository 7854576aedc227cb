import { StoreError } from "./object_store.ts";
import type { RemoteDriver } from "./remote_driver.ts";

/** Where the bytes of a range go, in their order. */
export interface Sink {
  /** How many will come; called once, before the first. */
  begin(length: number): void;
  /** Takes a piece, whose memory is used again once this has returned. */
  write(piece: Uint8Array): void;
}

/** What earlier tries got. */
export interface ReadSoFar {
  /** Of the whole range; undefined before the first answer. */
  length?: number;
  filled: number;
  etag?: string;
}

/**
 * One try to read a range, which goes on where the last one was cut.
 * @throws StoreError
 */
export async function readRange(
  driver: RemoteDriver,
  key: string,
  range: { offset?: number; length?: number | undefined; etag?: string | undefined },
  sink: Sink,
  signal: AbortSignal,
  alive: () => void,
  done: ReadSoFar = { filled: 0 },
): Promise<void> {
  const offset = (range.offset ?? 0) + done.filled;
  const length = done.length === undefined ? range.length : done.length - done.filled;
  if (done.length !== undefined && length === 0) return;
  const open = await driver.open(key, { offset, length, etag: done.etag ?? range.etag }, signal);
  const onAbort = () => open.cancel();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (length !== undefined && open.length < length) {
      const end = offset + length;
      throw new StoreError("invalid", `${key} has ${open.size} bytes, not the range ${offset} to ${end}`);
    }
    done.etag = open.etag;
    if (done.length === undefined) sink.begin(done.length = open.length);
    alive();
    for await (const piece of open.pieces) {
      signal.throwIfAborted();
      if (piece.length > done.length - done.filled) {
        throw new StoreError("damaged", `${key}: more arrived than was asked`);
      }
      sink.write(piece);
      done.filled += piece.length;
      alive();
    }
    if (done.filled === done.length) return;
  } catch (error) {
    if (error instanceof StoreError || error instanceof SinkError) throw error;
    signal.throwIfAborted();
    throw new StoreError("unavailable", `${driver.description}: the connection was lost`, true, { cause: error });
  } finally {
    signal.removeEventListener("abort", onAbort);
    open.cancel();
  }
  throw new StoreError("unavailable", `${driver.description}: the connection was lost`, true);
}

/** What the taker of the bytes has thrown: no matter of the store. */
export class SinkError extends Error {
  constructor(override readonly cause: unknown) {
    super("The bytes that were read could not be taken", { cause });
  }
}

/** Gathers a range in memory. */
export class MemorySink implements Sink {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array();
  #filled = 0;

  begin(length: number): void {
    this.bytes = new Uint8Array(length);
  }

  write(piece: Uint8Array): void {
    this.bytes.set(piece, this.#filled);
    this.#filled += piece.length;
  }
}

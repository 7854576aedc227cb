import { StoreError } from "./object_store.ts";
import type { RemoteDriver } from "./remote_driver.ts";

/** What an earlier try got. */
export interface ReadSoFar {
  bytes?: Uint8Array<ArrayBuffer>;
  filled: number;
  etag?: string;
}

/**
 * One try to read a range into memory, which goes on where the last one was cut.
 * @throws StoreError
 */
export async function readRange(
  driver: RemoteDriver,
  key: string,
  range: { offset?: number; length?: number | undefined; etag?: string | undefined },
  signal: AbortSignal,
  alive: () => void,
  done: ReadSoFar = { filled: 0 },
): Promise<Uint8Array<ArrayBuffer>> {
  const offset = (range.offset ?? 0) + done.filled;
  const length = done.bytes === undefined ? range.length : done.bytes.length - done.filled;
  if (done.bytes !== undefined && length === 0) return done.bytes;
  const etag = done.etag ?? range.etag;
  const open = await driver.open(key, { offset, length, etag }, signal);
  const { stream } = open;
  const onAbort = () => void stream.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (length !== undefined && open.length < length) {
      const end = offset + length;
      throw new StoreError("invalid", `${key} has ${open.size} bytes, not the range ${offset} to ${end}`);
    }
    done.etag = open.etag;
    const bytes = done.bytes ??= new Uint8Array(open.length);
    alive();
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      if (piece.length > bytes.length - done.filled) {
        throw new StoreError("damaged", `${key}: more arrived than was asked`);
      }
      bytes.set(piece, done.filled);
      done.filled += piece.length;
      alive();
    }
    if (done.filled === bytes.length) return bytes;
  } catch (error) {
    if (error instanceof StoreError) throw error;
    signal.throwIfAborted();
    throw new StoreError("unavailable", `${driver.description}: the connection was lost`, true, { cause: error });
  } finally {
    signal.removeEventListener("abort", onAbort);
    stream.destroy();
  }
  throw new StoreError("unavailable", `${driver.description}: the connection was lost`, true);
}

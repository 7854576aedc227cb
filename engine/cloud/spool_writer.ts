import type { ByteSource } from "./body.ts";
import type { ObjectWriter, PutOptions } from "./object_store.ts";
import { SpoolFile } from "./spool_file.ts";

/** A writer of a store that must know an object's key before its bytes: they wait in a local file for the commit. */
export function spoolWriter(
  put: (key: string, source: ByteSource, options: PutOptions) => Promise<unknown>,
  signal: AbortSignal | undefined,
): ObjectWriter {
  const spool = new SpoolFile();
  let isClosed = false;
  return {
    writable: new WritableStream<Uint8Array>({
      write(piece) {
        signal?.throwIfAborted();
        return spool.append(piece);
      },
      close() {
        isClosed = true;
      },
    }),
    async commit(key, options = {}) {
      if (!isClosed) throw new Error(`Cannot commit ${key} before its stream is closed`);
      await put(key, spool, options);
    },
    [Symbol.asyncDispose]: () => spool[Symbol.asyncDispose](),
  };
}

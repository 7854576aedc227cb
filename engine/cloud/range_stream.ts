const PIECE = 4 << 20;

/** The bytes from `start` to `end` as a stream, read in pieces, one of them ahead of its reader. Cancelling it ends the reading. */
export function rangeStream(
  start: number,
  end: number,
  signal: AbortSignal | undefined,
  read: (offset: number, length: number, signal: AbortSignal) => Promise<Uint8Array>,
): ReadableStream<Uint8Array> {
  const left = new AbortController();
  const inner = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
  let at = start;
  const begin = (): Promise<Uint8Array> | undefined => {
    if (at === end) return undefined;
    const length = Math.min(PIECE, end - at);
    const piece = read(at, length, inner);
    at += length;
    piece.catch(() => {
      // Whoever pulls it hears of it.
    });
    return piece;
  };
  let ahead: Promise<Uint8Array> | undefined;
  return new ReadableStream({
    async pull(controller) {
      signal?.throwIfAborted();
      const piece = await (ahead ?? begin());
      signal?.throwIfAborted();
      if (piece === undefined) return controller.close();
      ahead = begin();
      controller.enqueue(piece);
    },
    cancel: () => left.abort(),
  }, { highWaterMark: 0 });
}

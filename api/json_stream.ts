/** JSON answers of any length in bounded memory. */

const BATCH_CHARACTERS = 64 * 1024;

/**
 * An object with the fields of `head`, then `name` with all items, then `totalCount`. The first item is awaited before this
 * resolves, so that what fails at the beginning is thrown; what fails later breaks the stream off. Cancelling the stream ends
 * the iteration.
 */
export async function jsonListStream(
  head: Record<string, unknown>,
  name: string,
  items: AsyncIterable<unknown>,
): Promise<ReadableStream<Uint8Array>> {
  const iterator = items[Symbol.asyncIterator]();
  const first = await iterator.next();
  return ReadableStream.from(write(head, name, first, iterator));
}

async function* write(
  head: Record<string, unknown>,
  name: string,
  first: IteratorResult<unknown>,
  iterator: AsyncIterator<unknown>,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = `${JSON.stringify(head).slice(0, -1)},${JSON.stringify(name)}:[`;
  let count = 0;
  try {
    for (let item = first; !item.done; item = await iterator.next()) {
      text += (count++ === 0 ? "" : ",") + JSON.stringify(item.value);
      if (text.length < BATCH_CHARACTERS) continue;
      yield encoder.encode(text);
      text = "";
    }
    yield encoder.encode(`${text}],"totalCount":${count}}`);
  } finally {
    await iterator.return?.();
  }
}

import * as fs from "node:fs";

const encoder = new TextEncoder();
const MOST_BUFFERED = 1 << 16;
const PIECE = 1 << 18;

/** A file of lines of JSON, written once and read any number of times: what a run knows of single rows never counts in memory. */
export class LineFile<T> implements Disposable {
  readonly path: string;
  #file: number | undefined;
  #buffered: string[] = [];
  #length = 0;
  #lines = 0;

  /** Nothing is made on the disk before the first line. */
  constructor(path: string) {
    this.path = path;
  }

  get lines(): number {
    return this.#lines;
  }

  add(value: T): void {
    const line = JSON.stringify(value) + "\n";
    this.#lines++;
    this.#length += line.length;
    this.#buffered.push(line);
    if (this.#length > MOST_BUFFERED) this.#flush();
  }

  /** Everything that was added, in its order. Adding and reading at once is not meant. */
  *read(): Generator<T> {
    this.#flush();
    if (this.#file === undefined) return;
    const decoder = new TextDecoder();
    const bytes = new Uint8Array(PIECE);
    let rest: string[] = [];
    let at = 0;
    for (let count = fs.readSync(this.#file, bytes, 0, PIECE, 0); count > 0;) {
      at += count;
      const text = decoder.decode(bytes.subarray(0, count), { stream: true });
      const end = text.lastIndexOf("\n");
      if (end < 0) rest.push(text);
      else {
        const lines = rest.join("") + text.slice(0, end);
        rest = [text.slice(end + 1)];
        // All at once, which is faster.
        yield* JSON.parse(`[${lines.replaceAll("\n", ",")}]`) as T[];
      }
      count = fs.readSync(this.#file, bytes, 0, PIECE, at);
    }
  }

  #flush(): void {
    if (this.#buffered.length === 0) return;
    this.#file ??= fs.openSync(this.path, "w+", 0o600);
    const bytes = encoder.encode(this.#buffered.join(""));
    for (let at = 0; at < bytes.length;) at += fs.writeSync(this.#file, bytes, at);
    this.#buffered = [];
    this.#length = 0;
  }

  /** Writes out what is buffered and closes the file. */
  [Symbol.dispose](): void {
    this.#flush();
    if (this.#file !== undefined) fs.closeSync(this.#file);
    this.#file = undefined;
  }
}

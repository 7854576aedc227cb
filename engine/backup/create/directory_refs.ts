import type { Spool } from "./spool.ts";

const WORDS = 10;
const ID_AT = 2;
const ID_BYTES = 32;
const GONE = 0xffffffff;

/**
 * The tree pages of the directories that changed, by the directories' numbers: 40 bytes each, in memory that threads share. More than
 * one page is kept in the spool.
 */
export class DirectoryRefs {
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #spool: Spool;

  static allocate(directories: number): SharedArrayBuffer {
    return new SharedArrayBuffer(directories * WORDS * 4);
  }

  constructor(data: SharedArrayBuffer, spool: Spool) {
    this.#words = new Uint32Array(data);
    this.#bytes = new Uint8Array(data);
    this.#spool = spool;
  }

  set(directory: number, pages: string[]): void {
    const at = directory * WORDS;
    this.#words[at] = pages.length;
    if (pages.length === 1) {
      this.#bytes.set(Uint8Array.fromHex(pages[0]), (at + ID_AT) * 4);
    } else {
      const { offset, length } = this.#spool.append(JSON.stringify(pages));
      this.#words.set([offset % 2 ** 32, Math.floor(offset / 2 ** 32), length], at + ID_AT);
    }
  }

  /** Notes that it is not in the version. */
  setGone(directory: number): void {
    this.#words[directory * WORDS] = GONE;
  }

  /** Whether anything was noted: if not, the directory has the pages that it had in the parent version. */
  has(directory: number): boolean {
    return this.#words[directory * WORDS] !== 0;
  }

  /** Undefined where nothing was noted. */
  get(directory: number): string[] | "gone" | undefined {
    const at = directory * WORDS;
    const count = this.#words[at];
    if (count === 0) return undefined;
    if (count === GONE) return "gone";
    if (count === 1) return [this.#bytes.slice((at + ID_AT) * 4, (at + ID_AT) * 4 + ID_BYTES).toHex()];
    const [low, high, length] = this.#words.subarray(at + ID_AT, at + ID_AT + 3);
    return JSON.parse(this.#spool.read({ offset: high * 2 ** 32 + low, length })) as string[];
  }
}

import { InvalidText, type Stored } from "./stored.ts";

const NULL = 0;
const INTEGER = 1;
const REAL = 2;
const TEXT = 3;
const BLOB = 4;
const INVALID_TEXT = 5;
const NARROW_TEXT = 6;
/** A text of as many units may be written with four units a word, where none has more than 8 bits. */
const MOST_NARROW = 1024;

/** Words that are held before they are mixed; a whole number of blocks. */
const HELD = 3 << 12;
/** What a value takes beside its text or bytes. */
const HEAD = 3;
const SEED = 0xdeadbeef;

/**
 * 64 bits that stand for values as SQLite stores them: Bob Jenkins' lookup3, which PostgreSQL hashes its rows with too, over the
 * storage classes, lengths and contents of values that are added one by one. For short values this takes a third of the time of
 * {@link RowHasher}, which needs their text.
 */
export class StoredHasher {
  /** Two unsigned words; after {@link StoredHasher.end}. */
  high = 0;
  low = 0;
  readonly #words = new Int32Array(HELD + HEAD);
  readonly #real = new Float64Array(1);
  readonly #realWords = new Int32Array(this.#real.buffer);
  readonly #state = new Int32Array(3);
  #at = 0;

  begin(): void {
    const state = this.#state;
    state[0] = state[1] = state[2] = SEED;
    this.#at = 0;
  }

  add(value: Stored): void {
    if (this.#at + HEAD > HELD) this.#flush();
    const words = this.#words;
    if (typeof value === "string") {
      if (value.length > MOST_NARROW || !this.#narrow(value)) this.#text(value);
    } else if (value === null) {
      words[this.#at++] = NULL;
    } else if (typeof value === "bigint") {
      words[this.#at++] = INTEGER;
      const number = Number(value);
      const isSafe = Number.isSafeInteger(number);
      words[this.#at++] = isSafe ? number : Number(BigInt.asIntN(32, value));
      words[this.#at++] = isSafe ? Math.floor(number / 2 ** 32) : Number(value >> 32n);
    } else if (typeof value === "number") {
      this.#real[0] = value;
      words[this.#at++] = REAL;
      words[this.#at++] = this.#realWords[0];
      words[this.#at++] = this.#realWords[1];
    } else {
      words[this.#at++] = value instanceof InvalidText ? INVALID_TEXT : BLOB;
      words[this.#at++] = value.length;
      this.#bytes(value);
    }
  }

  end(): void {
    const words = this.#words;
    // What was added tells where it ends, so zeros at the end change nothing.
    while (this.#at % 3 !== 0) words[this.#at++] = 0;
    this.#mix(this.#at);
    const state = this.#state;
    let a = state[0], b = state[1], c = state[2];
    c = (c ^ b) - (b << 14 | b >>> 18) | 0;
    a = (a ^ c) - (c << 11 | c >>> 21) | 0;
    b = (b ^ a) - (a << 25 | a >>> 7) | 0;
    c = (c ^ b) - (b << 16 | b >>> 16) | 0;
    a = (a ^ c) - (c << 4 | c >>> 28) | 0;
    b = (b ^ a) - (a << 14 | a >>> 18) | 0;
    c = (c ^ b) - (b << 24 | b >>> 8) | 0;
    this.high = b >>> 0;
    this.low = c >>> 0;
  }

  /** Four units a word. @returns false where that cannot be, and nothing was added */
  #narrow(text: string): boolean {
    if (this.#at + HEAD + MOST_NARROW / 4 > HELD) this.#flush();
    const words = this.#words;
    const { length } = text;
    let at = this.#at;
    words[at++] = NARROW_TEXT;
    words[at++] = length;
    let from = 0;
    let all = 0;
    for (; from + 3 < length; from += 4) {
      const a = text.charCodeAt(from), b = text.charCodeAt(from + 1);
      const c = text.charCodeAt(from + 2), d = text.charCodeAt(from + 3);
      all |= a | b | c | d;
      words[at++] = a | b << 8 | c << 16 | d << 24;
    }
    if (from < length) {
      let word = 0;
      for (let shift = 0; from < length; from++, shift += 8) {
        const unit = text.charCodeAt(from);
        all |= unit;
        word |= unit << shift;
      }
      words[at++] = word;
    }
    if (all > 0xff) return false;
    this.#at = at;
    return true;
  }

  /** Two units a word. */
  #text(text: string): void {
    const words = this.#words;
    words[this.#at++] = TEXT;
    words[this.#at++] = text.length;
    const even = text.length & ~1;
    for (let from = 0; from < even;) {
      if (this.#at >= HELD) this.#flush();
      const to = Math.min(even, from + (HELD - this.#at) * 2);
      let at = this.#at;
      for (; from < to; from += 2) words[at++] = text.charCodeAt(from) | text.charCodeAt(from + 1) << 16;
      this.#at = at;
    }
    if (even < text.length) words[this.#at++] = text.charCodeAt(even);
  }

  /** Four bytes a word. */
  #bytes(bytes: Uint8Array): void {
    const words = this.#words;
    for (let from = 0; from < bytes.length; from += 4) {
      if (this.#at >= HELD) this.#flush();
      // Beyond the end there is undefined, which counts as zero.
      words[this.#at++] = bytes[from] | bytes[from + 1] << 8 | bytes[from + 2] << 16 | bytes[from + 3] << 24;
    }
  }

  /** Mixes the whole blocks that are held and keeps the rest. */
  #flush(): void {
    const whole = this.#at - this.#at % 3;
    this.#mix(whole);
    this.#words.copyWithin(0, whole, this.#at);
    this.#at -= whole;
  }

  #mix(end: number): void {
    const [words, state] = [this.#words, this.#state];
    let a = state[0], b = state[1], c = state[2];
    for (let at = 0; at < end; at += 3) {
      a = a + words[at] | 0;
      b = b + words[at + 1] | 0;
      c = c + words[at + 2] | 0;
      a = (a - c) ^ (c << 4 | c >>> 28);
      c = c + b | 0;
      b = (b - a) ^ (a << 6 | a >>> 26);
      a = a + c | 0;
      c = (c - b) ^ (b << 8 | b >>> 24);
      b = b + a | 0;
      a = (a - c) ^ (c << 16 | c >>> 16);
      c = c + b | 0;
      b = (b - a) ^ (a << 19 | a >>> 13);
      a = a + c | 0;
      c = (c - b) ^ (b << 4 | b >>> 28);
      b = b + a | 0;
    }
    state[0] = a;
    state[1] = b;
    state[2] = c;
  }
}

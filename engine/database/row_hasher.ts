import { Buffer } from "node:buffer";
import type { Value } from "./types.ts";

const encoder = new TextEncoder();

/** Longer texts are encoded by the runtime, shorter ones here, which is faster as long as they are ASCII. */
const SHORT = 256;
const SEPARATOR = 0x7c;
const SHIFTS = Int32Array.of(7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21);
const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0);
/** Which word of a block a step takes. */
const WORDS = Int32Array.from(
  { length: 64 },
  (_, i) => (i < 16 ? i : i < 32 ? 5 * i + 1 : i < 48 ? 3 * i + 5 : 7 * i) & 15,
);

/**
 * The first 8 bytes of MD5 over the row text of values (row_text.ts), added one by one. For texts as short as rows this is several
 * times as fast as a call of `node:crypto`.
 */
export class RowHasher {
  /** The first and the second 4 bytes, big-endian, unsigned; after {@link RowHasher.end}. */
  high = 0;
  low = 0;
  readonly #bytes = new Uint8Array(64 * 1024);
  readonly #words = new Int32Array(this.#bytes.buffer);
  readonly #state = new Int32Array(4);
  /** Bytes in the buffer, and those before them. */
  #at = 0;
  #hashed = 0;
  #isFirst = true;

  begin(): void {
    this.#at = 0;
    this.#isFirst = true;
    this.#hashed = 0;
    const state = this.#state;
    state[0] = 0x67452301;
    state[1] = 0xefcdab89 | 0;
    state[2] = 0x98badcfe | 0;
    state[3] = 0x10325476;
  }

  /** @param isMeasured whether the value's length is a part of the text */
  add(value: Value, isMeasured: boolean): void {
    const bytes = this.#bytes;
    if (bytes.length - this.#at < SHORT + 16) this.#flush();
    if (this.#isFirst) this.#isFirst = false;
    else bytes[this.#at++] = SEPARATOR;
    if (value === null) {
      if (isMeasured) bytes[this.#at++] = 0x2d;
      bytes[this.#at++] = isMeasured ? 0x31 : 0x4e;
      return;
    }
    const start = this.#at;
    if (value.length <= SHORT) {
      let at = isMeasured ? this.#length(value.length) : start;
      let index = 0;
      for (; index < value.length; index++) {
        const unit = value.charCodeAt(index);
        if (unit > 0x7f) break;
        bytes[at++] = unit;
      }
      this.#at = at;
      if (index === value.length) return;
      this.#at = start;
    }
    if (isMeasured) this.#at = this.#length(Buffer.byteLength(value));
    for (let rest = value; rest !== "";) {
      const { read, written } = encoder.encodeInto(rest, this.#bytes.subarray(this.#at));
      this.#at += written;
      rest = rest.slice(read);
      if (rest !== "") this.#flush();
    }
  }

  end(): void {
    if (this.#bytes.length - this.#at < 72) this.#flush();
    const bits = (this.#hashed + this.#at) * 8;
    const end = ((this.#at + 8) >> 6 << 4) + 16;
    this.#bytes[this.#at] = 0x80;
    this.#bytes.fill(0, this.#at + 1, end * 4);
    this.#words[end - 2] = bits;
    this.#words[end - 1] = Math.floor(bits / 2 ** 32);
    this.#blocks(end);
    this.high = bigEndian(this.#state[0]);
    this.low = bigEndian(this.#state[1]);
  }

  /** Writes a length and the separator, and returns where they end. */
  #length(length: number): number {
    const bytes = this.#bytes;
    let digits = 1;
    for (let limit = 10; length >= limit; limit *= 10) digits++;
    const end = this.#at + digits;
    let rest = length;
    for (let at = end - 1; at >= this.#at; at--) {
      bytes[at] = 0x30 + rest % 10;
      rest = Math.floor(rest / 10);
    }
    bytes[end] = SEPARATOR;
    return end + 1;
  }

  /** Hashes the whole blocks that there are and keeps the rest. */
  #flush(): void {
    const whole = this.#at & ~63;
    this.#blocks(whole >> 2);
    this.#bytes.copyWithin(0, whole, this.#at);
    this.#hashed += whole;
    this.#at -= whole;
  }

  #blocks(end: number): void {
    const [words, state] = [this.#words, this.#state];
    let a = state[0], b = state[1], c = state[2], d = state[3];
    for (let block = 0; block < end; block += 16) {
      const a0 = a, b0 = b, c0 = c, d0 = d;
      for (let i = 0; i < 64; i++) {
        const mixed = i < 16 ? d ^ (b & (c ^ d)) : i < 32 ? c ^ (d & (b ^ c)) : i < 48 ? b ^ c ^ d : c ^ (b | ~d);
        const sum = (a + mixed + words[block + WORDS[i]] + SINES[i]) | 0;
        const shift = SHIFTS[(i >> 4 << 2) | (i & 3)];
        a = d;
        d = c;
        c = b;
        b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
      }
      a = (a + a0) | 0;
      b = (b + b0) | 0;
      c = (c + c0) | 0;
      d = (d + d0) | 0;
    }
    state[0] = a;
    state[1] = b;
    state[2] = c;
    state[3] = d;
  }
}

function bigEndian(word: number): number {
  return ((word << 24) | (word & 0xff00) << 8 | (word >>> 8 & 0xff00) | (word >>> 24)) >>> 0;
}

import { Random } from "./random.ts";

const POOL = 8 * 1024 * 1024;
const MARK = 16;

/**
 * Bytes for files: pieces of one seeded pool, half of it words and half noise, so that they are neither zero nor all
 * alike, and cost no more than a copy. Each piece begins with a mark of its own, as far as it is long enough.
 */
export class Contents {
  readonly #pool = new Uint8Array(POOL);

  constructor(seed: number) {
    const random = new Random(seed ^ 0x2545f491);
    random.fill(this.#pool);
    const words = Array.from({ length: 512 }, () => random.uint32().toString(36));
    const text = new TextEncoder().encode(Array.from({ length: POOL / 8 }, () => random.pick(words)).join(" "));
    this.#pool.set(text.subarray(0, POOL / 2));
  }

  /** The contents number `id`, `length` bytes long, into `target` from its start. */
  write(id: number, length: number, target: Uint8Array<ArrayBuffer>): void {
    let from = new Random(id).int(POOL);
    for (let at = 0; at < length;) {
      const count = Math.min(length - at, POOL - from);
      target.set(this.#pool.subarray(from, from + count), at);
      at += count;
      from = 0;
    }
    const mark = new TextEncoder().encode(id.toString(36).padStart(MARK, "-"));
    target.set(mark.subarray(Math.max(0, MARK - length)), 0);
  }
}

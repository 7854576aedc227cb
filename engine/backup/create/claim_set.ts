import { ID_BYTES } from "../crypto/chunk_id.ts";

/** What a {@link ClaimSet} is made of; goes to workers as it is, its memory shared. */
export interface ClaimSetData {
  /** The number of ids, then the ids, 8 words each. */
  ids: SharedArrayBuffer;
  /** For each place the number of an id plus 1, or 0. */
  slots: SharedArrayBuffer;
}

const WORDS = ID_BYTES / 4;

/**
 * The chunks that one run stores, known to all its workers at once: who claims an id first stores the chunk. Without locks,
 * so a worker that dies holds nobody up. Memory is taken only as far as it is used.
 */
export class ClaimSet {
  readonly #count: Uint32Array;
  readonly #ids: Uint32Array;
  readonly #slots: Uint32Array;
  readonly #capacity: number;
  readonly #scratch = new Uint32Array(WORDS);
  readonly #scratchBytes = new Uint8Array(this.#scratch.buffer);

  constructor(readonly data: ClaimSetData) {
    this.#count = new Uint32Array(data.ids, 0, 1);
    this.#ids = new Uint32Array(data.ids, ID_BYTES);
    this.#slots = new Uint32Array(data.slots);
    this.#capacity = this.#ids.length / WORDS;
  }

  /** @param expected chunks that may come; more are let through, and may then be stored twice. */
  static create(expected: number): ClaimSet {
    const capacity = Math.max(1024, Math.ceil(expected));
    return new ClaimSet({
      ids: new SharedArrayBuffer(ID_BYTES * (capacity + 1)),
      slots: new SharedArrayBuffer(4 * Math.ceil(capacity * 1.5)),
    });
  }

  /** Whether the caller is the first to claim this id, and so has to store the chunk. */
  claim(id: Uint8Array): boolean {
    const wanted = this.#scratch;
    this.#scratchBytes.set(id);
    let mine = -1;
    for (let slot = wanted[0] % this.#slots.length;; slot = slot + 1 === this.#slots.length ? 0 : slot + 1) {
      let taken = Atomics.load(this.#slots, slot);
      if (taken === 0) {
        if (mine < 0) {
          mine = Atomics.add(this.#count, 0, 1);
          if (mine >= this.#capacity) {
            Atomics.sub(this.#count, 0, 1);
            return true;
          }
          this.#ids.set(wanted, mine * WORDS);
        }
        taken = Atomics.compareExchange(this.#slots, slot, 0, mine + 1);
        if (taken === 0) return true;
      }
      // One whose place was taken meanwhile by the same id leaves its entry unused; that is rare and costs 32 bytes.
      if (this.#is(taken - 1)) return false;
    }
  }

  #is(index: number): boolean {
    const at = index * WORDS;
    for (let i = 0; i < WORDS; i++) {
      if (this.#ids[at + i] !== this.#scratch[i]) return false;
    }
    return true;
  }
}

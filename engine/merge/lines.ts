/** Files as lines, and equal lines as equal numbers, so that everything after it compares numbers. */

const LF = 10;
const CR = 13;

export interface Lines {
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Where each line begins; one more entry than lines, the last being the end. A line has its line break in it. */
  readonly starts: Int32Array;
  /** Equal numbers are equal lines, among all files of one {@link LineTable}. */
  readonly ids: Int32Array;
}

/**
 * Numbers the lines of several files. A line ends after LF, CRLF, or a CR that stands alone. Lines are told apart by a hash that is
 * seeded anew each time and then by their bytes, so nobody can make lines that collide.
 */
export class LineTable {
  readonly #seed = crypto.getRandomValues(new Int32Array(1))[0];
  readonly #files: Uint8Array[] = [];
  #slots = new Int32Array(1 << 12);
  #hashes = new Int32Array(1 << 11);
  #starts = new Int32Array(1 << 11);
  #ends = new Int32Array(1 << 11);
  #owners = new Uint8Array(1 << 11);
  #size = 0;

  /** How many different lines there are; their numbers are below it. */
  get size(): number {
    return this.#size;
  }

  add(bytes: Uint8Array): Lines {
    const file = this.#files.push(bytes) - 1;
    let capacity = (bytes.length >> 5) + 16;
    let starts = new Int32Array(capacity + 1);
    let ids = new Int32Array(capacity);
    let count = 0;
    for (let at = 0; at < bytes.length;) {
      const start = at;
      let hash = this.#seed;
      for (;;) {
        const byte = bytes[at++];
        hash = Math.imul(hash ^ byte, 0x9e3779b1);
        hash ^= hash >>> 15;
        if (byte === LF || at === bytes.length || byte === CR && bytes[at] !== LF) break;
      }
      if (count === capacity) {
        // As many more as the lines so far let expect.
        capacity = Math.ceil(count * (bytes.length / start) * 1.1) + 16;
        starts = grown(starts, capacity + 1);
        ids = grown(ids, capacity);
      }
      starts[count] = start;
      ids[count++] = this.#idOf(file, start, at, hash);
    }
    starts[count] = bytes.length;
    return { bytes, count, starts: starts.subarray(0, count + 1), ids: ids.subarray(0, count) };
  }

  #idOf(file: number, start: number, end: number, hash: number): number {
    const mask = this.#slots.length - 1;
    const bytes = this.#files[file];
    let slot = hash & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const id = this.#slots[slot] - 1;
      if (this.#hashes[id] === hash && this.#equals(id, bytes, start, end)) return id;
    }
    const id = this.#size++;
    if (id === this.#hashes.length) this.#growLines();
    this.#hashes[id] = hash;
    this.#starts[id] = start;
    this.#ends[id] = end;
    this.#owners[id] = file;
    this.#slots[slot] = id + 1;
    if (this.#size * 2 > this.#slots.length) this.#growSlots();
    return id;
  }

  #equals(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    let at = this.#starts[id];
    if (this.#ends[id] - at !== end - start) return false;
    const known = this.#files[this.#owners[id]];
    for (; start < end; start++, at++) {
      if (bytes[start] !== known[at]) return false;
    }
    return true;
  }

  #growLines(): void {
    const capacity = this.#hashes.length * 2;
    this.#hashes = grown(this.#hashes, capacity);
    this.#starts = grown(this.#starts, capacity);
    this.#ends = grown(this.#ends, capacity);
    const owners = new Uint8Array(capacity);
    owners.set(this.#owners);
    this.#owners = owners;
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 0; id < this.#size; id++) {
      let slot = this.#hashes[id] & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    }
    this.#slots = slots;
  }
}

function grown(from: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(capacity);
  to.set(from);
  return to;
}

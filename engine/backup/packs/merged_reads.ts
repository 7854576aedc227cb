import { type ObjectStore, StoreError } from "../../cloud/object_store.ts";

const FIRST = 2 << 20;
const MOST = 8 << 20;
/** What is skipped costs less to read than another request. */
const GAP = 1 << 20;

export interface PackRange {
  offset: number;
  length: number;
  /** Of the whole pack. */
  size: number;
  signal?: AbortSignal | undefined;
}

export interface PackReads {
  read(key: string, range: PackRange): Promise<Uint8Array<ArrayBuffer>>;
}

/** What is read of a pack in one request. */
interface Stretch {
  start: number;
  end: number;
  bytes: Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Reads of a distant store, merged: who reads a pack's frames one after the other causes few long requests, one of them ahead. Who jumps
 * gets no more than is asked. Holds up to about three stretches of {@link MOST} bytes. One caller at a time.
 */
export class MergedReads implements PackReads {
  #key = "";
  #stretches: Stretch[] = [];
  #step = 0;

  constructor(private readonly store: ObjectStore) {}

  /** @throws StoreError */
  async read(key: string, range: PackRange): Promise<Uint8Array<ArrayBuffer>> {
    const { offset, length, size, signal } = range;
    this.#cover(key, range);
    try {
      return await this.#take(offset, offset + length);
    } catch (error) {
      this.#key = "";
      this.#stretches = [];
      signal?.throwIfAborted();
      if (!(error instanceof StoreError) || offset + length > size) throw error;
      // More was read than was asked for; what was asked for may be there.
      return await this.store.read(key, { offset, length, signal });
    }
  }

  #cover(key: string, { offset, length, size, signal }: PackRange): void {
    const need = offset + length;
    const [start, end] = [this.#stretches[0]?.start ?? 0, this.#stretches.at(-1)?.end ?? 0];
    const goesOn = key === this.#key && offset >= start && offset <= end + GAP;
    if (!goesOn || offset > end) {
      this.#step = goesOn ? this.#step : 0;
      this.#key = key;
      this.#stretches = [];
      this.#add(offset, Math.max(need, goesOn ? Math.min(size, offset + this.#step) : 0), signal);
      return;
    }
    this.#stretches = this.#stretches.filter((stretch) => stretch.end > offset);
    let to = this.#stretches.at(-1)?.end ?? end;
    if (to < need) {
      this.#grow();
      to = this.#add(to, Math.max(need, Math.min(size, to + this.#step)), signal);
    }
    // Not before it has been going on for a while: what is read ahead in vain costs as well.
    if (this.#step > FIRST && to - need < this.#step && to < size) {
      this.#grow();
      this.#add(to, Math.min(size, to + this.#step), signal);
    }
  }

  #grow(): void {
    this.#step = Math.min(MOST, Math.max(FIRST, 2 * this.#step));
  }

  #add(start: number, end: number, signal: AbortSignal | undefined): number {
    const bytes = this.store.read(this.#key, { offset: start, length: end - start, signal });
    bytes.catch(() => {
      // Whoever takes it hears of it.
    });
    this.#stretches.push({ start, end, bytes });
    return end;
  }

  async #take(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (const stretch of this.#stretches) {
      if (stretch.end <= start || stretch.start >= end) continue;
      const bytes = await stretch.bytes;
      parts.push(bytes.subarray(Math.max(0, start - stretch.start), end - stretch.start));
    }
    if (parts.length === 1) return parts[0];
    const whole = new Uint8Array(end - start);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

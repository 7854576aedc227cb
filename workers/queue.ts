import type { Priority } from "./types.ts";

/** One job's queued items, oldest first. */
export class Lane<T> {
  readonly items = new Set<T>();
  constructor(readonly priority: Priority) {}
}

/** Queued items of many lanes: interactive before bulk, and the lanes of one priority in turn. */
export class FairQueue<T> {
  // A set keeps its order of insertion, so its first lane is the one that has waited longest for its turn.
  readonly #waiting: Record<Priority, Set<Lane<T>>> = { interactive: new Set(), bulk: new Set() };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(lane: Lane<T>, item: T): void {
    lane.items.add(item);
    this.#waiting[lane.priority].add(lane);
    this.#size++;
  }

  /** Takes out one item wherever it stands; false where it is not queued. */
  remove(lane: Lane<T>, item: T): boolean {
    if (!lane.items.delete(item)) return false;
    this.#size--;
    if (lane.items.size === 0) this.#waiting[lane.priority].delete(lane);
    return true;
  }

  /** Takes the item whose turn it is. */
  next(): T | undefined {
    for (const lanes of [this.#waiting.interactive, this.#waiting.bulk]) {
      for (const lane of lanes) {
        const [item] = lane.items;
        this.remove(lane, item);
        if (lanes.delete(lane)) lanes.add(lane);
        return item;
      }
    }
    return undefined;
  }

  /** Every queued item, in no particular order. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const lanes of [this.#waiting.interactive, this.#waiting.bulk]) {
      for (const lane of lanes) yield* lane.items;
    }
  }
}

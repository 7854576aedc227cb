import { At, type Entry } from "../trees/tree_entry.ts";
import type { TreeReader } from "../trees/tree_reader.ts";

/** Goes through a directory of the parent version in the order of names, a page in memory at a time. */
export class ParentCursor {
  readonly #trees: TreeReader | undefined;
  readonly #pages: readonly string[];
  #next = 0;
  #at = 0;
  #page: Entry[] = [];
  #untouched = false;

  /** @param trees may be missing where there are no pages */
  constructor(trees: TreeReader | undefined, pages: readonly string[]) {
    this.#trees = trees;
    this.#pages = pages;
  }

  /** The page of which no entry was taken yet; undefined in the midst of one and at the end. */
  async untouchedPage(): Promise<{ id: string; entries: Entry[] } | undefined> {
    if (!this.#untouched && this.#at === this.#page.length) await this.#load();
    return this.#untouched ? { id: this.#pages[this.#next - 1], entries: this.#page } : undefined;
  }

  /** Takes a whole untouched page. */
  takePage(): void {
    this.#at = this.#page.length;
    this.#untouched = false;
  }

  /** Whether {@link load} has to be called before the current entry can be seen. */
  get isUsedUp(): boolean {
    return this.#at === this.#page.length && this.#next < this.#pages.length;
  }

  async load(): Promise<void> {
    while (this.isUsedUp) await this.#load();
  }

  async #load(): Promise<void> {
    if (this.#trees === undefined || this.#next === this.#pages.length) return;
    this.#page = await this.#trees.page(this.#pages[this.#next++]);
    this.#at = 0;
    this.#untouched = true;
  }

  /** The next entry, undefined at the end. */
  get current(): Entry | undefined {
    return this.#page[this.#at];
  }

  get name(): string | undefined {
    return this.current?.[At.name];
  }

  advance(): void {
    this.#at++;
    this.#untouched = false;
  }
}

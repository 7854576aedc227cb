import { At, type DirectoryEntry, type Entry, isDirectory } from "./tree_entry.ts";
import type { TreeReader } from "./tree_reader.ts";

/** What two trees have at one path; one of them is there. */
export interface Pair {
  /** Below the roots. */
  path: string;
  before: Entry | undefined;
  after: Entry | undefined;
}

/** A directory of both trees on the way down. */
interface Frame {
  path: string;
  before: EntryCursor;
  after: EntryCursor;
  /** What is left of the path to go on after. */
  resume: string[];
}

/**
 * Goes through two trees at once, a directory's entries by name, what is in a directory right after it. Directories and pages that both
 * trees share are passed over unread. Keeps a page of each directory on the way down.
 */
export class PairWalk {
  readonly #tree: TreeReader;
  readonly #stack: Frame[] = [];

  /**
   * @param before undefined: goes through all of the other tree.
   * @param resume a path that an earlier walk has returned: goes on after it.
   */
  constructor(
    tree: TreeReader,
    before: DirectoryEntry | undefined,
    after: DirectoryEntry | undefined,
    resume: string | null = null,
  ) {
    this.#tree = tree;
    this.#enter("", before, after, resume === null ? [] : resume.split("/"));
  }

  /** The next pair whose entries are not the same, byte for byte; undefined at the end. Errors are those of {@link TreeReader}. */
  async next(): Promise<Pair | undefined> {
    for (let frame = this.#stack.at(-1); frame !== undefined; frame = this.#stack.at(-1)) {
      if (frame.before.isEmpty) await frame.before.load();
      if (frame.after.isEmpty) await frame.after.load();
      const name = smaller(frame.before.name, frame.after.name);
      if (name === undefined) {
        this.#stack.pop();
        continue;
      }
      const before = frame.before.take(name);
      const after = frame.after.take(name);
      const { resume } = frame;
      if (resume.length > 0 && name < resume[0]) continue;
      const path = frame.path === "" ? name : `${frame.path}/${name}`;
      const isPassed = resume.length > 0 && name === resume[0];
      frame.resume = [];
      this.#enter(path, directory(before), directory(after), isPassed ? resume.slice(1) : []);
      if (!isPassed) return { path, before, after };
    }
    return undefined;
  }

  #enter(path: string, before: DirectoryEntry | undefined, after: DirectoryEntry | undefined, resume: string[]): void {
    const [left, right] = [before?.[At.pages] ?? [], after?.[At.pages] ?? []];
    if (left.length + right.length === 0) return;
    // The same page holds the same entries, and a name is in one page only.
    const [inLeft, inRight] = [new Set(left), new Set(right)];
    const cursor = (pages: string[], other: Set<string>) =>
      new EntryCursor(this.#tree, pages.filter((id) => !other.has(id)));
    this.#stack.push({ path, before: cursor(left, inRight), after: cursor(right, inLeft), resume });
  }
}

/** Goes through the entries of some pages. */
class EntryCursor {
  readonly #tree: TreeReader;
  readonly #pages: string[];
  #next = 0;
  #page: Entry[] = [];
  #at = 0;

  constructor(tree: TreeReader, pages: string[]) {
    this.#tree = tree;
    this.#pages = pages;
  }

  /** Whether a page has to be read to know the next entry. */
  get isEmpty(): boolean {
    return this.#at === this.#page.length && this.#next < this.#pages.length;
  }

  async load(): Promise<void> {
    while (this.isEmpty) {
      this.#page = await this.#tree.page(this.#pages[this.#next++]);
      this.#at = 0;
    }
  }

  get name(): string | undefined {
    return this.#page[this.#at]?.[At.name];
  }

  /** The entry, where it has this name, and goes on to the next. */
  take(name: string): Entry | undefined {
    return this.name === name ? this.#page[this.#at++] : undefined;
  }
}

function smaller(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

function directory(entry: Entry | undefined): DirectoryEntry | undefined {
  return entry !== undefined && isDirectory(entry) ? entry : undefined;
}

/** What a structured file says, with where each part of it stands in the text. */

/**
 * How the entries of a container stand in the text.
 * - `flow`: one after the other, maybe on one line, with the separator between them;
 * - `block`: each on lines of its own.
 */
export type Style = { kind: "flow"; separator: "," | ""; comments: CommentSyntax } | { kind: "block" };

/** What may stand between entries besides white space. */
export type CommentSyntax = "slashes" | "hash" | "xml";

interface Place {
  /** Range in the text; the end is exclusive. */
  readonly from: number;
  readonly to: number;
  /** Equal numbers are equal values, among all trees of one {@link Values}. */
  readonly id: number;
}

/** A value without parts. */
export interface Leaf extends Place {
  readonly kind: "leaf";
  /** The id of what stands in the place of this leaf's text; undefined where it can be of one line only. */
  readonly idOf?: (text: string) => number | undefined;
}

/** A value with a fixed number of parts, such as an element's attributes and its content. */
export interface Compound extends Place {
  readonly kind: "record";
  /** What it is; values that differ in it have nothing in common. */
  readonly mark: string;
  readonly parts: readonly Node[];
}

export interface Entry {
  /** Unique in a map. In a list, what tells the element from others, if anything. */
  readonly key: string | undefined;
  readonly node: Node;
  /** Where it begins, with its key; it ends where its node does. */
  readonly from: number;
}

/** `map`: the order of entries says nothing. `list`: it does. */
export interface Container extends Place {
  readonly kind: "map" | "list";
  readonly mark: string;
  readonly entries: readonly Entry[];
  /** The range in which entries stand. */
  readonly innerFrom: number;
  readonly innerTo: number;
  readonly style: Style;
}

export type Node = Leaf | Compound | Container;

/** A file's text and what it says. */
export interface Tree {
  readonly text: string;
  readonly root: Node;
  /** Every comment, trimmed. */
  readonly comments: readonly string[];
}

/** Reads a text. @throws Unreadable */
export type Reader = (text: string, values: Values) => Tree;

/** The text does not parse, or has something in it that is not merged by structure. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

/** The deepest nesting that is read. */
export const MOST_DEPTH = 200;

/** The most places in a text at which a value may begin or end: a tree takes hundreds of bytes for each. */
const MOST_PLACES = 200_000;

/** Before a text is read. @param places matches what stands between values. @throws Unreadable */
export function refuseLarge(text: string, places: RegExp): void {
  let count = 0;
  for (places.lastIndex = 0; places.test(text);) {
    if (++count > MOST_PLACES) throw new Unreadable("it has more values than are merged one by one");
  }
}

/** Gives equal values equal numbers. */
export class Values {
  readonly #ids = new Map<string, number>();

  leaf(value: string): number {
    return this.#id(`=${value}`);
  }

  compound(mark: string, parts: readonly number[]): number {
    return this.#id(`<${JSON.stringify(mark)}${parts.join()}`);
  }

  map(mark: string, entries: readonly { key: string | undefined; id: number }[]): number {
    const sorted = entries.map(({ key, id }) => `${JSON.stringify(key)}${id}`).sort();
    return this.#id(`{${JSON.stringify(mark)}${sorted.join()}`);
  }

  list(mark: string, entries: readonly number[]): number {
    return this.#id(`[${JSON.stringify(mark)}${entries.join()}`);
  }

  #id(description: string): number {
    let id = this.#ids.get(description);
    if (id === undefined) this.#ids.set(description, id = this.#ids.size);
    return id;
  }
}

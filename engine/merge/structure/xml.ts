import {
  type Container,
  type Entry,
  MOST_DEPTH,
  type Node,
  refuseLarge,
  type Style,
  type Tree,
  Unreadable,
  type Values,
} from "./node.ts";

const CONTENT: Style = { kind: "flow", separator: "", comments: "xml" };
const NAME = /[A-Za-z_:\u0080-\uffff][\w:.\-\u0080-\uffff]*/y;
const ATTRIBUTE = /([A-Za-z_:\u0080-\uffff][\w:.\-\u0080-\uffff]*)\s*=\s*("[^<"]*"|'[^<']*')/y;
const SPACE = /\s*/y;
/** Attributes that tell an element from others of its name, the surest first. */
const IDENTITIES = ["id", "xml:id", "key", "name", "Include", "ref"];

/**
 * Reads XML as it is written: references to entities are not resolved, the document type is not looked into, nothing is fetched. Elements
 * within text are not told apart from it.
 */
export function readXml(text: string, values: Values): Tree {
  return new XmlReader(text, values).read();
}

class XmlReader {
  #at = 0;
  #depth = 0;
  readonly #comments: string[] = [];

  constructor(private readonly text: string, private readonly values: Values) {}

  read(): Tree {
    refuseLarge(this.text, /[<=]/g);
    this.#passBetween(true);
    if (this.text[this.#at] !== "<") throw this.#wrong();
    const root = this.#element().node;
    this.#passBetween(false);
    if (this.#at < this.text.length) throw this.#wrong();
    return { text: this.text, root, comments: this.#comments };
  }

  /** White space, comments and instructions; before the root element the document type. */
  #passBetween(isProlog: boolean): void {
    for (;;) {
      this.#match(SPACE);
      if (this.#passComment()) continue;
      if (this.#starts("<?")) this.#passUntil("?>");
      else if (isProlog && this.#starts("<!DOCTYPE")) this.#passDocumentType();
      else return;
    }
  }

  #passComment(): boolean {
    if (!this.#starts("<!--")) return false;
    const from = this.#at;
    this.#at += 4;
    this.#passUntil("-->");
    this.#comments.push(this.text.slice(from, this.#at));
    return true;
  }

  #passDocumentType(): void {
    const special = /["'[\]>]|<!--/g;
    let isInside = false;
    for (;;) {
      special.lastIndex = this.#at;
      const found = special.exec(this.text)?.[0];
      if (found === undefined) throw this.#wrong();
      this.#at = special.lastIndex;
      if (found === "<!--") this.#passUntil("-->");
      else if (found === "[" || found === "]") isInside = found === "[";
      else if (found !== ">") this.#passUntil(found);
      else if (!isInside) return;
    }
  }

  #element(): { name: string; key: string | undefined; node: Node } {
    if (++this.#depth > MOST_DEPTH) throw new Unreadable(`it is nested more than ${MOST_DEPTH} deep`);
    const from = this.#at++;
    const name = this.#match(NAME)?.[0];
    if (name === undefined) throw this.#wrong();
    const attributes = this.#attributes();
    const parts: Node[] = [attributes.node];
    this.#match(SPACE);
    if (this.#starts("/>")) {
      this.#at += 2;
    } else {
      if (this.text[this.#at++] !== ">") throw this.#wrong();
      parts.push(this.#content());
      if (!this.#starts(`</${name}`)) throw this.#wrong();
      this.#at += name.length + 2;
      this.#match(SPACE);
      if (this.text[this.#at++] !== ">") throw this.#wrong();
    }
    this.#depth--;
    const id = this.values.compound(name, parts.map(({ id }) => id));
    const identity = IDENTITIES.find((attribute) => attributes.values.has(attribute));
    const key = identity === undefined ? undefined : `${identity}=${attributes.values.get(identity)}`;
    return { name, key, node: { kind: "record", mark: name, parts, from, to: this.#at, id } };
  }

  #attributes(): { node: Container; values: Map<string, string> } {
    const from = this.#at;
    const found = new Map<string, string>();
    const entries: Entry[] = [];
    for (;;) {
      const before = this.#at;
      const space = this.#match(SPACE)?.[0];
      const attribute = this.#match(ATTRIBUTE);
      if (attribute === undefined) {
        this.#at = before;
        break;
      }
      const [whole, name, quoted] = attribute;
      if (space === "" || found.has(name)) throw this.#wrong();
      found.set(name, quoted);
      const to = this.#at;
      const node: Node = { kind: "leaf", from: to - quoted.length, to, id: this.values.leaf(quoted.slice(1, -1)) };
      entries.push({ key: name, from: to - whole.length, node });
    }
    const id = this.values.map("", entries.map(({ key, node }) => ({ key, id: node.id })));
    const place = { from, to: this.#at, innerFrom: from, innerTo: this.#at };
    return { node: { kind: "map", mark: "", entries, ...place, style: CONTENT, id }, values: found };
  }

  /** Up to the closing tag. */
  #content(): Node {
    const from = this.#at;
    const children: { name: string; key: string | undefined; node: Node }[] = [];
    let isText = false;
    for (;;) {
      const next = this.text.indexOf("<", this.#at);
      if (next < 0) throw this.#wrong();
      if (/\S/.test(this.text.slice(this.#at, next))) isText = true;
      this.#at = next;
      if (this.#starts("</")) break;
      if (this.#passComment()) continue;
      if (this.#starts("<![CDATA[")) {
        isText = true;
        this.#passUntil("]]>");
      } else if (this.#starts("<?")) {
        isText = true;
        this.#passUntil("?>");
      } else {
        children.push(this.#element());
      }
    }
    const to = this.#at;
    if (isText || children.length === 0) {
      const idOf = (text: string) => this.values.leaf(text);
      return { kind: "leaf", from, to, id: idOf(this.text.slice(from, to)), idOf };
    }
    const id = this.values.list("", children.map(({ node }) => node.id));
    const place = { from, to, innerFrom: from, innerTo: to };
    return { kind: "list", mark: "", entries: identifyElements(children), ...place, style: CONTENT, id };
  }

  #starts(words: string): boolean {
    return this.text.startsWith(words, this.#at);
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }

  #passUntil(end: string): void {
    const at = this.text.indexOf(end, this.#at);
    if (at < 0) throw this.#wrong();
    this.#at = at + end.length;
  }

  #wrong(): Unreadable {
    return new Unreadable("it is not XML");
  }
}

/** An element's name, with an attribute where it has one that tells; none of them where two are the same. */
function identifyElements(children: { name: string; key: string | undefined; node: Node }[]): Entry[] {
  const keys = children.map(({ name, key }) => `element ${name} ${key ?? ""}`);
  const areUnique = new Set(keys).size === keys.length;
  return children.map(({ node }, index) => ({ key: areUnique ? keys[index] : undefined, from: node.from, node }));
}

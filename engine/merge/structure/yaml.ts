import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node as YamlNode,
  parseAllDocuments,
  type Scalar,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { identify } from "./identity.ts";
import {
  type Entry,
  MOST_DEPTH,
  type Node,
  refuseLarge,
  type Style,
  type Tree,
  Unreadable,
  type Values,
} from "./node.ts";

const FLOW: Style = { kind: "flow", separator: ",", comments: "hash" };
/** Keys that are there twice are found here: the library compares each with each. */
const OPTIONS = { keepSourceTokens: true, prettyErrors: false, logLevel: "silent", uniqueKeys: false } as const;
const BLOCK: Style = { kind: "block" };

/**
 * Reads YAML, of one document or several. Aliases stay what they are: nothing is expanded. What cannot be told apart by its keys, such as
 * keys that are lists, is not read.
 */
export function readYaml(text: string, values: Values): Tree {
  const documents = parse(text);
  for (const document of documents) checkAnchors(document);
  const reader = new YamlReader(text, values);
  const parts = documents.map(({ contents }) => reader.node(contents as YamlNode | null, 0));
  const last = parts[parts.length - 1];
  const comments = [...text.matchAll(/(?:^|[ \t])#[^\r\n]*/gm)].map(([comment]) => comment.trim());
  const id = values.compound("documents", parts.map(({ id }) => id));
  return { text, root: { kind: "record", mark: "documents", parts, from: parts[0].from, to: last.to, id }, comments };
}

function parse(text: string): Document[] {
  let documents;
  try {
    refuseLarge(text, /[\n,[{]/g);
    refuseDeep(text);
    documents = parseAllDocuments(text, OPTIONS);
  } catch (error) {
    if (error instanceof RangeError) throw new Unreadable("it is nested too deeply");
    throw error;
  }
  if (!Array.isArray(documents) || documents.length === 0) throw new Unreadable("it has no document");
  for (const { errors, warnings } of documents) {
    if (errors.length > 0 || warnings.length > 0) throw new Unreadable("it is not YAML");
  }
  return documents;
}

/** The parser takes time that grows with the square of the depth; brackets in texts count, too, which does no harm. */
function refuseDeep(text: string): void {
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]|^(?:[ \t]*[-?:] )+/gm)) {
    if (bracket === "]" || bracket === "}") depth = Math.max(0, depth - 1);
    else if (bracket === "[" || bracket === "{") depth++;
    if (depth > MOST_DEPTH || bracket.length > 2 * MOST_DEPTH) {
      throw new Unreadable(`it is nested more than ${MOST_DEPTH} deep`);
    }
  }
}

/** That every alias stands for one anchor, before it. */
function checkAnchors(document: Document): void {
  const anchors = new Set<string>();
  visit(document, {
    Node(_key, node) {
      if (isAlias(node)) {
        if (!anchors.has(node.source)) throw new Unreadable(`the alias ${node.source} has no anchor before it`);
      } else if (node.anchor !== undefined) {
        if (anchors.has(node.anchor)) throw new Unreadable(`the anchor ${node.anchor} is there twice`);
        anchors.add(node.anchor);
      }
    },
  });
}

class YamlReader {
  constructor(private readonly text: string, private readonly values: Values) {}

  node(node: YamlNode | null, depth: number): Node {
    if (depth > MOST_DEPTH) throw new Unreadable(`it is nested more than ${MOST_DEPTH} deep`);
    if (node === null || !node.range) throw new Unreadable("it has an empty document");
    if (isMap(node)) return this.#map(node, depth);
    if (isSeq(node)) return this.#list(node, depth);
    const [from, end] = node.range;
    if (isAlias(node)) return { kind: "leaf", from, to: end, id: this.values.leaf(`*${node.source}`) };
    return this.#scalar(node as Scalar, from, end);
  }

  #scalar(node: Scalar, from: number, end: number): Node {
    const isBlock = node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED";
    const to = isBlock ? from + this.text.slice(from, end).trimEnd().length : end;
    const mark = markOf(node);
    const valueOf = (value: unknown, text: string) =>
      this.values.leaf(typeof value === "string" ? `s${mark} ${value}` : `r${mark} ${text}`);
    return {
      kind: "leaf",
      from,
      to,
      id: valueOf(node.value, this.text.slice(from, to)),
      // What follows is not known here, and only a text with one line break at its end does not depend on it.
      ...(node.type === "BLOCK_LITERAL"
        ? {
          idOf: (text) => {
            const [document] = parseAllDocuments(`key: ${text}\n`);
            const value = document?.errors.length === 0 && isMap(document.contents) && document.contents.get("key");
            return typeof value === "string" ? valueOf(value, text) : undefined;
          },
        }
        : {}),
    };
  }

  #map(node: YAMLMap, depth: number): Node {
    const seen = new Set<string>();
    const entries = node.items.map((pair): Entry => {
      const { key, value, srcToken } = pair;
      const isExplicit = srcToken?.start.some(({ type }) => type === "explicit-key-ind");
      if (isExplicit || !isScalar(key) || !key.range || markOf(key) !== "" || !value) {
        throw new Unreadable("it has a key that is not plain text");
      }
      const name = typeof key.value === "string" ? key.value : `\0${key.value}`;
      if (seen.has(name)) throw new Unreadable(`the key ${name} is there twice`);
      seen.add(name);
      return { key: name, from: key.range[0], node: this.node(value as YamlNode, depth + 1) };
    });
    const mark = markOf(node);
    const id = this.values.map(mark, entries.map(({ key, node }) => ({ key, id: node.id })));
    return { kind: "map", mark, entries, id, ...this.#place(node, entries) };
  }

  #list(node: YAMLSeq, depth: number): Node {
    const tokens = node.srcToken?.type === "block-seq" ? node.srcToken.items : undefined;
    const entries = identify(node.items.map((item, index): Entry => {
      const child = this.node(item as YamlNode, depth + 1);
      const dash = tokens?.[index].start.find(({ type }) => type === "seq-item-ind");
      return { key: undefined, from: dash?.offset ?? child.from, node: child };
    }));
    const mark = markOf(node);
    const id = this.values.list(mark, entries.map(({ node }) => node.id));
    return { kind: "list", mark, entries, id, ...this.#place(node, entries) };
  }

  #place(node: YAMLMap | YAMLSeq, entries: Entry[]) {
    const [from, to] = node.range as [number, number, number];
    if (node.flow) return { from, to, innerFrom: from + 1, innerTo: to - 1, style: FLOW };
    const begin = entries[0].from;
    // A comment after the last entry is the entry's.
    const rest = /(?:[ \t]+#[^\r\n]*)?/y;
    rest.lastIndex = entries[entries.length - 1].node.to;
    const end = rest.lastIndex + (rest.exec(this.text)?.[0].trimEnd().length ?? 0);
    return { from: begin, to: end, innerFrom: begin, innerTo: end, style: BLOCK };
  }
}

function markOf({ anchor, tag }: { anchor?: string; tag?: string }): string {
  return `${anchor === undefined ? "" : `&${anchor}`}${tag === undefined ? "" : tag}`;
}

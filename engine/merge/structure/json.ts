import { type Node as JsonNode, type ParseError, parseTree, visit } from "jsonc-parser";
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

const STYLE: Style = { kind: "flow", separator: ",", comments: "slashes" };

/** Reads JSON, also with comments and commas before a closing bracket. Numbers are what is written, so none loses digits. */
export function readJson(text: string, values: Values): Tree {
  refuseLarge(text, /[,[{]/g);
  refuseDeep(text);
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  if (tree === undefined || errors.length > 0) throw new Unreadable("it is not JSON");
  const comments: string[] = [];
  visit(text, { onComment: (from, length) => void comments.push(text.slice(from, from + length).trim()) });
  return { text, root: build(tree, text, values), comments };
}

/** The parser calls itself for each level. */
function refuseDeep(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      while (++at < text.length && text.charCodeAt(at) !== 0x22) if (text.charCodeAt(at) === 0x5c) at++;
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > MOST_DEPTH) throw new Unreadable(`it is nested more than ${MOST_DEPTH} deep`);
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
}

function build(node: JsonNode, text: string, values: Values): Node {
  const [from, to] = [node.offset, node.offset + node.length];
  if (node.type !== "object" && node.type !== "array") {
    const value = node.type === "string" ? `s${node.value}` : `r${text.slice(from, to)}`;
    return { kind: "leaf", from, to, id: values.leaf(value) };
  }
  const place = { from, to, innerFrom: from + 1, innerTo: to - 1, mark: "", style: STYLE };
  const children = node.children ?? [];
  if (node.type === "array") {
    const entries = identify(children.map((child) => {
      const node = build(child, text, values);
      return { key: undefined, node, from: node.from };
    }));
    return { kind: "list", ...place, entries, id: values.list("", entries.map(({ node }) => node.id)) };
  }
  const seen = new Set<string>();
  const entries = children.map(({ children: pair = [] }): Entry => {
    const key: string = pair[0].value;
    if (seen.has(key)) throw new Unreadable(`the key ${JSON.stringify(key)} is there twice`);
    seen.add(key);
    return { key, node: build(pair[1], text, values), from: pair[0].offset };
  });
  return { kind: "map", ...place, entries, id: values.map("", entries.map(({ key, node }) => ({ key, id: node.id }))) };
}

import { type Container, type Entry, type Node, refuseLarge, type Tree, Unreadable, type Values } from "./node.ts";

const SECTION = /^\s*\[([^\]]*)\]\s*([;#].*)?$/;
const BLANK = /^\s*([;#].*)?$/;

interface Line {
  from: number;
  /** Without the line break. */
  to: number;
  text: string;
}

interface Section {
  name: string;
  from: number;
  /** Where its name's line ends. */
  headTo: number;
  pairs: Entry[];
  keys: Set<string>;
}

/**
 * Reads INI: sections of keys with values, comments after `;` or `#` on lines of their own. Lines that are further in than their key go
 * on with its value. A section or a key that is there twice is not read, as programs differ in what it means.
 */
export function readIni(text: string, values: Values): Tree {
  refuseLarge(text, /\n/g);
  const comments: string[] = [];
  let pair: { key: string; from: number; valueFrom: number; to: number; indent: number } | undefined;
  let section: Section = { name: "", from: 0, headTo: 0, pairs: [], keys: new Set() };
  const sections = new Map([["", section]]);
  const close = () => {
    if (pair === undefined) return;
    const { key, from, valueFrom, to } = pair;
    if (section.keys.has(key)) throw new Unreadable(`the key ${key} is there twice`);
    section.keys.add(key);
    section.pairs.push({
      key,
      from,
      node: { kind: "leaf", from: valueFrom, to, id: values.leaf(text.slice(valueFrom, to)) },
    });
    pair = undefined;
  };
  for (const line of linesOf(text)) {
    const head = SECTION.exec(line.text);
    const indent = /^\s*/.exec(line.text)![0].length;
    if (BLANK.test(line.text)) {
      const comment = line.text.trim();
      if (comment !== "") comments.push(comment);
    } else if (pair !== undefined && indent > pair.indent) {
      pair.to = line.from + line.text.trimEnd().length;
    } else if (head !== null) {
      close();
      const name = head[1];
      if (sections.has(name)) throw new Unreadable(`the section ${name} is there twice, or has no name`);
      if (head[2] !== undefined) comments.push(head[2].trim());
      section = { name, from: line.from + indent, headTo: line.to, pairs: [], keys: new Set() };
      sections.set(name, section);
    } else {
      close();
      const content = line.text.trimEnd();
      const equals = content.search(/[=:]/);
      const key = content.slice(indent, Math.max(indent, equals)).trim();
      if (key === "") throw new Unreadable("it has a line that is neither a section nor a key with a value");
      const rest = content.slice(equals + 1);
      const valueFrom = line.from + content.length - rest.trimStart().length;
      pair = { key, from: line.from + indent, valueFrom, to: line.from + content.length, indent };
    }
  }
  close();
  return { text, root: build([...sections.values()], values), comments };
}

function build(sections: Section[], values: Values): Node {
  const entries = sections.filter(({ name, pairs }) => name !== "" || pairs.length > 0)
    .map(({ name, from, headTo, pairs }): Entry => {
      const first = pairs.length > 0 ? pairs[0].from : headTo;
      return { key: name, from: name === "" ? first : from, node: block(pairs, first, values) };
    });
  return block(entries, entries[0]?.from ?? 0, values);
}

function block(entries: Entry[], from: number, values: Values): Container {
  const to = entries.length > 0 ? entries[entries.length - 1].node.to : from;
  const id = values.map("", entries.map(({ key, node }) => ({ key, id: node.id })));
  return { kind: "map", mark: "", entries, from, to, innerFrom: from, innerTo: to, style: { kind: "block" }, id };
}

function* linesOf(text: string): Generator<Line> {
  for (const { index, 0: line } of text.matchAll(/[^\r\n]*(?:\r\n|\n|\r|$)/g)) {
    const content = line.replace(/[\r\n]+$/, "");
    if (line !== "") yield { from: index, to: index + content.length, text: content };
  }
}

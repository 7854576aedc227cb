import type { CommentSyntax, Container, Entry } from "./node.ts";

/** An entry's surroundings that go with it when it is moved or removed. */
export interface Laid {
  readonly entry: Entry;
  /** Before it: comments of its own lines and white space. In a block without its first line's indentation. */
  readonly lead: string;
  /** After it, on its last line: a comment. In a flow with the line break. */
  readonly trail: string;
}

export interface Layout {
  /** From the container's begin to the first entry's surroundings. */
  readonly head: string;
  readonly entries: readonly Laid[];
  /** From the last entry's surroundings to the container's end. */
  readonly foot: string;
  /** Whether a separator follows the last entry. */
  readonly endsWithSeparator: boolean;
  /** Where every entry is on one line: what stands before one that is not the first. */
  readonly inline: string | undefined;
}

/** Tells to which entry what stands between two of them belongs. */
export function layOut(text: string, container: Container): Layout {
  const { entries, from, to, innerFrom, innerTo, style } = container;
  const [leads, trails]: string[][] = [[], []];
  let endsWithSeparator = false;
  let isInline = style.kind === "flow";
  for (let index = 0; index <= entries.length; index++) {
    const begin = index === 0 ? innerFrom : entries[index - 1].node.to;
    const end = index === entries.length ? innerTo : entries[index].from;
    let before = "";
    let gap = text.slice(begin, end);
    if (style.kind === "flow" && style.separator !== "" && index > 0) {
      const at = separatorIn(gap, style.separator, style.comments);
      if (at >= 0) {
        before = gap.slice(0, at);
        gap = gap.slice(at + 1);
        endsWithSeparator = index === entries.length;
      }
    }
    const lineEnd = gap.indexOf("\n") + 1;
    isInline &&= lineEnd === 0;
    const isLastOfBlock = style.kind === "block" && index === entries.length;
    const cut = lineEnd === 0 && isLastOfBlock ? gap.length : lineEnd;
    const trail = before + gap.slice(0, cut);
    trails.push(style.kind === "block" ? trail.replace(/\r?\n$/, "") : trail);
    leads.push(style.kind === "block" ? gap.slice(cut).replace(/^[ \t]*/, "") : gap.slice(cut));
  }
  return {
    head: text.slice(from, innerFrom) + trails[0],
    entries: entries.map((entry, index) => ({ entry, lead: leads[index], trail: trails[index + 1] })),
    foot: leads[entries.length] + text.slice(innerTo, to),
    endsWithSeparator,
    inline: isInline ? leads.length > 2 ? leads[1] : " " : undefined,
  };
}

const COMMENTS: Record<CommentSyntax, RegExp> = {
  slashes: /\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
  hash: /#[^\n]*/g,
  xml: /<!--[\s\S]*?-->/g,
};

function separatorIn(gap: string, separator: string, comments: CommentSyntax): number {
  return gap.replace(COMMENTS[comments], (comment) => " ".repeat(comment.length)).indexOf(separator);
}

/** The white space that a line with an entry begins with. */
export function indentationOf(text: string, at: number): string {
  const lineStart = text.lastIndexOf("\n", at - 1) + 1;
  const before = text.slice(lineStart, at);
  // After the dash of a list, an entry is as far in as if there was white space in its place.
  return /^[ \t]*(?:- *)*$/.test(before) ? before.replaceAll("-", " ") : /^[ \t]*/.exec(before)![0];
}

/** Moves the lines after the first from one indentation to another. */
export function reindent(text: string, from: string, to: string): string {
  return from === to ? text : text.replaceAll(`\n${from}`, `\n${to}`);
}

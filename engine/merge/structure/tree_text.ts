/** The text of a tree's parts, and which version of what is no value is taken. */
import type { Compound, Entry, Node } from "./node.ts";
import type { Laid } from "./layout.ts";

export function textOf(text: string, { from, to }: Node): string {
  return text.slice(from, to);
}

export function entryText(text: string, { from, node }: Entry): string {
  return text.slice(from, node.to);
}

export function prefixOf(text: string, { from, node }: Entry): string {
  return text.slice(from, node.from);
}

/** What stands before, between and after the parts. */
export function glueOf(text: string, { from, to, parts }: Compound): string[] {
  return [...parts, undefined].map((part, index) =>
    text.slice(index === 0 ? from : parts[index - 1].to, part?.from ?? to)
  );
}

/** Of what says nothing, such as white space and comments: the version that was changed; the source's where both were. */
export function either(base: string | undefined, source: string, target: string): string {
  if (source === target || target === base) return source;
  if (source === base) return target;
  return base !== undefined && source.trim() === base.trim() && target.trim() !== base.trim() ? target : source;
}

/** As {@link either}, but white space stays the source's: a block's first indentation is in it, and the other lines have the source's. */
export function eitherPrefix(base: string | undefined, source: string, target: string): string {
  const wordsOf = (text: string) => text.replace(/\s+/g, " ").trim();
  return base !== undefined && wordsOf(base) === wordsOf(target) ? source : either(base, source, target);
}

export function stretchOf(text: string, laid: Laid[]): string {
  return laid.length === 0 ? "" : text.slice(laid[0].entry.from, laid[laid.length - 1].entry.node.to);
}

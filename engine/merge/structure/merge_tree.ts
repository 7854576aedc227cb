import { mergeText } from "../merge_text.ts";
import { threeWay } from "../three_way.ts";
import type { MergeStrategy } from "../types.ts";
import type { Compound, Container, Node, Tree, Values } from "./node.ts";
import { areKeyed, areParallel, renumber } from "./list_order.ts";
import { either, eitherPrefix, entryText, glueOf, prefixOf, stretchOf, textOf } from "./tree_text.ts";
import { indentationOf, type Laid, type Layout, layOut, reindent } from "./layout.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A place where both sides changed the same value, each in its own way. */
export interface TreeConflict {
  /** Where it begins in the base. */
  at: number;
  base: string;
  source: string;
  target: string;
  resolution: string;
}

export interface MergedTree {
  text: string;
  /** What the text must say when it is read. */
  id: number;
  conflicts: TreeConflict[];
}

interface Merged {
  text: string;
  id: number;
}

/** An entry of a merged container. */
interface Item extends Merged {
  key: string | undefined;
  lead: string;
  trail: string;
}

/** One version of a container. */
interface Version {
  container: Container;
  layout: Layout;
}

/** Manual conflicts are resolved twice, once for each side. */
type TreeStrategy = Exclude<MergeStrategy, "Manual">;

/**
 * Merges what three texts say. The source's text is changed only where the target differs, by pieces of the target's text; edits of
 * different entries never meet. What only looks different is no edit, but is taken over where the other side left it alone.
 */
export function mergeTrees(base: Tree, source: Tree, target: Tree, values: Values, strategy: TreeStrategy): MergedTree {
  return new TreeMerge(base.text, source.text, target.text, values, strategy).merge(
    base.root,
    source.root,
    target.root,
  );
}

class TreeMerge {
  readonly #conflicts: TreeConflict[] = [];

  constructor(
    private readonly base: string,
    private readonly source: string,
    private readonly target: string,
    private readonly values: Values,
    private readonly strategy: TreeStrategy,
  ) {}

  merge(base: Node, source: Node, target: Node): MergedTree {
    const { text, id } = this.#node(base, source, target, 0);
    const head = either(
      this.base.slice(0, base.from),
      this.source.slice(0, source.from),
      this.target.slice(0, target.from),
    );
    const foot = either(this.base.slice(base.to), this.source.slice(source.to), this.target.slice(target.to));
    return { text: head + text + foot, id, conflicts: this.#conflicts };
  }

  /** @param at where in the base a conflict stands that the base knows nothing of */
  #node(base: Node | undefined, source: Node, target: Node, at: number): Merged {
    const [ours, theirs] = [textOf(this.source, source), textOf(this.target, target)];
    const former = base && textOf(this.base, base);
    if (ours === theirs || former === theirs) return { text: ours, id: source.id };
    const moved = this.#moved(theirs, target.from, indentationOf(this.source, source.from));
    if (former === ours) return { text: moved, id: target.id };
    const inside = this.#inside(base, source, target);
    if (inside !== undefined) return inside;
    if (source.id === target.id || base?.id === target.id) return { text: ours, id: source.id };
    if (base?.id === source.id) return { text: moved, id: target.id };
    const byLines = former === undefined ? undefined : textInside(former, source, ours, moved);
    if (byLines !== undefined) return byLines;
    const isOurs = this.#resolve(
      { at: base?.from ?? at, base: former ?? "", source: ours, target: theirs },
      ours,
      moved,
    );
    return isOurs ? { text: ours, id: source.id } : { text: moved, id: target.id };
  }

  /** Where all have parts that can be merged each by itself. */
  #inside(base: Node | undefined, source: Node, target: Node): Merged | undefined {
    if (source.kind === "leaf" || target.kind === "leaf" || base?.kind === "leaf") return undefined;
    if (source.mark !== target.mark || base !== undefined && base.mark !== source.mark) return undefined;
    if (source.kind === "record") {
      if (target.kind !== "record" || base !== undefined && base.kind !== "record") return undefined;
      return this.#record(base, source, target);
    }
    if (target.kind !== source.kind || base !== undefined && base.kind !== source.kind) return undefined;
    return this.#container(base as Container | undefined, source, target as Container);
  }

  #record(
    base: Compound | undefined,
    source: Compound,
    target: Compound,
  ): Merged | undefined {
    const count = source.parts.length;
    if (target.parts.length !== count || base !== undefined && base.parts.length !== count) return undefined;
    const parts = source.parts.map((part, index) =>
      this.#node(base?.parts[index], part, target.parts[index], base?.from ?? 0)
    );
    const glue = [source, target, base].map((node, side) => {
      const text = [this.source, this.target, this.base][side];
      return node && glueOf(text, node);
    });
    const between = glue[0]!.map((ours, index) => either(glue[2]?.[index], ours, glue[1]![index]));
    const text = between[0] + parts.map((part, index) => part.text + between[index + 1]).join("");
    return { text, id: this.values.compound(source.mark, parts.map(({ id }) => id)) };
  }

  #container(base: Container | undefined, source: Container, target: Container): Merged | undefined {
    const versions: [Version | undefined, Version, Version] = [
      base && { container: base, layout: layOut(this.base, base) },
      { container: source, layout: layOut(this.source, source) },
      { container: target, layout: layOut(this.target, target) },
    ];
    const isKeyed = source.kind === "map" || areKeyed(base, source, target);
    if (!isKeyed && base === undefined) return undefined;
    const items = isKeyed ? this.#byKey(...versions) : this.#bySequence(...versions as [Version, Version, Version]);
    if (items === undefined) return undefined;
    const id = source.kind === "map"
      ? this.values.map(source.mark, items)
      : this.values.list(source.mark, items.map(({ id }) => id));
    return { text: this.#join(items, versions), id };
  }

  #byKey(base: Version | undefined, source: Version, target: Version): Item[] {
    const [former, ours, theirs] = [base, source, target].map((version) =>
      new Map(version?.layout.entries.map((laid) => [laid.entry.key, laid]))
    );
    const at = base?.container.from ?? 0;
    const items: Item[] = [];
    for (const [key, laid] of ours) {
      const item = this.#entry(former.get(key), laid, theirs.get(key), source.container, at);
      if (item !== undefined) items.push(item);
    }
    return this.#withForeign(items, former, ours, theirs, source.container, at);
  }

  /** Puts what only the target has after what it follows there; of what both sides added at one place, the source's comes first. */
  #withForeign(
    items: Item[],
    former: Map<string | undefined, Laid>,
    ours: Map<string | undefined, Laid>,
    theirs: Map<string | undefined, Laid>,
    container: Container,
    at: number,
  ): Item[] {
    const kept = new Set(items.map(({ key }) => key));
    const after = new Map<string | undefined, Item[]>();
    let previous: string | undefined;
    for (const [key, laid] of theirs) {
      if (kept.has(key)) previous = key;
      if (ours.has(key)) continue;
      const item = this.#entry(former.get(key), undefined, laid, container, at);
      if (item !== undefined) push(after, previous, item);
    }
    const merged: Item[] = [];
    let waiting = after.get(undefined) ?? [];
    for (const item of items) {
      const isNew = !former.has(item.key) && !theirs.has(item.key);
      if (!isNew) merged.push(...waiting.splice(0));
      merged.push(item);
      const following = after.get(item.key);
      if (following !== undefined) waiting = [...waiting, ...following];
    }
    return [...merged, ...waiting];
  }

  #entry(
    base: Laid | undefined,
    source: Laid | undefined,
    target: Laid | undefined,
    container: Container,
    at: number,
  ): Item | undefined {
    if (source !== undefined && target !== undefined) return this.#both(base, source, target, at);
    const here = source === undefined ? this.#foreign(target!, container) : this.#own(source);
    if (base === undefined) return here;
    const other = (source ?? target)!.entry.node;
    if (other.id === base.entry.node.id) return undefined;
    const contents = {
      at: base.entry.from,
      base: entryText(this.base, base.entry),
      source: source === undefined ? "" : here.text,
      target: target === undefined ? "" : entryText(this.target, target.entry),
    };
    const keepsOurs = this.#resolve(contents, contents.source, target === undefined ? "" : here.text, true);
    return keepsOurs === (source !== undefined) ? here : undefined;
  }

  #both(base: Laid | undefined, source: Laid, target: Laid, at: number): Item {
    const { text, id } = this.#node(base?.entry.node, source.entry.node, target.entry.node, at);
    const prefix = eitherPrefix(
      base && prefixOf(this.base, base.entry),
      prefixOf(this.source, source.entry),
      prefixOf(this.target, target.entry),
    );
    return {
      key: source.entry.key,
      text: prefix + text,
      id,
      lead: either(base?.lead, source.lead, target.lead),
      trail: either(base?.trail, source.trail, target.trail),
    };
  }

  #own({ entry, lead, trail }: Laid): Item {
    return { key: entry.key, text: entryText(this.source, entry), id: entry.node.id, lead, trail };
  }

  #foreign({ entry, lead, trail }: Laid, container: Container): Item {
    const indentation = container.entries.length > 0
      ? indentationOf(this.source, container.entries[0].from)
      : indentationOf(this.target, entry.from);
    const move = (text: string) => this.#moved(text, entry.from, indentation);
    const text = move(entryText(this.target, entry));
    // A lead in a flow begins with its first line's indentation.
    const isFlow = container.style.kind === "flow";
    return { key: entry.key, text, id: entry.node.id, lead: isFlow ? move(`\n${lead}`).slice(1) : move(lead), trail };
  }

  #bySequence(base: Version, source: Version, target: Version): Item[] | undefined {
    const { sequences: [former, ours, theirs], size } = renumber([base.container, source.container, target.container]);
    const items: Item[] = [];
    const own = (from: number, to: number) => {
      for (const laid of source.layout.entries.slice(from, to)) items.push(this.#own(laid));
    };
    const foreign = (from: number, to: number) => {
      for (const laid of target.layout.entries.slice(from, to)) items.push(this.#foreign(laid, source.container));
    };
    let at = 0;
    for (const change of threeWay(former, ours, theirs, size)) {
      const { isConflict, baseFrom, baseTo, sourceFrom, sourceTo, targetFrom, targetTo } = change;
      own(at, sourceFrom);
      at = sourceTo;
      if (!isConflict) {
        foreign(targetFrom, targetTo);
        continue;
      }
      const stretches = [
        base.layout.entries.slice(baseFrom, baseTo),
        source.layout.entries.slice(sourceFrom, sourceTo),
        target.layout.entries.slice(targetFrom, targetTo),
      ];
      if (areParallel(stretches)) {
        stretches[1].forEach((laid, i) =>
          items.push(this.#both(stretches[0][i], laid, stretches[2][i], laid.entry.from))
        );
        continue;
      }
      const [was, left, right] = stretches.map((laid, side) =>
        stretchOf([this.base, this.source, this.target][side], laid)
      );
      const place = base.container.entries[baseFrom]?.from ?? base.container.innerTo;
      const resolution = { SourceWins: left, TargetWins: right, Union: `${left}\n${right}` }[this.strategy];
      this.#conflicts.push({ at: place, base: was, source: left, target: right, resolution });
      if (this.strategy !== "TargetWins") own(sourceFrom, sourceTo);
      if (this.strategy !== "SourceWins") foreign(targetFrom, targetTo);
    }
    own(at, source.layout.entries.length);
    const keys = items.map(({ key }) => key).filter((key) => key !== undefined);
    return new Set(keys).size < keys.length ? undefined : items;
  }

  /** Keeps a conflict, and returns whether the source's version is taken. */
  #resolve(
    contents: Omit<TreeConflict, "resolution">,
    source: string,
    target: string,
    isDeletion = false,
  ): boolean {
    // Of one value only one version can stand; a union keeps what the other side has deleted.
    const isOurs = this.strategy === "Union" && isDeletion ? source !== "" : this.strategy !== "TargetWins";
    this.#conflicts.push({ ...contents, resolution: isOurs ? source : target });
    return isOurs;
  }

  #moved(text: string, from: number, indentation: string): string {
    return reindent(text, indentationOf(this.target, from), indentation);
  }

  #join(items: Item[], [base, source, target]: [Version | undefined, Version, Version]): string {
    const { layout, container: { style, entries, innerFrom } } = source;
    const head = either(base?.layout.head, layout.head, target.layout.head);
    const foot = either(base?.layout.foot, layout.foot, target.layout.foot);
    if (style.kind === "block") {
      const lineBreak = /\r?\n/.exec(this.source)?.[0] ?? "\n";
      const indentation = entries.length > 0 ? indentationOf(this.source, innerFrom) : "";
      const lines = items.map(({ lead, text, trail }, index) =>
        (index > 0 && !/^\r?\n/.test(lead) ? indentation : "") + lead + text + trail
      );
      return head + lines.join(lineBreak) + foot;
    }
    const inline = layout.inline &&
      [source, target, base].find((version) => version !== undefined && version.layout.entries.length > 1)?.layout
        .inline;
    const pieces = items.map(({ lead, text, trail }, index) => {
      const isLast = index === items.length - 1;
      const space = inline === undefined || /\S/.test(lead)
        ? lead
        : index === 0
        ? layout.entries[0]?.lead ?? ""
        : inline ?? " ";
      return space + text + (isLast && !layout.endsWithSeparator ? "" : style.separator) + trail;
    });
    return head + pieces.join("") + foot;
  }
}

function push(lists: Map<string | undefined, Item[]>, key: string | undefined, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

/** Texts of several lines, merged by their lines where that is possible. */
function textInside(base: string, source: Node, ours: string, theirs: string): Merged | undefined {
  if (source.kind !== "leaf" || source.idOf === undefined) return undefined;
  const merge = mergeText(...[base, ours, theirs].map((text) => encoder.encode(text)) as Parameters<typeof mergeText>);
  if (!merge.isClean) return undefined;
  const text = decoder.decode(merge.render("SourceWins"));
  const id = source.idOf(text);
  return id === undefined ? undefined : { text, id };
}

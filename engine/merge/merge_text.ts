import { BYTE_ORDER_MARK, mergedMark, withoutMark } from "./byte_order_mark.ts";
import { ByteList } from "./byte_list.ts";
import { type Lines, LineTable } from "./lines.ts";
import { type Change, type Changes, threeWay } from "./three_way.ts";
import type { MergeConflict, MergeStrategy } from "./types.ts";

const EMPTY = new Uint8Array(0);
const LF = 10;
const CR = 13;
const [SOURCE_MARKER, MIDDLE_MARKER, TARGET_MARKER] = ["<<<<<<< source", "=======", ">>>>>>> target"]
  .map((marker) => new TextEncoder().encode(marker));

/** A three-way merge by lines. Nothing is put together before it is asked for. */
export interface TextMerge {
  readonly conflictCount: number;
  /** True where the two sides' changes do not meet: then every strategy gives the same. */
  readonly isClean: boolean;
  /** The merged file. */
  render(strategy: MergeStrategy): Uint8Array;
  /** In the order of the file. */
  conflicts(strategy: MergeStrategy): Iterable<MergeConflict>;
}

/**
 * Merges what led from `base` to `source` with what led from `base` to `target`, line by line. Pure: bytes in, bytes out, whatever
 * their encoding; every line comes from one of the three as it is, with its line break. A byte-order mark is no part of the first line:
 * it is there in the end where a side added it, or no side took it away.
 *
 * Changes that overlap or touch are conflicts, unless both sides made the same; so `isClean` means that no edit of either side was
 * given up. Takes bounded time and memory whatever the content.
 *
 * @example
 * const merge = mergeText(lastCommonVersion, left, right);
 * if (merge.isClean) write(merge.render("SourceWins"));
 */
export function mergeText(base: Uint8Array, source: Uint8Array, target: Uint8Array): TextMerge {
  const versions = [base, source, target];
  const isMarked = mergedMark(base, source, target);
  const table = new LineTable();
  const [baseLines, sourceLines, targetLines] = versions.map((bytes) => table.add(withoutMark(bytes)));
  const changes = threeWay(baseLines.ids, sourceLines.ids, targetLines.ids, table.size);
  return new LineMerge(baseLines, sourceLines, targetLines, changes, isMarked);
}

class LineMerge implements TextMerge {
  constructor(
    private readonly base: Lines,
    private readonly source: Lines,
    private readonly target: Lines,
    private readonly changes: Changes,
    private readonly isMarked: boolean,
  ) {}

  get conflictCount(): number {
    return this.changes.conflictCount;
  }

  get isClean(): boolean {
    return this.conflictCount === 0;
  }

  render(strategy: MergeStrategy): Uint8Array {
    const out = new ByteList(this.source.bytes.length + (this.target.bytes.length >> 3) + 64);
    if (this.isMarked) out.add(BYTE_ORDER_MARK);
    let at = 0;
    for (const change of this.changes) {
      out.add(stretch(this.source, at, change.sourceFrom));
      this.#resolve(out, change, strategy);
      at = change.sourceTo;
    }
    return out.add(stretch(this.source, at, this.source.count)).toBytes();
  }

  *conflicts(strategy: MergeStrategy): Generator<MergeConflict> {
    for (const change of this.changes) {
      if (!change.isConflict) continue;
      yield {
        lineNumber: change.baseFrom + 1,
        baseContent: stretch(this.base, change.baseFrom, change.baseTo),
        sourceContent: stretch(this.source, change.sourceFrom, change.sourceTo),
        targetContent: stretch(this.target, change.targetFrom, change.targetTo),
        resolution: this.#resolve(new ByteList(), change, strategy).toBytes(),
      };
    }
  }

  #resolve(out: ByteList, change: Change, strategy: MergeStrategy): ByteList {
    const target = stretch(this.target, change.targetFrom, change.targetTo);
    if (!change.isConflict || strategy === "TargetWins") return out.add(target);
    const source = stretch(this.source, change.sourceFrom, change.sourceTo);
    if (strategy === "SourceWins" || target.length === 0 && strategy === "Union") return out.add(source);
    if (strategy === "Union") return this.#whole(out, source).add(target);
    const lineBreak = this.#lineBreak();
    out.add(SOURCE_MARKER).add(lineBreak);
    this.#whole(out, source).add(MIDDLE_MARKER).add(lineBreak);
    return this.#whole(out, target).add(TARGET_MARKER).add(lineBreak);
  }

  /** Adds lines that others can follow: with a line break at the end. */
  #whole(out: ByteList, lines: Uint8Array): ByteList {
    out.add(lines);
    const isWhole = lines.length === 0 || [LF, CR].includes(lines[lines.length - 1]);
    return isWhole ? out : out.add(this.#lineBreak());
  }

  /** As the first line that has one has it. */
  #lineBreak(): Uint8Array {
    for (const { bytes, starts, count } of [this.source, this.target, this.base]) {
      if (count === 0) continue;
      const line = bytes.subarray(0, starts[1]);
      const last = line[line.length - 1];
      if (last === CR) return line.subarray(-1);
      if (last === LF) return line.subarray(line[line.length - 2] === CR ? -2 : -1);
    }
    return Uint8Array.of(LF);
  }
}

function stretch({ bytes, starts }: Lines, from: number, to: number): Uint8Array {
  return from === to ? EMPTY : bytes.subarray(starts[from], starts[to]);
}

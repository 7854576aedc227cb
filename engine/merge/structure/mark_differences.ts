import { diff } from "../diff.ts";
import { LineTable } from "../lines.ts";
import type { MergedTree } from "./merge_tree.ts";
import type { StructuredMerge } from "./merge_structure.ts";

/** A merge with markers, as git's, around the lines in which the two resolutions of its conflicts differ. */
export function markDifferences(source: MergedTree, target: MergedTree): StructuredMerge {
  const table = new LineTable();
  const [ours, theirs] = [source, target].map(({ text }) => table.add(new TextEncoder().encode(text)));
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const lineBreak = /\r?\n/.exec(source.text)?.[0] ?? "\n";
  const lines = ({ bytes, starts }: typeof ours, from: number, to: number) =>
    decoder.decode(bytes.subarray(starts[from], starts[to]));
  const hunks = diff(ours.ids, theirs.ids, table.size);
  let text = "";
  let at = 0;
  for (let hunk = 0; hunk < hunks.length; hunk += 4) {
    const [from, to, otherFrom, otherTo] = hunks.subarray(hunk, hunk + 4);
    text += lines(ours, at, from) + marked(lines(ours, from, to), lines(theirs, otherFrom, otherTo), lineBreak);
    at = to;
  }
  const conflicts = source.conflicts.map((conflict) => ({
    ...conflict,
    resolution: marked(conflict.source, conflict.target, lineBreak),
  }));
  return { text: text + lines(ours, at, ours.count), conflicts };
}

function marked(source: string, target: string, lineBreak: string): string {
  const whole = (lines: string) => lines === "" || lines.endsWith("\n") ? lines : lines + lineBreak;
  return `<<<<<<< source${lineBreak}${whole(source)}=======${lineBreak}${whole(target)}>>>>>>> target${lineBreak}`;
}

import { mergeText } from "../merge_text.ts";
import type { MergeFormat, MergeStrategy } from "../types.ts";
import { readIni } from "./ini.ts";
import { readJson } from "./json.ts";
import { markDifferences } from "./mark_differences.ts";
import { mergeTrees, type TreeConflict } from "./merge_tree.ts";
import { type Reader, type Tree, Unreadable, Values } from "./node.ts";
import { readXml } from "./xml.ts";
import { readYaml } from "./yaml.ts";

export type StructuredFormat = Exclude<MergeFormat, "text">;

const READERS: Record<StructuredFormat, Reader> = { json: readJson, yaml: readYaml, xml: readXml, ini: readIni };

const NAMES = ["baseFile", "sourceFile", "targetFile"];
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export interface StructuredMerge {
  text: string;
  conflicts: TreeConflict[];
}

/**
 * Merges three texts by what they say. Undefined where that cannot be written as it should be: what was written is read again, and must
 * say the merge of the values, with every comment that a side wrote. Where a merge by lines says the same, that is taken: it looks more
 * like both.
 *
 * @throws Unreadable
 */
export function mergeStructure(
  format: StructuredFormat,
  texts: [base: string, source: string, target: string],
  strategy: MergeStrategy,
): StructuredMerge | undefined {
  const values = new Values();
  const read = READERS[format];
  const [base, source, target] = texts.map((text, index) => readNamed(read, text, values, NAMES[index]));
  const merge = (strategy: "SourceWins" | "TargetWins" | "Union") => {
    const merged = mergeTrees(base, source, target, values, strategy);
    const again = readAgain(read, merged.text, values);
    const isRight = again?.root.id === merged.id && keepsComments(again, base, source, target);
    return isRight ? merged : undefined;
  };
  const merged = merge(strategy === "Manual" ? "SourceWins" : strategy);
  if (merged === undefined) return undefined;
  if (merged.conflicts.length === 0) {
    const text = linesMerge(texts);
    const isSame = text !== undefined && readAgain(read, text, values)?.root.id === merged.id;
    return isSame ? { text, conflicts: [] } : merged;
  }
  if (strategy !== "Manual") return merged;
  const other = merge("TargetWins");
  return other && markDifferences(merged, other);
}

function readNamed(read: Reader, text: string, values: Values, name: string): Tree {
  try {
    return read(text, values);
  } catch (error) {
    throw error instanceof Unreadable ? new Unreadable(`${name}: ${error.message}`) : error;
  }
}

function linesMerge(texts: string[]): string | undefined {
  const [base, source, target] = texts.map((text) => encoder.encode(text));
  const merge = mergeText(base, source, target);
  return merge.isClean ? decoder.decode(merge.render("SourceWins")) : undefined;
}

function readAgain(read: Reader, text: string, values: Values): Tree | undefined {
  try {
    return read(text, values);
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

/** Whether what a side wrote in comments is there: they are no values, so nothing else would tell of it. */
function keepsComments(merged: Tree, base: Tree, ...sides: Tree[]): boolean {
  const known = new Set([...base.comments, ...merged.comments]);
  return sides.every(({ comments }) => comments.every((comment) => known.has(comment)));
}

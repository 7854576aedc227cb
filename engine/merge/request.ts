/** What a merge of files is asked for, and what it answers. */
import type { MergeFormat, MergeStrategy } from "./types.ts";

export interface MergeFilesRequest {
  /** The version that both others come from. This and the other paths: absolute, resolved. */
  baseFile: string;
  sourceFile: string;
  targetFile: string;
  /** Where the merge is written; may be one of the three. */
  outputFile?: string;
  strategy: MergeStrategy;
  /** `auto`: by the files' name extension, as text where they do not parse. */
  format: MergeFormat | "auto";
}

export interface MergeFilesConflict {
  /** From 1, in the base. */
  lineNumber: number;
  baseContent: string;
  sourceContent: string;
  targetContent: string;
  resolution: string;
  /** There where the contents are too long to be whole. */
  isTruncated?: true;
}

export interface MergeFilesResult {
  /** False where conflicts are left for a person. */
  success: boolean;
  /** Empty where it is {@link isContentOmitted}. */
  mergedContent: string;
  /** The first ones, as many as an answer can hold. */
  conflicts: MergeFilesConflict[];
  /** Conflicts that the strategy has resolved: all or none. */
  conflictResolutionCount: number;
  conflictCount: number;
  /** Which way it was merged. */
  format: MergeFormat;
  /** Whether the merge is in the output file only, since it is too large for an answer or not UTF-8. */
  isContentOmitted: boolean;
  /** Bytes. */
  mergedSize: number;
  executionTimeMs: number;
}

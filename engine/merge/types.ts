/** What becomes of a conflict: one side's version, both (source first), or both between markers for a person to decide. */
export type MergeStrategy = "SourceWins" | "TargetWins" | "Union" | "Manual";

/** How files are read: as lines, or as what they say. */
export type MergeFormat = "text" | "json" | "yaml" | "xml" | "ini";

/** A place where both sides changed the base, each in its own way. */
export interface MergeConflict {
  /** Where it begins in the base, from 1; the line that follows where the base has nothing there. */
  lineNumber: number;
  baseContent: Uint8Array;
  sourceContent: Uint8Array;
  targetContent: Uint8Array;
  /** What the merge has there, by the strategy. */
  resolution: Uint8Array;
}

/** The merge of three versions. Nothing is rendered before it is asked for. */
export interface Merge {
  /** Which way it was merged. */
  readonly format: MergeFormat;
  readonly conflictCount: number;
  /** The merged file. */
  render(strategy: MergeStrategy): Uint8Array;
  /** In the order of the file. */
  conflicts(strategy: MergeStrategy): Iterable<MergeConflict>;
}

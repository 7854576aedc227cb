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

/** A merge with its conflicts resolved by a strategy. */
export interface MergedFile {
  /** Which way it was merged. */
  format: MergeFormat;
  content: Uint8Array;
  conflictCount: number;
  /** In the order of the file. Made when they are asked for. */
  conflicts: Iterable<MergeConflict>;
}

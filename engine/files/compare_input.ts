import type { ConflictStrategy } from "./types.ts";
import type { Listing } from "../posix/mod.ts";

/** A directory that waits to be compared. */
export interface PendingDirectory {
  /** Below the roots; `""` is the roots themselves. */
  path: string;
  /** Whether each side has it. */
  source: boolean;
  target: boolean;
  /** Whether an include pattern named it or one above it. */
  included: boolean;
  /** It stands where a file goes, or lies in one that does: what is in it is deleted with that. */
  clear: boolean;
  /** A conflict was reported for it or one above it, so none is for what lies in it. */
  reported: boolean;
  /** How its own metadata differs, where both sides have it: `counted` where more than its time does. */
  own: "same" | "times" | "counted";
  /** It is made only where something in it has to be: the other side has deleted it. */
  conditional: boolean;
  /** Where one side lacks it: the depth of the highest directory above it (or itself) that this side lacks. */
  top: number;
}

/** A directory by its path, and the depth (its number of names) of the highest one above it that one side lacks. */
export type Place = [path: string, top: number];

export interface CompareOptions {
  deleteMissing: boolean;
  strategy: ConflictStrategy;
  preservePermissions: boolean;
  /** Whether owners can be set, and so are compared. */
  owners: boolean;
  /** The last run was killed: look for its temporary files in directories that only the target has, too. */
  sweep: boolean;
  /** Seconds: times from here on are too new to tell versions apart, since clocks go in steps. */
  recentFrom: number;
  /** For names of the versions that `KeepBoth` keeps. */
  stamp: string;
  /** `none`: first run. `partial`: the patterns were others, so a path that it lacks may have been left out. */
  baseline: "none" | "partial" | "complete";
  /** The run goes both ways, and this is its pass from the request's source or the one back. */
  pass?: "forward" | "back";
  /** The pass back of a dry run: it foresees what it would get of conflicts that the pass before settles. */
  foresees: boolean;
}

export interface CompareInput {
  directory: PendingDirectory;
  source: Listing | undefined;
  target: Listing | undefined;
  /** The stored row of {@link BaselineEncoder}. */
  baseline: Uint8Array | undefined;
  /** Whether the target resolves a name that it lists in another case to that same entry. */
  folds: (name: string, index: number) => boolean;
  contents: FileContents;
  /** How many links of a side's file are in that side's own trash. */
  linksInTrash: (side: "source" | "target", name: string, inode: string) => number;
}

/** What the directory's files hold. Asked only where their metadata does not tell. */
export interface FileContents {
  /** When the listings were made, milliseconds since 1970. */
  lookedAt: number;
  /** SHA-256 of a side's file as it was listed; undefined where it cannot be read or has changed since. */
  hash: (side: "source" | "target", index: number) => Uint8Array | undefined;
  /** The same without reading. */
  knownHash: (side: "source" | "target", index: number) => Uint8Array | undefined;
  /** Whether the source's file `i` and the target's file `j` hold the same bytes. */
  equal: (i: number, j: number) => boolean;
}

/**
 * What a scan found, as lines of JSON in the spool. Parents come before their children, so trees are built backwards. A
 * directory's number stands for what will become of it; the children on one page have consecutive numbers, in the order of
 * their names.
 */
import type { SpoolRange } from "./spool.ts";
import type { Entry } from "../trees/tree_entry.ts";

/** Marks of a page's line, added up. */
export const Mark = {
  /** The directory's first page. */
  first: 1,
  /** Its last one. */
  last: 2,
  /** All its pages are the parent version's, and it has no others. */
  kept: 4,
} as const;

/** A file whose content is not known yet: its name; in an array where it is large and read by regions. */
export type Pending = string | [name: string];

export function isPending(entry: Entry | Pending): entry is Pending {
  return typeof entry === "string" || entry.length === 1;
}

/** Each entry's change against the parent version, one letter each. */
export const Change = { none: "-", added: "a", modified: "m" } as const;

/** A page that is made anew. Directories in it have the parent version's pages, or none. */
export type NewPage = [
  "page",
  directory: number,
  marks: number,
  firstChild: number,
  path: string,
  entries: (Entry | Pending)[],
  changes: string,
];

/** A page that the parent version has; below it something may have changed. */
export type SamePage = ["same", directory: number, marks: number, firstChild: number, children: number, id: string];

/** Names that the parent version has in a directory and the source has no more. */
export type Removed = ["removed", path: string, files: string[], directories: string[]];

/** A directory that vanished after it was listed. */
export type Gone = ["gone", directory: number];

export type ScanRecord = NewPage | SamePage | Removed | Gone;

/** A file that is read by regions. */
export interface LargeFile {
  /** Among the segment's pending files. */
  ordinal: number;
  /** The directory it is in. */
  path: string;
  name: string;
  /** Bytes, when it was listed. */
  size: number;
}

/** A run of records. */
export interface Segment {
  range: SpoolRange;
  /** Pending files, and the bytes of those that are not large. */
  files: number;
  bytes: number;
  large: LargeFile[];
}

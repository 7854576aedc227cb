import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "./constants.ts";

/**
 * What `statx` says of one entry, as the 32-bit words of the kernel's buffer at a given place. A listing holds thousands
 * of these without an object each.
 */
export const STAT_WORDS = 15;

/** Indices into an entry's {@link STAT_WORDS} words. */
export const Field = {
  mode: 0,
  uid: 1,
  gid: 2,
  nlink: 3,
  sizeLow: 4,
  sizeHigh: 5,
  mtimeLow: 6,
  mtimeHigh: 7,
  mtimeNs: 8,
  inodeLow: 9,
  inodeHigh: 10,
  device: 11,
  ctimeLow: 12,
  ctimeHigh: 13,
  ctimeNs: 14,
} as const;

export type EntryType = "file" | "directory" | "symlink" | "special";

/** The type that a mode's upper bits tell. */
export function typeOfMode(mode: number): EntryType {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "file";
    case S_IFDIR:
      return "directory";
    case S_IFLNK:
      return "symlink";
    default:
      return "special";
  }
}

/** One entry's metadata. */
export interface Stat {
  type: EntryType;
  /** Permission bits alone, 0 to 0o7777. */
  permissions: number;
  uid: number;
  gid: number;
  /** Hard links to this inode. */
  links: number;
  /** Bytes. */
  size: number;
  /** Bytes that occupy blocks on the disk; fewer than `size` where the file is sparse. */
  allocated: number;
  /** Seconds since 1970, may be negative. */
  mtime: number;
  mtimeNs: number;
  ctime: number;
  ctimeNs: number;
  /** Device and inode: what makes an entry itself, as a string because inodes may exceed 2^53. */
  identity: string;
}

/** Entries of directories, as tree pages hold them (FORMAT section 7): arrays, so that a page is parsed without a copy. */

/** A chunk's id in hexadecimal digits; a hole of so many bytes; a list, which stands for so many bytes. */
export type ContentItem = string | number | [list: string, bytes: number];
export type Content = ContentItem[];

export interface Extra {
  /** Device and inode: entries of one version with the same are hard links of one file. */
  link?: string;
  /** Names, and values in base64. */
  xattrs?: [name: string, value: string][];
}

type Common<T extends string> = [
  name: string,
  type: T,
  /** 0 to 0o7777. */
  mode: number,
  uid: number,
  gid: number,
  /** Seconds since 1970. */
  mtime: number,
  mtimeNs: number,
  ctime: number,
  ctimeNs: number,
  /** Decimal. */
  inode: string,
];

export type FileEntry = [...Common<"f">, size: number, content: Content, extra?: Extra];
export type DirectoryEntry = [...Common<"d">, pages: string[], extra?: Extra];
export type SymlinkEntry = [...Common<"l">, target: string, extra?: Extra];
export type Entry = FileEntry | DirectoryEntry | SymlinkEntry;

/** Indices into an {@link Entry}. */
export const At = {
  name: 0,
  type: 1,
  mode: 2,
  uid: 3,
  gid: 4,
  mtime: 5,
  mtimeNs: 6,
  ctime: 7,
  ctimeNs: 8,
  inode: 9,
  /** Of a file. */
  size: 10,
  content: 11,
  /** Of a directory. */
  pages: 10,
  /** Of a symbolic link. */
  target: 10,
} as const;

export function isFile(entry: Entry): entry is FileEntry {
  return entry[At.type] === "f";
}

export function isDirectory(entry: Entry): entry is DirectoryEntry {
  return entry[At.type] === "d";
}

export function isSymlink(entry: Entry): entry is SymlinkEntry {
  return entry[At.type] === "l";
}

export function extraOf(entry: Entry): Extra | undefined {
  return (isFile(entry) ? entry[12] : entry[11]) as Extra | undefined;
}

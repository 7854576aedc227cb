import { run } from "./command.ts";

export interface ListedEntry {
  /** Relative to the listed directory. */
  path: string;
  type: string;
  links: number;
  mode: number;
  size: number;
  /** Seconds since 1970 with nine decimals. */
  mtime: string;
}

export interface Listing {
  entries: ListedEntry[];
  /** Names of regular files, each hard link counted. */
  files: number;
  directories: number;
  symlinks: number;
  /** Names beyond the first of files with several. */
  hardLinks: number;
  /** Of regular files, each inode counted once. */
  bytes: number;
}

/** Lists all below a directory with `find`, which sees nanoseconds. Names that are not UTF-8 come with U+FFFD. */
export async function list(directory: string, signal?: AbortSignal): Promise<Listing> {
  const format = "%y %n %m %s %T@ %i %P\\0";
  const { stdout } = await run(["find", directory, "-mindepth", "1", "-printf", format], { signal, capture: true });
  const listing: Listing = { entries: [], files: 0, directories: 0, symlinks: 0, hardLinks: 0, bytes: 0 };
  const inodes = new Set<string>();
  for (const line of stdout.split("\0")) {
    if (line === "") continue;
    const [type, links, mode, size, mtime, inode] = line.split(" ", 6);
    const path = line.slice(type.length + links.length + mode.length + size.length + mtime.length + inode.length + 6);
    const entry = {
      path,
      type,
      links: Number(links),
      mode: parseInt(mode, 8),
      size: Number(size),
      mtime: mtime.slice(0, mtime.indexOf(".") + 10),
    };
    listing.entries.push(entry);
    if (type === "d") listing.directories++;
    if (type === "l") listing.symlinks++;
    if (type !== "f") continue;
    listing.files++;
    if (entry.links > 1 && inodes.has(inode)) {
      listing.hardLinks++;
      continue;
    }
    inodes.add(inode);
    listing.bytes += entry.size;
  }
  return listing;
}

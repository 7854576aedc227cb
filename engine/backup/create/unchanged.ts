/** What counts as unchanged since the parent version (FORMAT section 8). */
import { At, type Entry, isDirectory, isFile } from "../trees/tree_entry.ts";
import type { Listing } from "../../posix/mod.ts";

/** Whether an inode is the one that an entry was made of, and nothing was done to it since. */
export function sameInode(listing: Listing, index: number, entry: Entry): boolean {
  return entry[At.ctime] === listing.ctime(index) && entry[At.ctimeNs] === listing.ctimeNs(index) &&
    entry[At.mtime] === listing.mtime(index) && entry[At.mtimeNs] === listing.mtimeNs(index) &&
    entry[At.inode] === listing.inode(index);
}

/** Whether an entry still is what a listing says, all metadata included; of a directory, without what is in it. */
export function sameEntry(listing: Listing, index: number, entry: Entry): boolean {
  if (entry[At.name] !== listing.names[index] || !sameInode(listing, index, entry)) return false;
  if (
    entry[At.mode] !== listing.permissions(index) || entry[At.uid] !== listing.uid(index) ||
    entry[At.gid] !== listing.gid(index)
  ) return false;
  const type = listing.type(index);
  if (isFile(entry)) return type === "file" && entry[At.size] === listing.size(index);
  if (isDirectory(entry)) return type === "directory";
  return type === "symlink" && entry[At.target] === listing.links.get(index);
}

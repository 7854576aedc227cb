import { PathFailure } from "../../files/copy.ts";
import {
  close,
  type Descriptor,
  Listing,
  openDirectoryAt,
  readDirectory,
  removeDirectoryAt,
  statOf,
  unlinkAt,
} from "../../posix/mod.ts";

/**
 * Removes a directory and all that is in it, following no link and entering no other file system. Returns how many entries it removed.
 * @param checkpoint called for each directory; may throw to cancel.
 * @throws PosixError, PathFailure
 */
export function removeTree(parent: Descriptor, name: string, checkpoint: () => void): number {
  checkpoint();
  let removed = 1;
  const directory = openDirectoryAt(parent, name);
  try {
    if (deviceOf(directory) !== deviceOf(parent)) throw new PathFailure("another file system is mounted in its place");
    const listing = readDirectory(directory, new Listing());
    for (let i = 0; i < listing.length; i++) {
      if (listing.type(i) === "directory") {
        removed += removeTree(directory, listing.names[i], checkpoint);
      } else {
        unlinkAt(directory, listing.names[i]);
        removed++;
      }
    }
  } finally {
    close(directory);
  }
  removeDirectoryAt(parent, name);
  return removed;
}

function deviceOf(directory: Descriptor): string {
  const { identity } = statOf(directory);
  return identity.slice(0, identity.lastIndexOf(":"));
}

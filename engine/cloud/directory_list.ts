import { close, Listing, readDirectory, type Stat } from "../posix/mod.ts";
import { infoOf, isAbsent, openDirectory, storeError } from "./directory_paths.ts";
import { compareKeys } from "./key.ts";
import type { ObjectInfo } from "./object_store.ts";

/**
 * The files below one directory of a store whose path begins with `rest`, in the order of their keys' bytes. Holds one directory
 * of each depth in memory. What vanishes meanwhile is left out.
 * @param reserved the name of a directory in the root that holds no objects.
 */
export function* listObjects(
  root: string,
  directory: string[],
  rest: string,
  reserved?: string,
): Generator<ObjectInfo> {
  const path = directory.map((part) => `${part}/`).join("");
  const listing = readNames(root, directory);
  if (listing === undefined) return;
  for (const entry of sorted(listing, rest)) {
    if (entry.isDirectory) {
      if (directory.length > 0 || listing.names[entry.index] !== reserved) {
        yield* listObjects(root, [...directory, listing.names[entry.index]], "");
      }
    } else yield infoOf(path + entry.sortKey, statIn(listing, entry.index));
  }
}

function readNames(root: string, parts: string[]): Listing | undefined {
  try {
    const directory = openDirectory(root, parts);
    try {
      return readDirectory(directory, new Listing());
    } finally {
      close(directory);
    }
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw storeError(error, parts.join("/"));
  }
}

interface Named {
  /** A directory's keys continue with `/`, and sort among the files accordingly. */
  sortKey: string;
  index: number;
  isDirectory: boolean;
}

function sorted(listing: Listing, rest: string): Named[] {
  const found: Named[] = [];
  for (let index = 0; index < listing.length; index++) {
    const type = listing.type(index);
    if (type !== "file" && type !== "directory" || !listing.names[index].startsWith(rest)) continue;
    const isDirectory = type === "directory";
    found.push({ sortKey: listing.names[index] + (isDirectory ? "/" : ""), index, isDirectory });
  }
  return found.sort((a, b) => compareKeys(a.sortKey, b.sortKey));
}

function statIn(listing: Listing, index: number): Pick<Stat, "size" | "mtime" | "mtimeNs"> {
  return {
    size: listing.size(index),
    mtime: listing.mtime(index),
    mtimeNs: listing.mtimeNs(index),
  };
}

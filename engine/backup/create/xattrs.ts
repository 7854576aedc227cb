import type { Extra } from "../trees/tree_entry.ts";
import { close, type Descriptor, openDirectoryAt, PosixError, readXattrs } from "../../posix/mod.ts";

/** An open file's extended attributes as an entry has them; undefined where there are none. */
export function entryXattrs(file: Descriptor): Extra["xattrs"] {
  const found = readXattrs(file);
  if (found.length === 0) return undefined;
  return found.map(([name, value]) => [name, value.toBase64()]);
}

/** Those of a directory that was just listed; none where it cannot be opened: then its own scan says why. */
export function readDirectoryXattrs(parent: Descriptor, name: string): Extra | undefined {
  try {
    const directory = openDirectoryAt(parent, name);
    try {
      const xattrs = entryXattrs(directory);
      return xattrs === undefined ? undefined : { xattrs };
    } finally {
      close(directory);
    }
  } catch (error) {
    if (error instanceof PosixError) return undefined;
    throw error;
  }
}

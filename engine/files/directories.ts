import { type Descriptor, hasCode, makeDirectoryAt, openPassage, openPassageAt, type Tree } from "../posix/mod.ts";

/** New directories are closed to others until their permissions are set. */
export const NEW_DIRECTORY = 0o700;

/** Makes a name a directory. Returns false where it is one already. */
export function makeDirectory(parent: Descriptor, name: string, mode: number): boolean {
  try {
    makeDirectoryAt(parent, name, mode);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

/**
 * Opens a directory below a tree's root and makes what is missing on the way. Two workers may do so at once: each directory
 * is made by one of them.
 * @throws PosixError `ENOTDIR` or `ELOOP` where something else stands on the way.
 */
export function makeDirectories(
  tree: Tree,
  path: string,
  mode = NEW_DIRECTORY,
): { descriptor: Descriptor; made: number } {
  try {
    return { descriptor: tree.directory(path), made: 0 };
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  const cut = path.lastIndexOf("/");
  const parent = makeDirectories(tree, path.slice(0, Math.max(cut, 0)), mode);
  const made = makeDirectory(parent.descriptor, path.slice(cut + 1), mode);
  return { descriptor: tree.directory(path), made: parent.made + (made ? 1 : 0) };
}

/**
 * Makes an absolute path's directories that are missing and opens the last, only to go through it. Needs no permission to list
 * those above it.
 */
export function makeAbsolute(path: string, mode = NEW_DIRECTORY): Descriptor {
  return openPassage(path, (parent, name) => {
    try {
      return openPassageAt(parent, name);
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
    }
    makeDirectory(parent, name, mode);
    return openPassageAt(parent, name);
  });
}

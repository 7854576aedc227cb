import { type CopyOptions, copyToTemporary } from "./copy.ts";
import { makeAbsolute, makeDirectories } from "./directories.ts";
import { close, type Descriptor, hasCode, linkAt, makeSymlinkAt, readLinkAt, statAt, Tree } from "../posix/mod.ts";

/**
 * Keeps what a run overwrites or deletes, under its path in a folder of the run's own. The entry is first linked there, so
 * there is no moment at which it is nowhere.
 */
export class Trash implements Disposable {
  readonly #path: string;
  readonly #copy: CopyOptions;
  #tree: Tree | undefined;

  /** @param path absolute, made when the first entry comes */
  constructor(path: string, copy: CopyOptions) {
    this.#path = path;
    this.#copy = { ...copy, verify: false };
  }

  /** Keeps a file or link; the caller then replaces or unlinks it. */
  keep(directory: string, from: Descriptor, name: string): void {
    const tree = this.#tree ??= this.#open();
    const to = makeDirectories(tree, directory).descriptor;
    try {
      linkAt(from, name, to, name);
    } catch (error) {
      // The run's folder is its own, so what is there is what an attempt before this one kept.
      if (hasCode(error, "EEXIST")) return;
      if (!hasCode(error, "EXDEV", "EPERM", "EMLINK", "EOPNOTSUPP")) throw error;
      const stat = statAt(from, name);
      if (stat.type === "symlink") makeSymlinkAt(readLinkAt(from, name), to, name);
      else if (stat.type === "file") copyToTemporary(from, name, to, name, this.#copy);
      else throw error;
    }
  }

  #open(): Tree {
    close(makeAbsolute(this.#path));
    return new Tree(this.#path);
  }

  [Symbol.dispose](): void {
    this.#tree?.[Symbol.dispose]();
  }
}

import { close, type Descriptor, openDirectoryAt, openPassageAt, statOf } from "./calls.ts";
import { AT_FDCWD } from "./constants.ts";

/** Open directories kept on the way down; a deeper path keeps its last ones. */
const MOST_OPEN = 64;

/**
 * Opens an absolute path's directory, component by component, following no link at all. Needs permission to list that
 * directory, and to go through those above it.
 */
export function openAbsolute(path: string): Descriptor {
  const passage = openPassage(path);
  try {
    return openDirectoryAt(passage, ".");
  } finally {
    close(passage);
  }
}

/**
 * As {@link openAbsolute}, only to go through it.
 * @param open how each component is opened below the one before
 */
export function openPassage(path: string, open = openPassageAt): Descriptor {
  let current = openPassageAt(AT_FDCWD, "/");
  for (const part of path.split("/")) {
    if (part === "") continue;
    const parent = current;
    try {
      current = open(parent, part);
    } finally {
      close(parent);
    }
  }
  return current;
}

/**
 * A directory tree that is reached only through open directories: whatever becomes of its paths meanwhile, no call can be
 * led outside by a link. Keeps the directories of the current path open, so going to a neighbour costs one call.
 */
export class Tree implements Disposable {
  readonly #root: Descriptor;
  #parts: string[] = [];
  #open: Descriptor[] = [];
  /** How many of the path's first directories are no longer held open. */
  #dropped = 0;

  /** @param path absolute, with no link in it. */
  constructor(path: string) {
    this.#root = openAbsolute(path);
  }

  /** Device and inode of the root, to notice that another one took its place. */
  get identity(): string {
    return statOf(this.#root).identity;
  }

  get root(): Descriptor {
    return this.#root;
  }

  /**
   * The descriptor of a directory by its path below the root (`""` is the root); good until the next call.
   * @throws PosixError `ENOENT`; `ELOOP` or `ENOTDIR` where a part is a link or no directory.
   */
  directory(path: string): Descriptor {
    if (path === "") return this.#root;
    const parts = path.split("/");
    let common = 0;
    while (common < parts.length && common < this.#parts.length && parts[common] === this.#parts[common]) common++;
    this.#shrink(common);
    for (let depth = this.#parts.length; depth < parts.length; depth++) {
      const parent = this.#open.length > 0 ? this.#open[this.#open.length - 1] : this.#root;
      const opened = openDirectoryAt(parent, parts[depth]);
      this.#parts.push(parts[depth]);
      this.#open.push(opened);
      if (this.#open.length > MOST_OPEN) {
        close(this.#open.shift() as Descriptor);
        this.#dropped++;
      }
    }
    return this.#open[this.#open.length - 1];
  }

  /** Forgets open directories below a depth; all of them where that directory itself was dropped. */
  #shrink(depth: number): void {
    const kept = depth <= this.#dropped && this.#dropped > 0 ? 0 : depth - this.#dropped;
    for (const descriptor of this.#open.splice(kept)) close(descriptor);
    this.#parts.length = kept === 0 ? 0 : depth;
    if (kept === 0) this.#dropped = 0;
  }

  /** Forgets the open directories, after directories were renamed or removed. */
  reset(): void {
    this.#shrink(0);
  }

  [Symbol.dispose](): void {
    this.#shrink(0);
    close(this.#root);
  }
}

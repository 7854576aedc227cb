import { type CopyOptions, copyToTemporary, PathFailure } from "./copy.ts";
import { makeAbsolute, makeDirectories } from "./directories.ts";
import {
  chmodAt,
  chownAt,
  close,
  type Descriptor,
  hasCode,
  linkAt,
  Listing,
  makeSpecialLike,
  makeSymlinkAt,
  PosixError,
  readDirectory,
  readLinkAt,
  setTimesAt,
  statAt,
  statIfPresent,
  syncFileSystem,
  Tree,
} from "../posix/mod.ts";

import type { TaskContext } from "../../workers/types.ts";

/** The name of a run's folder in the trash. @param id 12 hexadecimal digits */
export function trashFolder(stamp: string, id: string): string {
  return `${stamp}-${id}`;
}

const FOLDER = /^\d{8}T\d{6}Z-[0-9a-f]{12}$/;

/** Whether nothing but runs' folders is in a directory, or it is not there yet: then it holds nobody's data. */
export function isTrash(path: string): boolean {
  try {
    using tree = new Tree(path);
    const listing = readDirectory(tree.root, new Listing());
    return listing.names.every((name, index) => FOLDER.test(name) && listing.type(index) === "directory");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return true;
    if (hasCode(error, "ENOTDIR", "ELOOP")) return false;
    throw error;
  }
}

/** The folders of runs in a directory. @throws PosixError */
export function keptFolders(path: string): string[] {
  using tree = new Tree(path);
  const listing = readDirectory(tree.root, new Listing());
  return listing.names.filter((name, index) => FOLDER.test(name) && listing.type(index) === "directory");
}

/**
 * How many links of a file runs have put into a trash: one that was killed before it replaced the file leaves one of what is there still.
 *
 * @param inode the file's, decimal
 */
export function linksInTrash(trash: string, directory: string, name: string, inode: string): number {
  const isLink = (tree: Tree, folder: string) => {
    const path = directory === "" ? folder : `${folder}/${directory}`;
    return ifThere(() => statIfPresent(tree.directory(path), name)?.identity)?.endsWith(`:${inode}`) ?? false;
  };
  return ifThere(() => {
    using tree = new Tree(trash);
    return readDirectory(tree.root, new Listing()).names.filter((folder) => isLink(tree, folder)).length;
  }) ?? 0;
}

function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined;
    throw error;
  }
}

/**
 * Keeps what a run overwrites or deletes, under its path in a folder of the run's own. The entry is first linked there, so
 * there is no moment at which it is nowhere; on another file system it is copied, and has to be on the disk there before.
 */
export class Trash implements Disposable {
  readonly #path: string;
  readonly #copy: CopyOptions;
  readonly #target: Tree;
  readonly #context: TaskContext;
  #tree: Tree | undefined;
  #foreign = false;
  #unsynced = false;

  /** @param path absolute, made when the first entry comes */
  constructor(path: string, copy: CopyOptions, target: Tree, context: TaskContext) {
    this.#context = context;
    this.#path = path;
    this.#copy = { ...copy, verify: false, hash: false };
    this.#target = target;
  }

  /** Keeps a file or link; the caller then replaces or unlinks it. */
  keep(directory: string, from: Descriptor, name: string): void {
    this.#put(directory, from, name);
    if (!this.#unsynced) return;
    this.#context.patiently(() => syncFileSystem(this.#open().root));
    this.#unsynced = false;
  }

  /**
   * Copies entries to a trash on another file system ahead of {@link keep}, so that all together wait for the disk once. What
   * fails here fails there again, where it is reported.
   */
  prepare(entries: Iterable<[directory: string, name: string]>): void {
    for (const [directory, name] of entries) {
      this.#open();
      if (!this.#foreign) return;
      try {
        this.#put(directory, this.#target.directory(directory), name);
      } catch (error) {
        if (!(error instanceof PosixError || error instanceof PathFailure)) throw error;
      }
    }
  }

  #put(directory: string, from: Descriptor, name: string): void {
    const to = makeDirectories(this.#open(), directory).descriptor;
    try {
      linkAt(from, name, to, name);
    } catch (error) {
      // The run's folder is its own, so what is there is what an attempt before this one kept.
      if (hasCode(error, "EEXIST")) return;
      if (!hasCode(error, "EXDEV", "EPERM", "EMLINK", "EOPNOTSUPP")) throw error;
      this.#unsynced = true;
      this.#copyTo(to, from, name);
    }
  }

  #copyTo(to: Descriptor, from: Descriptor, name: string): void {
    const stat = statAt(from, name);
    if (stat.type === "file") return void copyToTemporary(from, name, to, name, this.#copy);
    if (stat.type === "symlink") makeSymlinkAt(readLinkAt(from, name), to, name);
    else makeSpecialLike(from, name, to, name);
    if (this.#copy.owners) chownAt(to, name, stat.uid, stat.gid);
    if (stat.type !== "symlink") chmodAt(to, name, stat.permissions);
    setTimesAt(to, name, stat.mtime, stat.mtimeNs);
  }

  #open(): Tree {
    if (this.#tree !== undefined) return this.#tree;
    close(makeAbsolute(this.#path));
    this.#tree = new Tree(this.#path);
    const [here, there] = [this.#tree, this.#target].map(({ identity }) =>
      identity.slice(0, identity.lastIndexOf(":"))
    );
    this.#foreign = here !== there;
    return this.#tree;
  }

  [Symbol.dispose](): void {
    this.#tree?.[Symbol.dispose]();
  }
}

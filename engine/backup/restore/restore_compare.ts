import { permissionsFor, xattrsDiffer } from "./restore_metadata.ts";
import {
  type Existing,
  type FileStep,
  joinPath,
  type RestoreReport,
  type RestoreStep,
  type RestoreStream,
  type Sameness,
} from "./restore_steps.ts";
import {
  At,
  type Content,
  type DirectoryEntry,
  type Entry,
  extraOf,
  type FileEntry,
  isDirectory,
  isFile,
  isSymlink,
  type SymlinkEntry,
} from "../trees/tree_entry.ts";
import type { PlanWriter } from "../../files/plan.ts";
import { addError } from "../../files/report.ts";
import { isTemporaryName } from "../../files/rules.ts";
import { type Descriptor, type Listing, type Stat, statOf } from "../../posix/mod.ts";

/** A directory that waits to be compared. */
export interface PendingDirectory {
  /** Below the roots; `""` is the roots themselves. */
  path: string;
  /** The version's; null where only the target has it, and what is in it is to be deleted. */
  entry: DirectoryEntry | null;
  /** Whether the target has it. */
  target: boolean;
  /** Whether both have it and its own metadata differs. */
  differs: boolean;
  /** The paths in it that are wanted; null: all of it. */
  select: string[] | null;
}

export interface RestoreRules {
  overwrite: boolean;
  deleteExtra: boolean;
  verify: boolean;
  /** Whether this process may give files to others. */
  owners: boolean;
  /** Paths below the target that are never touched: the server's own directory, the repository. */
  protected: string[];
}

/** From here on a file is made range by range, by several workers. */
export const LARGE = 128 * 2 ** 20;

/** Compares a directory of a version with what is in the target, and writes what has to be done. */
export class RestoreComparison {
  readonly #rules: RestoreRules;
  readonly #plan: PlanWriter<RestoreStream, RestoreStep>;
  readonly #report: RestoreReport;
  readonly #placeOf: (content: Content) => number;
  /** Wanted paths that the version does not have. */
  readonly missing: string[] = [];
  /** Set for each directory. */
  #directory!: PendingDirectory;
  #descriptor: Descriptor | undefined;
  #target: Listing | undefined;
  #places = new Map<string, number>();
  #select: Map<string, string[]> | null = null;
  #touched = false;
  #children: PendingDirectory[] = [];

  /** @param placeOf where in the repository a content begins, as a number by which contents can be sorted. */
  constructor(
    rules: RestoreRules,
    plan: PlanWriter<RestoreStream, RestoreStep>,
    report: RestoreReport,
    placeOf: (content: Content) => number,
  ) {
    this.#rules = rules;
    this.#plan = plan;
    this.#report = report;
    this.#placeOf = placeOf;
  }

  /** @param descriptor with `target`: the target's directory and its listing; both undefined where it has none. */
  begin(directory: PendingDirectory, descriptor: Descriptor | undefined, target: Listing | undefined): void {
    this.#directory = directory;
    this.#descriptor = descriptor;
    this.#target = target;
    this.#places = new Map(target?.names.map((name, index) => [name, index]));
    this.#select = directory.select === null ? null : firstParts(directory.select);
    this.#touched = false;
    this.#children = [];
  }

  /** One entry of the version. */
  visit(entry: Entry): void {
    const name = entry[At.name];
    const index = this.#places.get(name) ?? -1;
    this.#places.delete(name);
    const path = joinPath(this.#directory.path, name);
    let select: string[] | null = null;
    if (this.#select !== null) {
      const wanted = this.#select.get(name);
      if (wanted === undefined) return;
      this.#select.delete(name);
      if (!isDirectory(entry)) {
        const below = wanted.filter((rest) => rest !== "");
        for (const rest of below) this.missing.push(joinPath(path, rest));
        if (below.length === wanted.length) return;
      } else if (!wanted.includes("")) {
        select = wanted;
      }
    }
    if (this.#rules.protected.includes(path)) {
      return this.#fail(path, "is the server's own directory or the repository, and is left alone");
    }
    if (isDirectory(entry)) this.#visitDirectory(entry, index, path, select);
    else if (isSymlink(entry)) this.#visitLink(entry, index);
    else this.#visitFile(entry, index);
  }

  /** @param complete false where a part of the directory could not be read. Returns the directories below it that are to be compared. */
  end(complete: boolean): PendingDirectory[] {
    const { path, entry, target, differs, select } = this.#directory;
    if (complete) {
      for (const [first, others] of this.#select ?? []) {
        for (const rest of others) this.missing.push(joinPath(joinPath(path, first), rest));
      }
    }
    for (const [name, index] of this.#places) this.#visitExtra(name, index, complete);
    if (entry === null) return this.#children;
    const own = !target || select === null && this.#rules.overwrite && (differs || this.#touched);
    const isOpen = (entry[At.mode] & 0o300) === 0o300;
    if (own) this.#plan.add(isOpen ? "finish" : "close", path, ["finish", withoutPages(entry)]);
    return this.#children;
  }

  #fail(path: string, words: string): void {
    addError(this.#report, path, words);
    this.#report.incomplete = true;
  }

  #add(stream: RestoreStream, step: RestoreStep, bytes = 0): void {
    this.#touched = true;
    this.#plan.add(stream, this.#directory.path, step, bytes);
  }

  #addData(step: FileStep, bytes: number): void {
    this.#touched = true;
    this.#plan.addAt(this.#placeOf(step[1][At.content]), "data", this.#directory.path, step, bytes);
  }

  #visitDirectory(entry: DirectoryEntry, index: number, path: string, select: string[] | null): void {
    const child: PendingDirectory = { path, entry, target: false, differs: false, select };
    const target = this.#target;
    if (index < 0 || target === undefined) {
      this.#add("make", ["directory", entry[At.name], "nothing"]);
    } else if (target.type(index) === "directory") {
      child.target = true;
      child.differs = this.#differs(entry, index);
    } else if (select !== null) {
      return this.#fail(path, "in the target this is no directory");
    } else if (!this.#rules.overwrite) {
      this.#report.skippedExisting++;
      return;
    } else {
      this.#add("first", ["directory", entry[At.name], "entry"]);
    }
    this.#children.push(child);
  }

  #visitLink(entry: SymlinkEntry, index: number): void {
    const target = this.#target;
    const same = target !== undefined && index >= 0 && target.type(index) === "symlink" &&
      target.links.get(index) === entry[At.target];
    if (same && !this.#differs(entry, index)) {
      this.#report.unchanged++;
      return;
    }
    const existing = this.#existing(entry[At.name], index);
    if (existing === undefined) return;
    this.#report.restored++;
    this.#add("make", same ? ["metadata", entry] : ["symlink", entry, existing]);
  }

  #visitFile(entry: FileEntry, index: number): void {
    const target = this.#target;
    const size = entry[At.size];
    const isThere = target !== undefined && index >= 0 && target.type(index) === "file";
    const sameSize = isThere && target.size(index) === size;
    const sameData = sameSize && target.mtime(index) === entry[At.mtime] && target.mtimeNs(index) === entry[At.mtimeNs];
    const same: Sameness = !sameData ? 0 : this.#differs(entry, index) ? 2 : 1;
    const compare = same === 1 && this.#rules.verify && this.#rules.overwrite;
    if (extraOf(entry)?.link !== undefined || isThere && target.hardLinks(index) > 1) {
      return this.#visitLinked(entry, index, same);
    }
    if (same === 1 && !compare) {
      this.#report.unchanged++;
      return;
    }
    const existing = this.#existing(entry[At.name], index);
    if (existing === undefined) return;
    if (compare) this.#report.compared++;
    else this.#report.restored++;
    if (same === 2 && !this.#rules.verify) return this.#add("make", ["metadata", entry]);
    if (!sameData) this.#report.bytes += size;
    const step: FileStep = ["file", entry, existing, sameSize];
    if (size >= LARGE) this.#add("large", step, size);
    else this.#addData(step, size);
  }

  #visitLinked(entry: FileEntry, index: number, same: Sameness): void {
    const existing = same === 1 ? "entry" : this.#existing(entry[At.name], index);
    if (existing === undefined) return;
    const target = this.#target;
    const identity = target !== undefined && index >= 0 && target.type(index) === "file" ? target.identity(index) : "";
    // One that is right may still be joined to another one.
    this.#add("links", ["linked", entry, identity, same, existing, this.#placeOf(entry[At.content])]);
  }

  /** What stands where an entry goes; undefined where it stays. */
  #existing(name: string, index: number): Existing | undefined {
    if (this.#target === undefined || index < 0) return "nothing";
    if (!this.#rules.overwrite) {
      this.#report.skippedExisting++;
      return undefined;
    }
    if (this.#target.type(index) !== "directory") return "entry";
    const path = joinPath(this.#directory.path, name);
    const inside = this.#rules.protected.some((other) => other.startsWith(`${path}/`));
    return this.#rules.deleteExtra && !inside ? "tree" : "directory";
  }

  /** Whether the metadata differs, but for the time of a file, which goes with its data. */
  #differs(entry: Entry, index: number): boolean {
    const target = this.#target as Listing;
    const owner = { uid: target.uid(index), gid: target.gid(index) };
    if (this.#rules.owners && (owner.uid !== entry[At.uid] || owner.gid !== entry[At.gid])) return true;
    if (!isFile(entry) && (target.mtime(index) !== entry[At.mtime] || target.mtimeNs(index) !== entry[At.mtimeNs])) {
      return true;
    }
    if (isSymlink(entry)) return false;
    if (target.permissions(index) !== permissionsFor(entry, owner, this.#rules.owners)) return true;
    return xattrsDiffer(this.#descriptor as Descriptor, entry[At.name], entry, this.#rules.verify);
  }

  /** One entry that only the target has. */
  #visitExtra(name: string, index: number, complete: boolean): void {
    const target = this.#target as Listing;
    const { path, entry, select } = this.#directory;
    if (isTemporaryName(name)) return this.#add("make", ["stale", name]);
    if (!this.#rules.deleteExtra || select !== null || !complete) return;
    const child = joinPath(path, name);
    if (this.#rules.protected.includes(child)) return;
    const isTree = target.type(index) === "directory";
    // What is mounted there is none of the target's.
    if (isTree && !sameDevice(target.identity(index), statOf(this.#descriptor as Descriptor))) return;
    if (isTree) this.#children.push({ path: child, entry: null, target: true, differs: false, select: null });
    if (isTree && this.#rules.protected.some((other) => other.startsWith(`${child}/`))) return;
    this.#plan.add("delete", path, ["delete", name, isTree]);
    this.#report.deleted++;
    if (entry !== null) this.#touched = true;
  }
}

/** Paths by their first part, each with what follows it; `""` where nothing does. */
function firstParts(paths: string[]): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  for (const path of paths) {
    const cut = path.indexOf("/");
    const [first, rest] = cut < 0 ? [path, ""] : [path.slice(0, cut), path.slice(cut + 1)];
    const others = parts.get(first);
    if (others === undefined) parts.set(first, [rest]);
    else others.push(rest);
  }
  return parts;
}

function withoutPages(entry: DirectoryEntry): DirectoryEntry {
  const copy: DirectoryEntry = [...entry];
  copy[At.pages] = [];
  return copy;
}

/** Whether an entry of a listing lies on the file system of its directory. */
function sameDevice(listed: string, directory: Stat): boolean {
  const [major, minor] = directory.identity.split(":").map(Number);
  return listed.startsWith(`${((major << 20) | minor) >>> 0}:`);
}

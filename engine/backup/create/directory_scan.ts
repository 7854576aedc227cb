import type { ChunkIndex } from "../packs/chunk_index.ts";
import { isKnown } from "./known_content.ts";
import { ParentCursor } from "./parent_cursor.ts";
import { NOTHING_PENDING, type PendingFiles, type RecordWriter } from "./record_writer.ts";
import { RunCounter } from "./run_counter.ts";
import { addSkipped, type RunReport } from "./run_report.ts";
import { Change, isPending, Mark, type NewPage, type Pending, type SamePage } from "./scan_record.ts";
import { At, type DirectoryEntry, type Entry, extraOf, isDirectory, isFile, isSymlink } from "../trees/tree_entry.ts";
import { byName, endsPage } from "../trees/tree_page.ts";
import type { TreeReader } from "../trees/tree_reader.ts";
import { sameEntry, sameInode } from "./unchanged.ts";
import { readDirectoryXattrs } from "./xattrs.ts";
import type { Rules } from "../../files/rules.ts";
import type { Descriptor, Listing } from "../../posix/mod.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** A directory that waits to be scanned. */
export interface PendingDirectory {
  /** Below the source; `""` is the source itself. */
  path: string;
  number: number;
  /** Its tree pages in the parent version; null where that has no such directory. */
  pages: string[] | null;
  /** Only the parent version has it. */
  isRemoved: boolean;
}

/** Names of a line of removed entries. */
const MOST_REMOVED = 1024;

export interface ScanTools {
  /** Undefined: everything is taken. */
  rules: Rules | undefined;
  /** Takes no content from the parent version. */
  reread: boolean;
  /** From this size on a file is read by regions, so that several workers share it. */
  largeFrom: number;
  index: ChunkIndex;
  trees: TreeReader;
  records: RecordWriter;
  report: RunReport;
  context: TaskContext;
}

/** Compares one directory after the other with the parent version, page by page, and writes what has to be done. */
export class DirectoryScan {
  readonly #tools: ScanTools;
  #path = "";
  #descriptor: Descriptor = -1;
  #listing: Listing;
  #parent: ParentCursor;
  #found: PendingDirectory[] = [];
  /** The next child's number. */
  #child = 0;
  #removedFiles: string[] = [];
  #removedDirectories: string[] = [];

  constructor(tools: ScanTools, listing: Listing) {
    this.#tools = tools;
    this.#listing = listing;
    this.#parent = new ParentCursor(undefined, []);
  }

  /** Takes a directory's listing and returns the directories that are to be scanned next. */
  async scan({ path, number, pages }: PendingDirectory, descriptor: Descriptor): Promise<PendingDirectory[]> {
    const { records, trees, context } = this.#tools;
    const listing = this.#listing;
    this.#path = path;
    this.#descriptor = descriptor;
    this.#parent = new ParentCursor(trees, pages ?? []);
    this.#found = [];
    const order = this.#select();
    this.#child = this.#reserveNumbers(order);
    /** Lines of pages that are the parent's, as long as all are. */
    let same: SamePage[] | undefined = [];
    let [pageCount, marks] = [0, Mark.first as number];
    for (let start = 0, end = 0; start < order.length || pageCount === 0; start = end) {
      context.checkpoint();
      for (let more = start < order.length; more; more = end < order.length) {
        end++;
        if (endsPage(listing.names[order[end - 1]], end - start)) break;
      }
      if (end === order.length) marks |= Mark.last;
      const child = this.#child;
      const page = pages === null ? undefined : await this.#samePage(order.subarray(start, end));
      if (page !== undefined) {
        const line: SamePage = ["same", number, marks, child, this.#child - child, page];
        if (same !== undefined) same.push(line);
        else records.add(line);
      } else {
        for (const line of same ?? []) records.add(line);
        same = undefined;
        const { line, pending } = await this.#newPage(order.subarray(start, end));
        records.add(["page", number, marks, child, path, ...line], pending);
      }
      pageCount++;
      marks = 0;
    }
    if (same !== undefined) this.#keep(same, pageCount === pages?.length);
    await this.#passOver(undefined);
    this.#writeRemoved();
    return this.#found;
  }

  /** A directory of which every page is the parent's: it changes only where something below it does. */
  #keep(same: SamePage[], kept: boolean): void {
    if (kept && this.#found.length === 0) return;
    for (const line of same) {
      if (kept) line[2] |= Mark.kept;
      this.#tools.records.add(line);
    }
  }

  /** Notes everything that the parent version has in a directory as removed. */
  async remove({ path, pages }: PendingDirectory): Promise<PendingDirectory[]> {
    this.#path = path;
    this.#parent = new ParentCursor(this.#tools.trees, pages ?? []);
    this.#found = [];
    await this.#passOver(undefined);
    this.#writeRemoved();
    return this.#found;
  }

  /** Indices of the entries that are backed up, sorted by name. */
  #select(): Uint32Array {
    const { rules, report } = this.#tools;
    const { names } = this.#listing;
    const taken: number[] = [];
    for (let i = 0; i < names.length; i++) {
      const type = this.#listing.type(i);
      if (rules !== undefined && rules.judge(this.#join(names[i]), type === "directory", false) === "skip") continue;
      if (type === "special") addSkipped(report, this.#join(names[i]));
      else taken.push(i);
    }
    return Uint32Array.from(taken.sort((a, b) => byName(names[a], names[b])));
  }

  #reserveNumbers(order: Uint32Array): number {
    let count = 0;
    for (const index of order) {
      if (this.#listing.type(index) === "directory") count++;
    }
    return Number(Atomics.add(this.#tools.context.counters, RunCounter.directories, BigInt(count)));
  }

  #join(name: string): string {
    return this.#path === "" ? name : `${this.#path}/${name}`;
  }

  /** The parent's page that has just these entries, as they are now; undefined where there is none. */
  async #samePage(order: Uint32Array): Promise<string | undefined> {
    const page = await this.#parent.untouchedPage();
    if (page === undefined || page.entries.length !== order.length) return undefined;
    const { entries, id } = page;
    for (let i = 0; i < order.length; i++) {
      if (!sameEntry(this.#listing, order[i], entries[i])) return undefined;
    }
    for (const entry of entries) {
      if (!isFile(entry)) continue;
      const may = this.#mayKeep(entry[At.content]);
      if (!may || may !== true && !await may) return undefined;
    }
    this.#parent.takePage();
    for (const entry of entries) {
      this.#count(entry);
      if (isDirectory(entry)) this.#find(entry[At.name], this.#child++, entry[At.pages]);
    }
    return id;
  }

  /** Whether a file that has not changed may keep its content. */
  #mayKeep(content: Parameters<typeof isKnown>[0]): boolean | Promise<boolean> {
    const { reread, index, trees } = this.#tools;
    return !reread && isKnown(content, index, trees);
  }

  #count(entry: Entry): void {
    const { report } = this.#tools;
    if (isFile(entry)) {
      report.files++;
      report.size += entry[At.size];
    } else if (isSymlink(entry)) {
      report.symlinks++;
    } else {
      report.directories++;
    }
  }

  #find(name: string, number: number, pages: string[] | null, isRemoved = false): void {
    this.#found.push({ path: this.#join(name), number, pages, isRemoved });
  }

  async #newPage(order: Uint32Array) {
    const entries: (Entry | Pending)[] = [];
    const pending: PendingFiles = { ...NOTHING_PENDING, large: [] };
    const parent = this.#parent;
    let changes = "";
    for (const index of order) {
      const name = this.#listing.names[index];
      if (parent.isUsedUp || (parent.name as string) < name) await this.#passOver(name);
      const before = parent.name === name ? parent.current : undefined;
      if (before !== undefined) parent.advance();
      let entry: Entry | Pending;
      switch (this.#listing.type(index)) {
        case "directory":
          entry = this.#directory(index, before);
          this.#find(name, this.#child++, entry[At.pages].length > 0 ? entry[At.pages] : null);
          break;
        case "symlink":
          entry = this.#stat(index, "l", this.#listing.links.get(index) as string);
          break;
        default:
          entry = await this.#file(index, before, pending);
      }
      if (!isPending(entry)) this.#count(entry);
      if (before !== undefined && isDirectory(before) && this.#listing.type(index) !== "directory") {
        this.#find(name, -1, before[At.pages], true);
      }
      changes += this.#change(index, before);
      entries.push(entry);
    }
    return { line: [entries, changes] as [NewPage[5], string], pending };
  }

  /** How an entry differs from what the parent version has; of a directory its times do not count. */
  #change(index: number, before: Entry | undefined): string {
    if (before === undefined) return Change.added;
    const listing = this.#listing;
    if (isDirectory(before) && listing.type(index) === "directory") {
      const same = before[At.mode] === listing.permissions(index) && before[At.uid] === listing.uid(index) &&
        before[At.gid] === listing.gid(index);
      return same ? Change.none : Change.modified;
    }
    return sameEntry(listing, index, before) ? Change.none : Change.modified;
  }

  #directory(index: number, before: Entry | undefined): DirectoryEntry {
    const was = before !== undefined && isDirectory(before) ? before : undefined;
    const unchanged = was !== undefined && sameInode(this.#listing, index, was);
    const extra = unchanged ? extraOf(was) : readDirectoryXattrs(this.#descriptor, this.#listing.names[index]);
    return this.#stat(index, "d", was?.[At.pages] ?? [], extra) as DirectoryEntry;
  }

  async #file(index: number, before: Entry | undefined, pending: PendingFiles): Promise<Entry | Pending> {
    const listing = this.#listing;
    const [name, size] = [listing.names[index], listing.size(index)];
    if (before !== undefined && isFile(before) && before[At.size] === size && sameInode(listing, index, before)) {
      if (await this.#mayKeep(before[At.content])) {
        return this.#stat(index, "f", size, before[At.content], extraOf(before));
      }
    }
    if (size >= this.#tools.largeFrom) {
      pending.large.push({ ordinal: pending.files++, path: this.#path, name, size });
      return [name];
    }
    pending.files++;
    pending.bytes += size;
    return name;
  }

  #stat(index: number, type: Entry[1], ...rest: unknown[]): Entry {
    const l = this.#listing;
    if (rest[rest.length - 1] === undefined) rest.pop();
    return [
      l.names[index],
      type,
      l.permissions(index),
      l.uid(index),
      l.gid(index),
      l.mtime(index),
      l.mtimeNs(index),
      l.ctime(index),
      l.ctimeNs(index),
      l.inode(index),
      ...rest,
    ] as unknown as Entry;
  }

  /** Goes on to the parent's first entry not before a name, to its end without one; what it passes is removed. */
  async #passOver(name: string | undefined): Promise<void> {
    const parent = this.#parent;
    for (;;) {
      if (parent.isUsedUp) await parent.load();
      const { current } = parent;
      if (current === undefined || name !== undefined && current[At.name] >= name) return;
      parent.advance();
      if (isDirectory(current)) {
        this.#removedDirectories.push(current[At.name]);
        this.#find(current[At.name], -1, current[At.pages], true);
      } else {
        this.#removedFiles.push(current[At.name]);
        this.#tools.report.deleted++;
      }
      if (this.#removedFiles.length + this.#removedDirectories.length >= MOST_REMOVED) this.#writeRemoved();
    }
  }

  #writeRemoved(): void {
    if (this.#removedFiles.length + this.#removedDirectories.length === 0) return;
    this.#tools.records.add(["removed", this.#path, this.#removedFiles, this.#removedDirectories]);
    this.#removedFiles = [];
    this.#removedDirectories = [];
  }
}

import { BaselineEncoder, type BaselineEntry, isSameVersion, readRow, swapSides } from "./baseline.ts";
import type { BaselineStore } from "./baseline_store.ts";
import { isSameTime } from "./coarse.ts";
import { fingerprint, isSameHash, UNKNOWN_TIME } from "./fingerprint.ts";
import { inodeOf, readWritten, type WrittenContent, type WrittenEntry } from "./written.ts";
import { type Descriptor, hasCode, readLinkAt, type Stat, statIfPresent, type Tree } from "../posix/mod.ts";

/** Entries of the log that are held in memory together. */
const BATCH = 50_000;

export interface AbsorbOptions {
  /** The log. */
  log: string;
  target: Tree;
  store: BaselineStore;
  /** The row that a directory has, for `decodeBaseline`. */
  read(directory: string): Uint8Array | undefined;
  /** The baseline was made in the other direction. */
  swapped: boolean;
  /** Only what was done in these directories; all where undefined. */
  directories?: ReadonlySet<string>;
  checkpoint(): void;
}

/**
 * Sets rows aside in which a directory's entries are what a run put into the target, wherever that is still there: the state
 * in which the source was read, so the last one on which both sides agreed.
 */
export function absorbWritten({ log, target, store, swapped, read, directories, checkpoint }: AbsorbOptions): void {
  let batch = new Map<string, WrittenEntry[]>();
  let count = 0;
  const end = () => {
    const rows: [directory: string, entries: Uint8Array | null][] = [];
    const encoder = new BaselineEncoder();
    for (const [directory, written] of batch) {
      checkpoint();
      const entries = readRow(read(directory), swapped);
      const gone = take(target, directory, written, entries);
      for (const name of gone) rows.push([directory === "" ? name : `${directory}/${name}`, null]);
      encoder.reset();
      for (const [name, entry] of entries) encoder.add(name, swapped ? swapSides(entry) : entry);
      rows.push([directory, encoder.row]);
    }
    store.setAside(rows);
    batch = new Map();
    count = 0;
  };
  for (const [directory, written] of readWritten(log)) {
    if (directories !== undefined && !directories.has(directory)) continue;
    const known = batch.get(directory);
    if (known === undefined) batch.set(directory, written);
    else known.push(...written);
    count += written.length;
    if (count >= BATCH) end();
  }
  if (count > 0) end();
}

/** Changes a directory's entries to what was written and is there; returns the directories that are gone. */
function take(
  target: Tree,
  directory: string,
  written: WrittenEntry[],
  entries: Map<string, BaselineEntry>,
): Set<string> {
  const gone = new Set<string>();
  const descriptor = openIfThere(target, directory);
  if (descriptor === "closed") return gone;
  for (const record of written) {
    const name = record[1];
    const stat = descriptor === undefined ? undefined : statIfPresent(descriptor, name);
    if (stat === undefined) {
      if (record[0] !== "gone") continue;
      if (entries.get(name)?.type === "directory") gone.add(name);
      entries.delete(name);
      continue;
    }
    const entry = confirm(record, descriptor as Descriptor, stat);
    if (entry === undefined) continue;
    const before = entries.get(name);
    if (before?.type === "directory" && entry.type !== "directory") gone.add(name);
    // What was made out after the deed knows more of it.
    if (before !== undefined && isSameContent(before, entry)) continue;
    entries.set(name, entry);
  }
  return gone;
}

/** Undefined where it is not there any more: then nothing of what was in it is. */
function openIfThere(target: Tree, directory: string): Descriptor | "closed" | undefined {
  try {
    return target.directory(directory);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined;
    if (hasCode(error, "EACCES")) return "closed";
    throw error;
  }
}

/** The baseline's entry of what was written, where that is what the target has. */
function confirm(record: WrittenEntry, directory: Descriptor, stat: Stat): BaselineEntry | undefined {
  if (record[0] === "merged") return confirmMerged(record, stat);
  if (record[0] === "gone" || record[0] !== stat.type) return undefined;
  const entry: BaselineEntry = {
    type: record[0],
    size: 0,
    mtime: 0,
    mtimeNs: 0,
    targetMtime: 0,
    targetMtimeNs: 0,
    link: "",
  };
  if (record[0] === "symlink") {
    entry.link = record[2];
    return readLinkAt(directory, record[1]) === entry.link ? entry : undefined;
  }
  if (record[0] === "file") {
    [entry.size, entry.mtime, entry.mtimeNs] = [record[2], record[3], record[4]];
    [entry.targetMtime, entry.targetMtimeNs] = [stat.mtime, stat.mtimeNs];
    if (entry.size !== stat.size || !isSameTime(entry, stat)) return undefined;
    const content = record[5];
    if (content !== undefined) {
      if (inodeOf(stat) !== content.inode) return undefined;
      entry.fingerprint = writtenFingerprint(content);
    }
  }
  return entry;
}

/** When the target's inode got its name nobody has seen: the next run reads the file. */
function writtenFingerprint({ hash, ctime, ctimeNs }: WrittenContent) {
  const time = ctime === undefined || ctimeNs === undefined ? UNKNOWN_TIME : { ctime, ctimeNs };
  return fingerprint(hash === undefined ? undefined : Uint8Array.fromBase64(hash), time, UNKNOWN_TIME);
}

function isSameContent(a: BaselineEntry, b: BaselineEntry): boolean {
  return isSameVersion(a, b) && isSameHash(a.fingerprint?.hash, b.fingerprint?.hash);
}

/**
 * Of a merge the last common version is the source's: all of it is in the target's by then, which goes on to the source as an edit.
 */
function confirmMerged(record: WrittenEntry & ["merged", ...unknown[]], stat: Stat): BaselineEntry | undefined {
  const [, , size, mtime, mtimeNs, source] = record;
  const isThere = stat.type === "file" && stat.size === size && stat.mtime === mtime && stat.mtimeNs === mtimeNs;
  if (!isThere) return undefined;
  return { type: "file", ...source, targetMtime: source.mtime, targetMtimeNs: source.mtimeNs, link: "" };
}

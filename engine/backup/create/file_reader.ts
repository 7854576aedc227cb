import { addChunk, type ContentList, emptyList } from "../trees/content_list.ts";
import type { ContentWriter } from "./content_writer.ts";
import { RunCounter } from "./run_counter.ts";
import type { Extra, FileEntry } from "../trees/tree_entry.ts";
import { entryXattrs } from "./xattrs.ts";
import {
  close,
  type Descriptor,
  hasCode,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  openAt,
  PosixError,
  type Stat,
  statOf,
} from "../../posix/mod.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** A reason, in words for a person, why one file is not in the version. */
export class FileFailure extends Error {}

export const CHANGED = "changed while it was read, each time of several; kept as it was read last";

/** A file that does not hold still is read again so often. */
export const ATTEMPTS = 3;
/**
 * Change times come from a clock that ticks at most every 10 ms. A change in the same tick as the last one would not be seen by
 * the next run, so a file that has just changed is read a little later.
 */
const TICK_MS = 12;
const FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

/** A file that was read: its entry without content, and that. `changed` where it never held still meanwhile. */
export interface ReadFile {
  entry: FileEntry;
  content: ContentList;
  changed: boolean;
}

/** Opens a regular file to be read, without a trace in its access time where that is allowed. @throws FileFailure */
export function openFile(directory: Descriptor, name: string): Descriptor {
  try {
    try {
      return openAt(directory, name, FLAGS | O_NOATIME);
    } catch (error) {
      if (!hasCode(error, "EPERM")) throw error;
      return openAt(directory, name, FLAGS);
    }
  } catch (error) {
    if (hasCode(error, "ENOENT")) throw new FileFailure("disappeared during the run");
    if (hasCode(error, "ELOOP", "ENXIO", "ENOTDIR")) throw new FileFailure("is no longer a regular file");
    if (error instanceof PosixError) throw new FileFailure(`cannot be read: ${error.message}`);
    throw error;
  }
}

/** What an open file is, once its last change is old enough to be told from the next one. @throws FileFailure */
export async function settledStat(file: Descriptor): Promise<Stat> {
  let stat = statOf(file);
  if (stat.type !== "file") throw new FileFailure("is no longer a regular file");
  const age = Date.now() - (stat.ctime * 1000 + stat.ctimeNs / 1e6);
  if (age >= 0 && age < TICK_MS) {
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    stat = statOf(file);
  }
  return stat;
}

/** Whether nothing happened to a file between two looks. */
export function isSame(a: Stat, b: Stat): boolean {
  return a.size === b.size && a.mtime === b.mtime && a.mtimeNs === b.mtimeNs && a.ctime === b.ctime &&
    a.ctimeNs === b.ctimeNs && a.identity === b.identity;
}

/** A file's entry without its content. */
export function fileEntry(name: string, stat: Stat, xattrs: Extra["xattrs"]): FileEntry {
  const extra: Extra = {};
  if (stat.links > 1) extra.link = stat.identity;
  if (xattrs !== undefined) extra.xattrs = xattrs;
  const entry: FileEntry = [
    name,
    "f",
    stat.permissions,
    stat.uid,
    stat.gid,
    stat.mtime,
    stat.mtimeNs,
    stat.ctime,
    stat.ctimeNs,
    stat.identity.slice(stat.identity.lastIndexOf(":") + 1),
    stat.size,
    [],
  ];
  if (stat.links > 1 || xattrs !== undefined) entry.push(extra);
  return entry;
}

/**
 * Reads and stores a whole file. One that changes meanwhile is read again, up to three times. If it still changes, what was
 * read last is kept with the times from before, so the next run reads it once more.
 * @throws FileFailure, PosixError: the file is not in the version
 */
export async function readFile(
  directory: Descriptor,
  name: string,
  writer: ContentWriter,
  context: TaskContext,
): Promise<ReadFile> {
  for (let attempt = 1;; attempt++) {
    context.checkpoint();
    const file = openFile(directory, name);
    try {
      const read = await readOnce(file, name, writer, context);
      if (!read.changed || attempt === ATTEMPTS) return read;
    } finally {
      close(file);
    }
  }
}

async function readOnce(
  file: Descriptor,
  name: string,
  writer: ContentWriter,
  context: TaskContext,
): Promise<ReadFile> {
  const before = await settledStat(file);
  const xattrs = entryXattrs(file);
  const sparse = before.allocated < before.size;
  const content = emptyList();
  let size = 0;
  let changed: boolean;
  if (before.size < writer.wholeBelow && !sparse) {
    if (before.size > 0) size = writer.readWhole(file, before.size);
    changed = size < before.size || !isSame(before, statOf(file));
    if (size > 0) addChunk(content, await writer.addWhole(size), size);
    Atomics.add(context.counters, RunCounter.bytes, BigInt(size));
  } else {
    size = await writer.write(file, [0, before.size], sparse, content);
    changed = size < before.size || !isSame(before, statOf(file));
  }
  return { entry: fileEntry(name, { ...before, size }, xattrs), content, changed };
}

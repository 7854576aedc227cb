import { DamagedFile } from "../sqlite_damage.ts";
import { decodeName, encodeNameInto, type Listing } from "../posix/mod.ts";

/**
 * What both sides agreed on when a pair was last synchronised: for each directory one row with its entries. It tells who
 * changed a path since. Losing it loses no data: the next run is then a first run, with no conflicts to see.
 */
export interface BaselineEntry {
  type: "file" | "directory" | "symlink";
  size: number;
  /** The source's modification time. */
  mtime: number;
  mtimeNs: number;
  /** The target's; another one only where its file system keeps coarser times. */
  targetMtime: number;
  targetMtimeNs: number;
  /** A link's target. */
  link: string;
}

const FILE = 1;
const DIRECTORY = 2;
const SYMLINK = 3;
const COARSE = 4;

/** Entries of one directory as bytes, in any order. Layout in {@link BaselineEncoder.add}. */
export class BaselineEncoder {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  reset(): void {
    this.#length = 0;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  #text(text: string): void {
    const room = text.length * 3 + 2;
    this.#reserve(room);
    const at = this.#length;
    const written = encodeNameInto(text, this.#bytes.subarray(at + 2, at + room));
    this.#view.setUint16(at, written, true);
    this.#length = at + 2 + written;
  }

  /** Writes kind (1 byte), name (length, bytes), then by kind: size and times (8+8+4, coarse +8+4), or a link's target. */
  add(name: string, entry: BaselineEntry): void {
    const { type, size, mtime, mtimeNs, targetMtime, targetMtimeNs } = entry;
    if (type === "directory") return this.#begin(DIRECTORY, name);
    if (type === "symlink") {
      this.#begin(SYMLINK, name);
      return this.#text(entry.link);
    }
    const coarse = targetMtime !== mtime || targetMtimeNs !== mtimeNs;
    this.#begin(coarse ? FILE | COARSE : FILE, name);
    this.#file(size, mtime, mtimeNs);
    if (coarse) {
      this.#reserve(12);
      this.#time(targetMtime, targetMtimeNs);
    }
  }

  /** As {@link add} of the listing's {@link baselineEntry}, without making one. */
  addListed(listing: Listing, index: number): void {
    const type = listing.type(index);
    const name = listing.names[index];
    if (type === "directory") return this.#begin(DIRECTORY, name);
    if (type === "symlink") {
      this.#begin(SYMLINK, name);
      return this.#text(listing.links.get(index) as string);
    }
    this.#begin(FILE, name);
    this.#file(listing.size(index), listing.mtime(index), listing.mtimeNs(index));
  }

  #begin(kind: number, name: string): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = kind;
    this.#text(name);
  }

  #file(size: number, mtime: number, mtimeNs: number): void {
    this.#reserve(20);
    this.#view.setFloat64(this.#length, size, true);
    this.#length += 8;
    this.#time(mtime, mtimeNs);
  }

  #time(seconds: number, nanoseconds: number): void {
    this.#view.setFloat64(this.#length, seconds, true);
    this.#view.setUint32(this.#length + 8, nanoseconds, true);
    this.#length += 12;
  }

  /** A view of what was added, good until the next call. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** The entry that a listing's entry makes where both sides agree; undefined for what is not synchronised. */
export function baselineEntry(listing: Listing, index: number): BaselineEntry | undefined {
  const type = listing.type(index);
  if (type === "special") return undefined;
  const [mtime, mtimeNs] = [listing.mtime(index), listing.mtimeNs(index)];
  return {
    type,
    size: listing.size(index),
    mtime,
    mtimeNs,
    targetMtime: mtime,
    targetMtimeNs: mtimeNs,
    link: listing.links.get(index) ?? "",
  };
}

/** Reads what {@link BaselineEncoder} wrote. @throws DamagedFile */
export function decodeBaseline(bytes: Uint8Array): Map<string, BaselineEntry> {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof RangeError) throw new DamagedFile("A row is cut", { cause: error });
    throw error;
  }
}

function decode(bytes: Uint8Array): Map<string, BaselineEntry> {
  const entries = new Map<string, BaselineEntry>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const text = () => {
    const length = view.getUint16(at, true);
    at += 2 + length;
    if (at > bytes.length) throw new RangeError("A text ends after its row");
    return decodeName(bytes.subarray(at - length, at));
  };
  while (at < bytes.length) {
    const kind = bytes[at++];
    const name = text();
    const entry: BaselineEntry = {
      type: "directory",
      size: 0,
      mtime: 0,
      mtimeNs: 0,
      targetMtime: 0,
      targetMtimeNs: 0,
      link: "",
    };
    if ((kind & 3) === SYMLINK) {
      entry.type = "symlink";
      entry.link = text();
    } else if ((kind & 3) === FILE) {
      entry.type = "file";
      entry.size = view.getFloat64(at, true);
      entry.mtime = entry.targetMtime = view.getFloat64(at + 8, true);
      entry.mtimeNs = entry.targetMtimeNs = view.getUint32(at + 16, true);
      at += 20;
      if (kind & COARSE) {
        entry.targetMtime = view.getFloat64(at, true);
        entry.targetMtimeNs = view.getUint32(at + 8, true);
        at += 12;
      }
    } else if (kind !== DIRECTORY) throw new DamagedFile(`A row has an entry of the kind ${kind}`);
    entries.set(name, entry);
  }
  return entries;
}

/** Whether a target's entry is still what the last run left there. */
export function targetUnchanged(baseline: BaselineEntry | undefined, target: Listing, index: number): boolean {
  if (baseline === undefined || baseline.type !== target.type(index)) return false;
  if (baseline.type === "directory") return true;
  if (baseline.type === "symlink") return baseline.link === target.links.get(index);
  return baseline.size === target.size(index) && baseline.targetMtime === target.mtime(index) &&
    baseline.targetMtimeNs === target.mtimeNs(index);
}

/** The same agreement as a run in the other direction sees it: its source is this one's target. */
export function swapSides(entry: BaselineEntry): BaselineEntry {
  const { mtime, mtimeNs, targetMtime, targetMtimeNs } = entry;
  if (mtime === targetMtime && mtimeNs === targetMtimeNs) return entry;
  return { ...entry, mtime: targetMtime, mtimeNs: targetMtimeNs, targetMtime: mtime, targetMtimeNs: mtimeNs };
}

/** Reads a row of a baseline, with its sides swapped where a run in the other direction asks. */
export function readRow(row: Uint8Array | undefined, swapped: boolean): Map<string, BaselineEntry> {
  if (row === undefined) return new Map();
  const entries = decodeBaseline(row);
  if (swapped) { for (const [name, entry] of entries) entries.set(name, swapSides(entry)); }
  return entries;
}

/** Whether a source's file is still what the last run read. */
export function sourceUnchanged(baseline: BaselineEntry | undefined, source: Listing, index: number): boolean {
  return baseline !== undefined && baseline.type === "file" && source.type(index) === "file" &&
    baseline.size === source.size(index) && baseline.mtime === source.mtime(index) &&
    baseline.mtimeNs === source.mtimeNs(index);
}

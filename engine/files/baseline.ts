import { DamagedFile } from "../sqlite_damage.ts";
import { ByteWriter } from "./byte_writer.ts";
import { type Fingerprint, swapFingerprint } from "./fingerprint.ts";
import { decodeName, type Listing } from "../posix/mod.ts";

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
  /** Of a file: what is known of its content. */
  fingerprint?: Fingerprint;
}

const FILE = 1;
const DIRECTORY = 2;
const SYMLINK = 3;
const COARSE = 4;
/** Begins a row that has fingerprints; the length of its entries follows. Rows of before there were any begin with a kind. */
const WITH_FINGERPRINTS = 0x80;
const HEADER = 5;
/** What a fingerprint has. */
const TIMES = 1;
const HASH = 2;
const LENGTH = 25;
const HASH_LENGTH = 32;

/** Entries of one directory as bytes, in any order: a row of the baseline. Layout in {@link BaselineEncoder.add}. */
export class BaselineEncoder {
  readonly #entries = new ByteWriter();
  /** Of the files among the entries, in their order. */
  readonly #fingerprints = new ByteWriter();
  #hasFingerprints = false;

  reset(): void {
    this.#entries.reset();
    this.#fingerprints.reset();
    this.#hasFingerprints = false;
  }

  /**
   * Writes kind (1 byte), name (length, bytes), then by kind: size and times (8+8+4, coarse +8+4), or a link's target. What is known
   * of the files' contents follows all entries, so that these alone can be compared with a listing.
   */
  add(name: string, entry: BaselineEntry): void {
    const { type, size, mtime, mtimeNs, targetMtime, targetMtimeNs } = entry;
    if (type === "directory") return this.#begin(DIRECTORY, name);
    if (type === "symlink") {
      this.#begin(SYMLINK, name);
      return this.#entries.text(entry.link);
    }
    const coarse = targetMtime !== mtime || targetMtimeNs !== mtimeNs;
    this.#begin(coarse ? FILE | COARSE : FILE, name);
    this.#file(size, mtime, mtimeNs);
    if (coarse) this.#time(targetMtime, targetMtimeNs);
    this.#fingerprint(entry.fingerprint);
  }

  /** As {@link add} of the listing's {@link baselineEntry}, without making one, and without anything about contents. */
  addListed(listing: Listing, index: number): void {
    const type = listing.type(index);
    const name = listing.names[index];
    if (type === "directory") return this.#begin(DIRECTORY, name);
    if (type === "symlink") {
      this.#begin(SYMLINK, name);
      return this.#entries.text(listing.links.get(index) as string);
    }
    this.#begin(FILE, name);
    this.#file(listing.size(index), listing.mtime(index), listing.mtimeNs(index));
  }

  #begin(kind: number, name: string): void {
    this.#entries.byte(kind);
    this.#entries.text(name);
  }

  #file(size: number, mtime: number, mtimeNs: number): void {
    this.#entries.float64(size);
    this.#time(mtime, mtimeNs);
  }

  #time(seconds: number, nanoseconds: number): void {
    this.#entries.float64(seconds);
    this.#entries.uint32(nanoseconds);
  }

  /** Writes what is known (1 byte), then both change times (8+4 each) and the hash (32), where they are. */
  #fingerprint(known: Fingerprint | undefined): void {
    const bytes = this.#fingerprints;
    if (known === undefined) return bytes.byte(0);
    this.#hasFingerprints = true;
    bytes.byte(known.hash === undefined ? TIMES : TIMES | HASH);
    bytes.float64(known.ctime);
    bytes.uint32(known.ctimeNs);
    bytes.float64(known.targetCtime);
    bytes.uint32(known.targetCtimeNs);
    if (known.hash !== undefined) bytes.raw(known.hash);
  }

  /** What was added by {@link addListed}: a view, good until the next call. */
  get entries(): Uint8Array {
    return this.#entries.bytes;
  }

  /** What was added. Where nothing is known of contents, the entries are all of it. */
  get row(): Uint8Array {
    if (!this.#hasFingerprints) return this.#entries.bytes.slice();
    const [entries, fingerprints] = [this.#entries.bytes, this.#fingerprints.bytes];
    const row = new Uint8Array(HEADER + entries.length + fingerprints.length);
    row[0] = WITH_FINGERPRINTS;
    new DataView(row.buffer).setUint32(1, entries.length, true);
    row.set(entries, HEADER);
    row.set(fingerprints, HEADER + entries.length);
    return row;
  }
}

/** A row's parts, views of it. */
export interface RowParts {
  entries: Uint8Array;
  /** Undefined where nothing is known of contents: in rows of runs in one direction. */
  fingerprints: Uint8Array | undefined;
}

/** @throws DamagedFile */
export function splitRow(row: Uint8Array): RowParts {
  if (row[0] !== WITH_FINGERPRINTS) return { entries: row, fingerprints: undefined };
  if (row.length < HEADER) throw new DamagedFile("A row is cut");
  const end = HEADER + new DataView(row.buffer, row.byteOffset).getUint32(1, true);
  if (end > row.length) throw new DamagedFile("A row is cut");
  return { entries: row.subarray(HEADER, end), fingerprints: row.subarray(end) };
}

/** Reads the fingerprints of a row, one after the other; the hashes are views of it. */
export class FingerprintReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #next = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Steps over the next one and returns its place, for {@link at}. @throws DamagedFile */
  skip(): number {
    const place = this.#next;
    const known = this.#bytes[place];
    this.#next += (known & TIMES ? LENGTH : 1) + (known & HASH ? HASH_LENGTH : 0);
    if (known === undefined || this.#next > this.#bytes.length) throw new DamagedFile("A row is cut");
    return place;
  }

  isKnown(place: number): boolean {
    return (this.#bytes[place] & TIMES) !== 0;
  }

  at(place: number): Fingerprint | undefined {
    if (!this.isKnown(place)) return undefined;
    const view = this.#view;
    const end = place + LENGTH;
    return {
      hash: this.#bytes[place] & HASH ? this.#bytes.subarray(end, end + HASH_LENGTH) : undefined,
      ctime: view.getFloat64(place + 1, true),
      ctimeNs: view.getUint32(place + 9, true),
      targetCtime: view.getFloat64(place + 13, true),
      targetCtimeNs: view.getUint32(place + 21, true),
    };
  }

  /** Whether one of the sides has the change time of a listing's entry. @param side of whom the baseline is */
  isTime(place: number, side: "source" | "target", listing: Listing, index: number): boolean {
    const at = place + (side === "source" ? 1 : 13);
    return this.#view.getFloat64(at, true) === listing.ctime(index) &&
      this.#view.getUint32(at + 8, true) === listing.ctimeNs(index);
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

function decode(row: Uint8Array): Map<string, BaselineEntry> {
  const { entries: bytes, fingerprints } = splitRow(row);
  const contents = fingerprints === undefined ? undefined : new FingerprintReader(fingerprints);
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
      if (contents !== undefined) entry.fingerprint = contents.at(contents.skip());
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
  const { mtime, mtimeNs, targetMtime, targetMtimeNs, fingerprint } = entry;
  if (mtime === targetMtime && mtimeNs === targetMtimeNs && fingerprint === undefined) return entry;
  const swapped = { ...entry, mtime: targetMtime, mtimeNs: targetMtimeNs, targetMtime: mtime, targetMtimeNs: mtimeNs };
  if (fingerprint !== undefined) swapped.fingerprint = swapFingerprint(fingerprint);
  return swapped;
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

/** Whether two entries are of the same version of a file, as far as sizes and times tell. */
export function isSameVersion(a: BaselineEntry, b: BaselineEntry): boolean {
  return a.type === "file" && b.type === "file" && a.size === b.size && a.mtime === b.mtime &&
    a.mtimeNs === b.mtimeNs &&
    a.targetMtime === b.targetMtime && a.targetMtimeNs === b.targetMtimeNs;
}

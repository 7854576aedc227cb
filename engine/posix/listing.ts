import * as C from "./constants.ts";
import { type Descriptor, readLinkAt } from "./calls.ts";
import { lastError } from "./error.ts";
import { addressOf, errno, libc } from "./libc.ts";
import { decodeName } from "./name.ts";
import { type EntryType, Field, STAT_WORDS, typeOfMode } from "./stat.ts";

const ENTRIES_SIZE = 1 << 17;
const STATX_AT = ENTRIES_SIZE;
const memory = new ArrayBuffer(ENTRIES_SIZE + 256);
const base = addressOf(memory);
const bytes = new Uint8Array(memory);
const view = new DataView(memory);
const statx = new Uint32Array(memory, STATX_AT, 64);
/**
 * The name that is looked at: passing one buffer again and again makes no garbage. Foreign file systems list names of up to
 * 255 characters, 1,020 bytes.
 */
const current = new Uint8Array(4096);
const plain = new TextDecoder("latin1");
const ENOENT = 2;
const STAT_FLAGS = C.AT_SYMLINK_NOFOLLOW | C.AT_NO_AUTOMOUNT;

/**
 * Names and metadata of one directory's entries, in columns: 60 bytes an entry and its name. Filled by
 * {@link readDirectory}, used again for the next directory.
 */
export class Listing {
  names: string[] = [];
  /** Targets of the symbolic links, by index. */
  readonly links: Map<number, string> = new Map();
  /** Indices of the symbolic links. */
  readonly symlinks: number[] = [];
  #words = new Uint32Array(64 * STAT_WORDS);

  get length(): number {
    return this.names.length;
  }

  clear(): void {
    this.names = [];
    this.links.clear();
    this.symlinks.length = 0;
    if (this.#words.length > 65_536 * STAT_WORDS) this.#words = new Uint32Array(64 * STAT_WORDS);
  }

  /** Adds an entry whose metadata lies in the kernel's statx buffer. */
  add(name: string): void {
    const at = this.names.length * STAT_WORDS;
    if (at + STAT_WORDS > this.#words.length) {
      const grown = new Uint32Array(this.#words.length * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    const words = this.#words;
    this.names.push(name);
    words[at + Field.mode] = statx[7] & 0xffff;
    words[at + Field.uid] = statx[5];
    words[at + Field.gid] = statx[6];
    words[at + Field.nlink] = statx[4];
    words[at + Field.sizeLow] = statx[10];
    words[at + Field.sizeHigh] = statx[11];
    words[at + Field.mtimeLow] = statx[28];
    words[at + Field.mtimeHigh] = statx[29];
    words[at + Field.mtimeNs] = statx[30];
    words[at + Field.inodeLow] = statx[8];
    words[at + Field.inodeHigh] = statx[9];
    words[at + Field.device] = (statx[34] << 20) | statx[35];
    words[at + Field.ctimeLow] = statx[24];
    words[at + Field.ctimeHigh] = statx[25];
    words[at + Field.ctimeNs] = statx[26];
  }

  mode(index: number): number {
    return this.#words[index * STAT_WORDS + Field.mode];
  }

  type(index: number): EntryType {
    return typeOfMode(this.mode(index));
  }

  permissions(index: number): number {
    return this.mode(index) & 0o7777;
  }

  uid(index: number): number {
    return this.#words[index * STAT_WORDS + Field.uid];
  }

  gid(index: number): number {
    return this.#words[index * STAT_WORDS + Field.gid];
  }

  hardLinks(index: number): number {
    return this.#words[index * STAT_WORDS + Field.nlink];
  }

  size(index: number): number {
    const at = index * STAT_WORDS;
    return this.#words[at + Field.sizeHigh] * 4294967296 + this.#words[at + Field.sizeLow];
  }

  /** Seconds; the upper word is signed, for times before 1970. */
  mtime(index: number): number {
    const at = index * STAT_WORDS;
    return (this.#words[at + Field.mtimeHigh] | 0) * 4294967296 + this.#words[at + Field.mtimeLow];
  }

  mtimeNs(index: number): number {
    return this.#words[index * STAT_WORDS + Field.mtimeNs];
  }

  /** When the inode last changed in any way, seconds. */
  ctime(index: number): number {
    const at = index * STAT_WORDS;
    return (this.#words[at + Field.ctimeHigh] | 0) * 4294967296 + this.#words[at + Field.ctimeLow];
  }

  ctimeNs(index: number): number {
    return this.#words[index * STAT_WORDS + Field.ctimeNs];
  }

  /** The inode's number, decimal, as it may exceed 2^53. */
  inode(index: number): string {
    const at = index * STAT_WORDS;
    const high = this.#words[at + Field.inodeHigh];
    const low = this.#words[at + Field.inodeLow];
    return high === 0 ? String(low) : String(BigInt(high) << 32n | BigInt(low));
  }

  /** What makes the entry's inode itself: equal for hard links of one file. */
  identity(index: number): string {
    const at = index * STAT_WORDS;
    const words = this.#words;
    return `${words[at + Field.device]}:${words[at + Field.inodeHigh]}:${words[at + Field.inodeLow]}`;
  }

  /** Whether size and modification time are those of another entry. */
  sameData(index: number, other: Listing, otherIndex: number): boolean {
    const a = index * STAT_WORDS;
    const b = otherIndex * STAT_WORDS;
    const [mine, theirs] = [this.#words, other.#words];
    for (let field: number = Field.sizeLow; field <= Field.mtimeNs; field++) {
      if (mine[a + field] !== theirs[b + field]) return false;
    }
    return true;
  }
}

/**
 * Reads a directory with the metadata of every entry. An entry that vanishes meanwhile is left out.
 * @throws PosixError for anything that leaves the listing incomplete.
 */
export function readDirectory(directory: Descriptor, into: Listing): Listing {
  into.clear();
  for (let filled = readEntries(directory); filled > 0; filled = readEntries(directory)) {
    // One decoding for all names: slices of its text are names, as long as they are ASCII.
    const text = plain.decode(bytes.subarray(0, filled));
    for (let at = 0; at < filled; at += view.getUint16(at + 16, true)) takeEntry(directory, at + 19, text, into);
  }
  for (const index of into.symlinks) into.links.set(index, readLinkAt(directory, into.names[index]));
  return into;
}

// The steps are functions of their own and small: V8 optimises those for good, but leaves and enters a loop's optimised code
// again and again where loops are nested, and only fully optimised code calls the C library without a detour.

function readEntries(directory: Descriptor): number {
  const filled = libc.getdents64(directory, base, ENTRIES_SIZE);
  if (filled < 0) throw lastError("readdir");
  return filled;
}

function takeEntry(directory: Descriptor, start: number, text: string, into: Listing): void {
  const length = takeName(start);
  if (length === 0) return;
  if (statCurrent(directory) < 0) {
    if (errno() === ENOENT) return;
    throw lastError("stat");
  }
  if ((statx[7] & C.S_IFMT) === C.S_IFLNK) into.symlinks.push(into.length);
  into.add(ascii ? text.substring(start, start + length) : decodeName(bytes.subarray(start, start + length)));
}

/** Whether the current name is ASCII. */
let ascii = true;

/** Makes the name at an offset the current one and returns its length; 0 for the directory itself and its parent. */
function takeName(start: number): number {
  let length = 0;
  let seen = 0;
  for (let byte = bytes[start]; byte !== 0; byte = bytes[start + length]) {
    current[length++] = byte;
    seen |= byte;
  }
  current[length] = 0;
  ascii = seen < 0x80;
  return current[0] === 0x2e && (length === 1 || length === 2 && current[1] === 0x2e) ? 0 : length;
}

function statCurrent(directory: Descriptor): number {
  return libc.statxOf(directory, current, STAT_FLAGS, C.STATX_BASIC_STATS, statx);
}

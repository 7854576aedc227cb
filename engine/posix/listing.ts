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
const ENOENT = 2;

/**
 * Names and metadata of one directory's entries, in columns: 60 bytes an entry and its name. Filled by
 * {@link readDirectory}, used again for the next directory.
 */
export class Listing {
  names: string[] = [];
  /** Targets of the symbolic links, by index. */
  readonly links: Map<number, string> = new Map();
  #words = new Uint32Array(64 * STAT_WORDS);

  get length(): number {
    return this.names.length;
  }

  clear(): void {
    this.names = [];
    this.links.clear();
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
  const symlinks: number[] = [];
  for (;;) {
    const filled = Number(libc.getdents64(directory, base, ENTRIES_SIZE));
    if (filled < 0) throw lastError("readdir");
    if (filled === 0) break;
    for (let at = 0; at < filled;) {
      const next = at + view.getUint16(at + 16, true);
      const start = at + 19;
      at = next;
      let end = start;
      while (bytes[end] !== 0) end++;
      const length = end - start;
      if (bytes[start] === 0x2e && (length === 1 || length === 2 && bytes[start + 1] === 0x2e)) continue;
      const flags = C.AT_SYMLINK_NOFOLLOW | C.AT_NO_AUTOMOUNT;
      if (libc.statx(directory, base + start, flags, C.STATX_BASIC_STATS, base + STATX_AT) < 0) {
        if (errno() === ENOENT) continue;
        throw lastError("stat");
      }
      if ((statx[7] & C.S_IFMT) === C.S_IFLNK) symlinks.push(into.length);
      into.add(shortName(start, end));
    }
  }
  for (const index of symlinks) into.links.set(index, readLinkAt(directory, into.names[index]));
  return into;
}

/** Most names are short and ASCII; building those here is twice as fast as a `TextDecoder` call. */
function shortName(start: number, end: number): string {
  if (end - start > 24) return decodeName(bytes.subarray(start, end));
  let name = "";
  for (let at = start; at < end; at++) {
    if (bytes[at] >= 0x80) return decodeName(bytes.subarray(start, end));
    name += String.fromCharCode(bytes[at]);
  }
  return name;
}

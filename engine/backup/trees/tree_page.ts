/** Pages of directories and lists of contents as bytes (FORMAT section 7). */
import { damaged } from "../repository/damaged.ts";
import { At, type Content, type ContentItem, type Entry } from "./tree_entry.ts";

const MOST_ENTRIES = 8192;
const PAGE_MASK = (1 << 11) - 1;
const MOST_ITEMS = 4096;
/** Contents of more items are cut into lists. */
export const LONG_CONTENT = 512;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether a page ends after the entry with this name, the page's entry number `count` (from 1). */
export function endsPage(name: string, count: number): boolean {
  return count >= MOST_ENTRIES || (fnv1a(name) & PAGE_MASK) === 0;
}

/** FNV-1a, 32 bits, over UTF-16 code units (Fowler, Noll and Vo). */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The order of entries in a page: by UTF-16 code units. */
export function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Entries must be sorted by {@link byName}. */
export function encodePage(entries: Entry[]): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(entries));
}

/** @throws EngineError `damaged` for anything that FORMAT does not allow: what is read here becomes paths. */
export function parsePage(bytes: Uint8Array, id: string): Entry[] {
  const page = parse(bytes, id);
  let last: string | undefined;
  for (const entry of page) {
    if (!isEntry(entry)) throw damaged(`tree page ${id}`, "it has an entry that is none");
    const name = entry[At.name];
    if (last !== undefined && name <= last) throw damaged(`tree page ${id}`, "it is not in order");
    last = name;
  }
  return page as Entry[];
}

function parse(bytes: Uint8Array, id: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw damaged(`tree chunk ${id}`, "it is not JSON", { cause: error });
  }
  if (!Array.isArray(value)) throw damaged(`tree chunk ${id}`, "it is not an array");
  return value;
}

/** Whether a name can be one of a directory's entries; anything else could lead elsewhere. */
export function isName(name: unknown): name is string {
  return typeof name === "string" && name !== "" && name !== "." && name !== ".." && !name.includes("/") &&
    !name.includes("\0");
}

const NUMBERS = [At.mode, At.uid, At.gid, At.mtime, At.mtimeNs, At.ctime, At.ctimeNs];

/** @param root whether the entry may have no name. */
export function isEntry(value: unknown, root = false): value is Entry {
  if (!Array.isArray(value) || !(isName(value[At.name]) || root && value[At.name] === "")) return false;
  for (const at of NUMBERS) {
    if (!Number.isSafeInteger(value[at])) return false;
  }
  if (typeof value[At.inode] !== "string") return false;
  switch (value[At.type]) {
    case "f":
      return isCount(value[At.size]) && isContent(value[At.content]);
    case "d":
      return Array.isArray(value[At.pages]) && value[At.pages].every(isId);
    case "l":
      return typeof value[At.target] === "string";
    default:
      return false;
  }
}

function isContent(value: unknown): value is Content {
  return Array.isArray(value) &&
    value.every((item) => isId(item) || isCount(item) || Array.isArray(item) && isId(item[0]) && isCount(item[1]));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

const ID = /^[0-9a-f]{64}$/;

function isId(value: unknown): value is string {
  return typeof value === "string" && ID.test(value);
}

/** @throws EngineError `damaged` */
export function parseList(bytes: Uint8Array, id: string): (string | number)[] {
  const items = parse(bytes, id);
  if (!isContent(items) || items.some(Array.isArray)) throw damaged(`list ${id}`, "it has an item that is none");
  return items as (string | number)[];
}

/** A run of a long content that becomes a list, and the bytes that it stands for. */
export interface ListPart {
  items: (string | number)[];
  bytes: number;
}

/** Cuts a long content where FORMAT says; undefined for one that stays as it is. @param lengths bytes of each item. */
export function splitContent(items: (string | number)[], lengths: ArrayLike<number>): ListPart[] | undefined {
  if (items.length <= LONG_CONTENT) return undefined;
  const parts: ListPart[] = [];
  let part: ListPart = { items: [], bytes: 0 };
  for (let i = 0; i < items.length; i++) {
    part.items.push(items[i]);
    part.bytes += lengths[i];
    if (part.items.length < MOST_ITEMS && !endsList(items[i])) continue;
    parts.push(part);
    part = { items: [], bytes: 0 };
  }
  if (part.items.length > 0) parts.push(part);
  return parts;
}

function endsList(item: ContentItem): boolean {
  return typeof item === "string" && item.startsWith("00") && item[2] < "4";
}

export function encodeList(items: (string | number)[]): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(items));
}

/** Headers of tar archives: POSIX.1-2001 (pax), as GNU tar, bsdtar and Python read it. */
import { At, type Entry, extraOf, isDirectory, isFile, isSymlink } from "../trees/tree_entry.ts";
import { encodeNameInto } from "../../posix/mod.ts";

export const TAR_BLOCK = 512;

/** Two blocks of zeros end an archive; tools like it to be a multiple of this long. */
export const TAR_RECORD = 10_240;

const NAME = 100;
const PREFIX_AT = 345;
/** What twelve octal digits with their NUL hold. */
const MOST_OCTAL_12 = 8 ** 11 - 1;
const MOST_OCTAL_8 = 8 ** 7 - 1;
const encoder = new TextEncoder();

/** A path's or target's bytes as they were on the disk. */
function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length * 3);
  return bytes.subarray(0, encodeNameInto(text, bytes));
}

/**
 * The header blocks of an entry.
 * @param path below the archive's root
 * @param linked the path of an earlier member that is the same file; then there is no data
 */
export function tarHeader(path: string, entry: Entry, linked?: string): Uint8Array<ArrayBuffer> {
  const pax: [key: string, value: Uint8Array][] = [];
  const add = (key: string, value: string | Uint8Array) => {
    pax.push([key, typeof value === "string" ? encoder.encode(value) : value]);
  };
  const name = toBytes(isDirectory(entry) ? `${path}/` : path);
  const target = linked ?? (isSymlink(entry) ? entry[At.target] : "");
  const link = toBytes(target);
  const size = linked === undefined && isFile(entry) ? entry[At.size] : 0;
  const [seconds, nanoseconds] = [entry[At.mtime], entry[At.mtimeNs]];
  if (needsRecord(name, path)) add("path", name);
  if (needsRecord(link, target)) add("linkpath", link);
  if (size > MOST_OCTAL_12) add("size", String(size));
  if (entry[At.uid] > MOST_OCTAL_8) add("uid", String(entry[At.uid]));
  if (entry[At.gid] > MOST_OCTAL_8) add("gid", String(entry[At.gid]));
  if (nanoseconds !== 0 || seconds < 0 || seconds > MOST_OCTAL_12) add("mtime", timeText(seconds, nanoseconds));
  for (const [key, value] of extraOf(entry)?.xattrs ?? []) add(`SCHILY.xattr.${key}`, Uint8Array.fromBase64(value));
  const type = linked !== undefined ? "1" : isFile(entry) ? "0" : isSymlink(entry) ? "2" : "5";
  const header = block(name, type, entry, size, link);
  if (pax.length === 0) return header;
  const records = concat(pax.map(([key, value]) => record(key, value)));
  const extended = block(encoder.encode("././@PaxHeader"), "x", undefined, records.length, new Uint8Array(0));
  const padded = new Uint8Array(Math.ceil(records.length / TAR_BLOCK) * TAR_BLOCK);
  padded.set(records);
  return concat([extended, padded, header]);
}

/** One record: its length in decimal, which counts itself, then key and value. */
function record(key: string, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const rest = encoder.encode(` ${key}=`).length + value.length + 1;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return concat([encoder.encode(`${length} ${key}=`), value, encoder.encode("\n")]);
}

/** Decimal seconds; before 1970 too, where the nanoseconds count forwards. */
function timeText(seconds: number, nanoseconds: number): string {
  if (seconds >= 0 || nanoseconds === 0) return `${seconds}${fraction(nanoseconds)}`;
  return `-${-(seconds + 1)}${fraction(1_000_000_000 - nanoseconds)}`;
}

function fraction(nanoseconds: number): string {
  return nanoseconds === 0 ? "" : `.${String(nanoseconds).padStart(9, "0")}`;
}

function block(
  name: Uint8Array,
  type: string,
  entry: Entry | undefined,
  size: number,
  link: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(TAR_BLOCK);
  const put = (at: number, text: string) => header.set(encoder.encode(text), at);
  const octal = (at: number, digits: number, value: number) => {
    const fits = value >= 0 && value < 8 ** digits;
    put(at, (fits ? value : 0).toString(8).padStart(digits, "0"));
  };
  header.set(name.subarray(0, NAME), 0);
  octal(100, 7, entry?.[At.mode] ?? 0o644);
  octal(108, 7, entry?.[At.uid] ?? 0);
  octal(116, 7, entry?.[At.gid] ?? 0);
  octal(124, 11, size);
  octal(136, 11, entry?.[At.mtime] ?? 0);
  put(148, "        ");
  put(156, type);
  header.set(link.subarray(0, NAME), 157);
  put(257, "ustar\u000000");
  header[PREFIX_AT] = 0;
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return header;
}

/** Records are UTF-8, so bytes that are not go into the header as they are, where they fit: every reader takes them from there. */
function needsRecord(bytes: Uint8Array, text: string): boolean {
  return bytes.length > NAME || text.isWellFormed() && bytes.some((byte) => byte >= 0x80);
}

function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

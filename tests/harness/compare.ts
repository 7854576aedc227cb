/** An independent comparison of two trees: GNU find and sha256sum look at them, none of the project's code. */
import { command } from "./command.ts";
import { fromBytes, toBytes } from "./raw_fs.ts";

export interface CompareOptions {
  /** Default true: permissions must agree. */
  modes?: boolean;
  /** Default true: modification times must agree to the nanosecond, those of directories and links included. */
  times?: boolean;
  /** Leaves out what it says yes to; paths are binary strings relative to the tree. */
  ignore?: (path: string) => boolean;
}

export interface Entry {
  /** As `find -printf %y`: f, d, l, p, s, … */
  type: string;
  mode: string;
  /** Seconds with nanoseconds. */
  mtime: string;
  size: string;
  /** A link's target. */
  link: string;
  inode: string;
  /** In hexadecimal; empty but for regular files. */
  sha256: string;
}

/** Paths over this many bytes are hashed from within their directory, for the kernel takes no longer ones. */
const LONG_PATH = 2_000;

/** Everything below a directory, by its path as a binary string. */
export async function snapshot(directory: string): Promise<Map<string, Entry>> {
  const format = "%P\\0%y\\0%m\\0%T@\\0%s\\0%l\\0%i\\0";
  const listed = fromBytes(await command("find", [".", "-mindepth", "1", "-printf", format], { cwd: directory }));
  const fields = listed.split("\0");
  const entries = new Map<string, Entry>();
  for (let at = 0; at + 7 <= fields.length - 1; at += 7) {
    const [path, type, mode, mtime, size, link, inode] = fields.slice(at, at + 7);
    entries.set(path, { type, mode, mtime, size: type === "f" ? size : "", link, inode, sha256: "" });
  }
  await hashAll(directory, entries);
  return entries;
}

async function hashAll(directory: string, entries: Map<string, Entry>): Promise<void> {
  const files = [...entries].filter(([, entry]) => entry.type === "f");
  const short = files.filter(([path]) => path.length <= LONG_PATH).map(([path]) => path);
  const stdin = toBytes(short.map((path) => `${path}\0`).join(""));
  const sums = fromBytes(await command("xargs", ["-0", "-r", "sha256sum", "-z", "--"], { cwd: directory, stdin }));
  for (const line of sums.split("\0")) {
    const entry = entries.get(line.slice(66));
    if (entry !== undefined) entry.sha256 = line.slice(0, 64);
  }
  for (const [path, entry] of files) {
    if (path.length <= LONG_PATH) continue;
    const args = [".", "-inum", entry.inode, "-execdir", "sha256sum", "-z", "--", "{}", ";"];
    entry.sha256 = fromBytes(await command("find", args, { cwd: directory })).slice(0, 64);
  }
  const missing = files.find(([, entry]) => entry.sha256.length !== 64);
  if (missing !== undefined) throw new Error(`Cannot hash ${JSON.stringify(missing[0])}`);
}

/** The differences of two trees, one line each, at most 20; empty where they are equal. The roots' own metadata is left out. */
export async function differences(source: string, target: string, options: CompareOptions = {}): Promise<string[]> {
  const [left, right] = await Promise.all([snapshot(source), snapshot(target)]);
  return compareSnapshots(left, right, options);
}

/** As {@link differences}, for trees that were looked at before. */
export function compareSnapshots(
  left: Map<string, Entry>,
  right: Map<string, Entry>,
  options: CompareOptions = {},
): string[] {
  const { ignore = () => false } = options;
  const [leftLinks, rightLinks] = [hardLinks(left, ignore), hardLinks(right, ignore)];
  const found: string[] = [];
  for (const path of new Set([...left.keys(), ...right.keys()])) {
    if (found.length >= 20) break;
    if (ignore(path)) continue;
    const [a, b] = [left.get(path), right.get(path)];
    const name = JSON.stringify(path);
    if (a === undefined || b === undefined) {
      found.push(`${name} is only in the ${a === undefined ? "target" : "source"}`);
      continue;
    }
    const unequal = [
      ["type", a.type, b.type],
      ["content", a.sha256, b.sha256],
      ["size", a.size, b.size],
      ["link", a.link, b.link],
      ["hard links", leftLinks.get(path), rightLinks.get(path)],
      ...(options.modes === false || a.type === "l" ? [] : [["mode", a.mode, b.mode]]),
      ...(options.times === false ? [] : [["mtime", a.mtime, b.mtime]]),
    ].filter(([, x, y]) => x !== y);
    for (const [what, x, y] of unequal) found.push(`${name} ${what}: ${x} in the source, ${y} in the target`);
  }
  return found;
}

/** Throws with the differences where the trees are not equal. */
export async function assertSameTree(source: string, target: string, options: CompareOptions = {}): Promise<void> {
  const found = await differences(source, target, options);
  if (found.length > 0) throw new Error(`The trees differ:\n${found.join("\n")}`);
}

/** Path → the first path of the group of hard links that it belongs to. */
function hardLinks(entries: Map<string, Entry>, ignore: (path: string) => boolean): Map<string, string> {
  const first = new Map<string, string>();
  const groups = new Map<string, string>();
  const files = [...entries].filter(([path, entry]) => entry.type === "f" && !ignore(path));
  for (const [path, entry] of files.sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!first.has(entry.inode)) first.set(entry.inode, path);
    groups.set(path, first.get(entry.inode) ?? path);
  }
  return groups;
}

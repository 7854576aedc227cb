/** A tree that grows and changes at random but repeatably: the same seed makes the same tree. */
import { command } from "./command.ts";
import type { Random } from "./random.ts";
import { randomName } from "./random_names.ts";
import { fromBytes, rawFs, utf8 } from "./raw_fs.ts";

type EntryType = "file" | "directory" | "symlink";

export interface RandomTreeOptions {
  /** Default false: names that are no UTF-8 too. */
  invalidUtf8?: boolean;
  /** Default true. */
  hardLinks?: boolean;
  /** Default 300,000 bytes; most files are far smaller. */
  largestFile?: number;
}

/** Nobody but root can change what has one of these. */
const ROOT_ONLY = Deno.uid() === 0 ? [0o000, 0o444, 0o555] : [];
const FILE_MODES = [0o644, 0o644, 0o600, 0o755, 0o777, 0o4755, ...ROOT_ONLY];
const DIRECTORY_MODES = [0o755, 0o755, 0o700, 0o750, 0o1777, 0o2755, ...ROOT_ONLY];
/** Leaves room for the root and for names below it: the kernel takes no path of over 4,095 bytes. */
const LONGEST_PATH = 3_000;

export class RandomTree {
  readonly root: string;
  readonly #random: Random;
  readonly #options: Required<RandomTreeOptions>;
  readonly #entries = new Map<string, EntryType>();
  #serial = 0;

  /** Works in `root`, an existing directory. Call {@link adopt} first where it is not empty. */
  constructor(root: string, random: Random, options: RandomTreeOptions = {}) {
    this.root = root;
    this.#random = random;
    this.#options = { invalidUtf8: false, hardLinks: true, largestFile: 300_000, ...options };
  }

  /** Paths of the tree's entries of a type, as binary strings. */
  paths(type: EntryType): string[] {
    return [...this.#entries].filter(([, is]) => is === type).map(([path]) => path);
  }

  /** Learns what is in the directory already. */
  async adopt(): Promise<void> {
    const listed = await command("find", [".", "-mindepth", "1", "-printf", "%y\\0%P\\0"], { cwd: this.root });
    const fields = fromBytes(listed).split("\0");
    const types: Record<string, EntryType> = { f: "file", d: "directory", l: "symlink" };
    this.#entries.clear();
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const type = types[fields[at]];
      if (type !== undefined) this.#entries.set(fields[at + 1], type);
    }
    this.#serial += 1_000_000;
  }

  /** Adds about `count` entries. */
  grow(count: number): void {
    for (let made = 0; made < count; made++) this.#add();
  }

  /** Changes the tree `count` times, each time in one of the ways in which people and programs change trees. */
  mutate(count: number): void {
    const changes = [
      this.#add,
      this.#add,
      this.#rewrite,
      this.#append,
      this.#truncate,
      this.#replaceWhole,
      this.#changeMode,
      this.#touch,
      this.#remove,
      this.#rename,
      this.#changeType,
      this.#swap,
    ];
    for (let made = 0; made < count; made++) this.#random.pick(changes).call(this);
  }

  #at(path: string): string {
    return `${utf8(this.root)}/${path}`;
  }

  #freePath(): string {
    const directories = this.paths("directory").filter((path) => path.length < LONGEST_PATH - 255);
    const parent = directories.length === 0 || this.#random.oneIn(6) ? "" : this.#random.pick(directories);
    while (true) {
      const name = randomName(this.#random, this.#serial++, this.#options.invalidUtf8);
      const path = parent === "" ? name : `${parent}/${name}`;
      if (!this.#entries.has(path)) return path;
    }
  }

  #existing(...types: EntryType[]): string | undefined {
    const paths = [...this.#entries].filter(([, type]) => types.includes(type)).map(([path]) => path);
    return paths.length === 0 ? undefined : this.#random.pick(paths);
  }

  #content(): Uint8Array<ArrayBuffer> {
    const largest = this.#options.largestFile;
    const size = this.#random.pick([
      0,
      1,
      13,
      4_095,
      4_096,
      65_537,
      this.#random.below(3_000),
      this.#random.below(9_000),
    ]);
    return this.#random.bytes(this.#random.oneIn(40) ? this.#random.below(largest) : Math.min(size, largest));
  }

  #mtime(): bigint {
    const second = BigInt(this.#random.below(4_200_000_000) - 150_000_000);
    const fraction = this.#random.pick([0, 1, 999_999_999, 500_000_000, ...Array(6).fill(this.#random.below(1e9))]);
    return second * 1_000_000_000n + BigInt(fraction);
  }

  #stamp(path: string): void {
    rawFs.setMtime(this.#at(path), this.#mtime());
  }

  #add(path = this.#freePath()): void {
    const kind = this.#random.below(10);
    if (kind < 2) {
      this.#makeDirectory(path);
    } else if (kind === 2) {
      this.#makeLink(path);
    } else if (kind === 3 && this.#options.hardLinks && this.paths("file").length > 0) {
      rawFs.link(this.#at(this.#random.pick(this.paths("file"))), this.#at(path));
      this.#entries.set(path, "file");
    } else {
      this.#makeFile(path);
    }
  }

  #makeDirectory(path: string): void {
    rawFs.mkdir(this.#at(path));
    rawFs.chmod(this.#at(path), this.#random.pick(DIRECTORY_MODES));
    this.#entries.set(path, "directory");
    this.#stamp(path);
  }

  #makeFile(path: string): void {
    rawFs.write(this.#at(path), this.#content());
    rawFs.chmod(this.#at(path), this.#random.pick(FILE_MODES));
    this.#entries.set(path, "file");
    this.#stamp(path);
  }

  #makeLink(path: string): void {
    const other = this.#existing("file", "directory", "symlink") ?? "nothing";
    const targets = ["missing/file", ".", "..", "/nowhere/at/all", path.slice(path.lastIndexOf("/") + 1), other];
    rawFs.symlink(this.#random.pick(targets), this.#at(path));
    this.#entries.set(path, "symlink");
    this.#stamp(path);
  }

  #rewrite(): void {
    const path = this.#existing("file");
    if (path === undefined) return;
    rawFs.write(this.#at(path), this.#content());
    this.#stamp(path);
  }

  #append(): void {
    const path = this.#existing("file");
    if (path !== undefined) {
      rawFs.write(this.#at(path), this.#random.bytes(1 + this.#random.below(500)), { append: true });
    }
  }

  #truncate(): void {
    const path = this.#existing("file");
    if (path === undefined) return;
    rawFs.write(this.#at(path), new Uint8Array(0), { size: this.#random.below(100_000) });
    this.#stamp(path);
  }

  /** As editors save: a new file under another name, renamed over the old one. Breaks hard links. */
  #replaceWhole(): void {
    const path = this.#existing("file");
    if (path === undefined) return;
    const fresh = this.#freePath();
    this.#makeFile(fresh);
    rawFs.rename(this.#at(fresh), this.#at(path));
    this.#entries.delete(fresh);
  }

  #changeMode(): void {
    const path = this.#existing("file", "directory");
    if (path === undefined) return;
    const modes = this.#entries.get(path) === "file" ? FILE_MODES : DIRECTORY_MODES;
    rawFs.chmod(this.#at(path), this.#random.pick(modes));
  }

  #touch(): void {
    const path = this.#existing("file", "directory", "symlink");
    if (path !== undefined) this.#stamp(path);
  }

  #remove(path = this.#existing("file", "directory", "symlink")): void {
    if (path === undefined) return;
    for (const inside of this.#below(path)) this.#remove(inside);
    if (!this.#entries.has(path)) return;
    if (this.#entries.get(path) === "directory") rawFs.rmdir(this.#at(path));
    else rawFs.unlink(this.#at(path));
    this.#entries.delete(path);
  }

  #rename(): void {
    const from = this.#existing("file", "directory", "symlink");
    if (from === undefined) return;
    const to = this.#random.oneIn(4) ? swapCase(from) : this.#freePath();
    if (this.#entries.has(to) || to.startsWith(`${from}/`)) return;
    const moving = [from, ...this.#below(from)];
    if (moving.some((path) => path.length - from.length + to.length > LONGEST_PATH)) return;
    rawFs.rename(this.#at(from), this.#at(to));
    for (const path of moving) {
      this.#entries.set(to + path.slice(from.length), this.#entries.get(path) ?? "file");
      this.#entries.delete(path);
    }
  }

  /** A directory where a file was, a link where a directory was, and so on. */
  #changeType(): void {
    const path = this.#existing("file", "directory", "symlink");
    if (path === undefined) return;
    this.#remove(path);
    this.#add(path);
  }

  /** Two files trade their names: every name is still there, and both have changed. */
  #swap(): void {
    const [a, b] = [this.#existing("file"), this.#existing("file")];
    if (a === undefined || b === undefined || a === b) return;
    const between = this.#freePath();
    rawFs.rename(this.#at(a), this.#at(between));
    rawFs.rename(this.#at(b), this.#at(a));
    rawFs.rename(this.#at(between), this.#at(b));
  }

  #below(path: string): string[] {
    return [...this.#entries.keys()].filter((other) => other.startsWith(`${path}/`));
  }
}

function swapCase(path: string): string {
  const at = path.lastIndexOf("/") + 1;
  const name = path.slice(at);
  // ASCII only: a byte above it is a part of a character here.
  const lower = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return path.slice(0, at) + (name === lower ? name.replace(/[a-z]/g, (letter) => letter.toUpperCase()) : lower);
}

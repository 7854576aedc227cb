import * as fs from "node:fs";
import type { FileState } from "./types.ts";
import { AT_FDCWD, O_APPEND, O_CREAT, O_WRONLY } from "../posix/constants.ts";
import { appendTo, close, type Descriptor, openAt, type Stat } from "../posix/mod.ts";

/** In a run that goes both ways: what tells that a copy is in its place, and what it holds. */
export interface WrittenContent {
  /** The copy's inode, decimal: what was there before may have the same size and time. */
  inode: string;
  /** As in a {@link Fingerprint}, in base 64. */
  hash?: string;
  /** When the inode of the source last changed, where that is known. */
  ctime?: number;
  ctimeNs?: number;
}

/** What a run left at a name: what it put there, or nothing. */
export type WrittenEntry =
  | ["file", name: string, size: number, mtime: number, mtimeNs: number, content?: WrittenContent]
  /** What the target's version and the source's, which then stands last, were merged to. */
  | ["merged", name: string, size: number, mtime: number, mtimeNs: number, source: FileState]
  | ["symlink", name: string, link: string]
  | ["directory", name: string]
  | ["gone", name: string];

export type WrittenLine = [directory: string, entries: WrittenEntry[]];

/** The entry of a copied file. */
export function writtenFile(name: string, { size, mtime, mtimeNs }: Stat, content?: WrittenContent): WrittenEntry {
  return content === undefined ? ["file", name, size, mtime, mtimeNs] : ["file", name, size, mtime, mtimeNs, content];
}

/** The number of an entry's inode, which a restart of the machine leaves as it is, unlike its device's. */
export function inodeOf({ identity }: Stat): string {
  return identity.slice(identity.lastIndexOf(":") + 1);
}

/** Where the pair of a baseline keeps the log of its last run. */
export function writtenPath(baseline: string): string {
  return `${baseline}.written`;
}

const encoder = new TextEncoder();

/**
 * A log of what a run does to the target, lines of JSON, so that it is not taken for someone else's change where the baseline
 * does not say so: after a kill or a cancellation, or where the source changed again before the baseline was made out.
 *
 * What it says is an intent: it is written before the deed, and `absorbWritten` looks whether that happened. Several threads
 * append to one file.
 */
export class WrittenLog implements Disposable {
  readonly #file: Descriptor;
  readonly #atOnce: boolean;
  #lines: WrittenLine[] = [];

  /** @param atOnce whether a kill matters: without a baseline nothing is a conflict, so the rest of a batch may be lost. */
  constructor(path: string, atOnce: boolean) {
    this.#file = openAt(AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT, 0o600);
    this.#atOnce = atOnce;
  }

  /** Notes what will be done later, after {@link flush}. */
  add(directory: string, entry: WrittenEntry): void {
    const last = this.#lines[this.#lines.length - 1];
    if (last !== undefined && last[0] === directory) last[1].push(entry);
    else this.#lines.push([directory, [entry]]);
  }

  /** Notes what is done next. @throws PosixError */
  note(directory: string, entry: WrittenEntry): void {
    this.add(directory, entry);
    if (this.#atOnce) this.flush();
  }

  /** @throws PosixError */
  flush(): void {
    if (this.#lines.length === 0) return;
    const lines = this.#lines.map((line) => JSON.stringify(line) + "\n").join("");
    this.#lines = [];
    appendTo(this.#file, encoder.encode(lines));
  }

  [Symbol.dispose](): void {
    close(this.#file);
  }
}

const CHUNK = 1 << 20;

/** Reads a log; a line that a kill or a full disk cut is left out. Empty where there is no log. */
export function* readWritten(path: string): Generator<WrittenLine> {
  if (!fs.existsSync(path)) return;
  const file = fs.openSync(path, "r");
  try {
    const decoder = new TextDecoder();
    const bytes = new Uint8Array(CHUNK);
    let rest = "";
    for (let count = fs.readSync(file, bytes); count > 0; count = fs.readSync(file, bytes)) {
      const lines = (rest + decoder.decode(bytes.subarray(0, count), { stream: true })).split("\n");
      rest = lines.pop() as string;
      for (const line of lines) {
        const parsed = parse(line);
        if (parsed !== undefined) yield parsed;
      }
    }
  } finally {
    fs.closeSync(file);
  }
}

function parse(line: string): WrittenLine | undefined {
  try {
    return JSON.parse(line) as WrittenLine;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname } from "node:path/posix";
import { MOST_BYTES, readTextIfReadable } from "./read_text.ts";
import { type KeptFile, type KeptVersion, TextStore } from "./text_store.ts";
import { type BaselineEntry, decodeBaseline } from "../baseline.ts";
import { BaselineRows, type BaselineTable } from "../baseline_store.ts";
import { isSameHash } from "../fingerprint.ts";
import { isDamage, removeDatabase } from "../../sqlite_damage.ts";
import type { Run } from "../run.ts";
import { openRoot } from "../scan.ts";
import { forEachAtOnce } from "../../at_once.ts";
import { type Descriptor, hasCode, type Tree } from "../../posix/mod.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** Directories that are looked for at once, and that a task takes. */
const MOST_FOUND = 4096;
const MOST_TAKEN = 64;
/** Bytes of texts that a task holds before it stores them. */
const MOST_HELD = 8 << 20;

/** Where the texts of a pair are, whose baseline is in the file `baselines/<pair>.db` of the data directory. */
export interface TextPlace {
  /** File of the {@link TextStore}. */
  texts: string;
  pair: string;
}

/** @param baseline file of a pair's baseline */
export function textPlace(baseline: string): TextPlace {
  return { texts: `${dirname(dirname(baseline))}/texts.db`, pair: basename(baseline, ".db") };
}

/**
 * Keeps the texts of all versions that the pair's baseline says both sides have, so that the next run can merge what both change. Reads
 * only what it has not: files of directories whose baseline is another one since.
 *
 * It is called twice: before what the run has set aside becomes the baseline, and then the versions of before the run stay, too, so that
 * there is a text whichever of both a kill leaves; and after that.
 * @param rows `aside` before, `directory` after
 */
export async function keepTexts(run: Run, rows: BaselineTable): Promise<void> {
  const { tasks, baseline, workers, request, pass } = run;
  const { sourceDirectory, targetDirectory } = request;
  const [source, target] = pass === "back" ? [targetDirectory, sourceDirectory] : [sourceDirectory, targetDirectory];
  const place = { ...textPlace(baseline), rows };
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const found = await tasks.run("files.unkept", { ...place, baseline, after });
    const groups = Array.from(
      { length: Math.ceil(found.directories.length / MOST_TAKEN) },
      (_, i) => found.directories.slice(i * MOST_TAKEN, (i + 1) * MOST_TAKEN),
    );
    await forEachAtOnce(groups, workers, (directories) => {
      return tasks.run("files.keepTexts", { ...place, source, target, baseline, directories });
    });
    after = found.after;
  }
}

/** Texts that wait to be stored together. */
class Held {
  readonly #store: TextStore;
  readonly #pair: string;
  readonly #path: string;
  #files: KeptFile[] = [];
  #bytes = 0;

  constructor(store: TextStore, pair: string, path: string) {
    this.#store = store;
    this.#pair = pair;
    this.#path = path;
  }

  add(file: KeptFile): void {
    this.#files.push(file);
    this.#bytes += file.text?.length ?? 0;
    if (this.#bytes >= MOST_HELD) this.end();
  }

  end(): void {
    if (this.#files.length > 0) this.#store.add(this.#pair, this.#path, this.#files);
    [this.#files, this.#bytes] = [[], 0];
  }
}

export interface UnkeptInput extends TextPlace {
  baseline: string;
  rows: BaselineTable;
  /** The last directory that was found before; undefined at the beginning. */
  after: string | undefined;
}

/** Finds directories whose texts are not kept as the baseline is. `after` is undefined where these were the last. */
export function findUnkept(
  { texts, pair, baseline, rows: table, after }: UnkeptInput,
  context: TaskContext,
): { directories: string[]; after: string | undefined } {
  // One that was found damaged is gone, and the next run begins a new one.
  if (!fs.existsSync(baseline)) return { directories: [], after: undefined };
  using rows = new BaselineRows(baseline, table);
  return withTexts(texts, (store) => {
    if (table === "directory" && after === undefined) forgetGone(store, pair, rows, baseline);
    const directories: string[] = [];
    for (const [path, entries] of rows.after(after)) {
      context.checkpoint();
      const digest = store.digest(pair, path);
      if (digest !== undefined && digestOf(entries).equals(digest)) continue;
      directories.push(path);
      if (directories.length === MOST_FOUND) return { directories, after: path };
    }
    return { directories, after: undefined };
  });
}

/** Forgets directories that the baseline has not any more, and pairs that have none. */
function forgetGone(store: TextStore, pair: string, rows: BaselineRows, baseline: string): void {
  const gone = [...store.directories(pair)].filter((path) => rows.read(path) === undefined);
  if (gone.length > 0) store.forgetDirectories(pair, gone);
  store.collect((pair) => fs.existsSync(`${dirname(baseline)}/${pair}.db`));
}

export interface KeepInput extends TextPlace {
  /** As the baseline sees them. */
  source: string;
  target: string;
  baseline: string;
  rows: BaselineTable;
  directories: string[];
}

/**
 * Keeps what is missing of some directories' texts. A file that is not any more what the baseline says on either side, or cannot be read,
 * has none: its next conflict has no common version.
 */
export function keepDirectories(input: KeepInput, context: TaskContext): void {
  const { texts, pair, baseline, directories } = input;
  using rows = new BaselineRows(baseline, input.rows);
  using source = openRoot(input.source, "source");
  using target = openRoot(input.target, "target");
  withTexts(texts, (store) => {
    for (const path of directories) {
      context.checkpoint();
      const entries = rows.read(path);
      if (entries === undefined) continue;
      const gone = keepDirectory(store, pair, path, entries, [source, target], context);
      if (input.rows === "directory") store.settle(pair, path, gone, digestOf(entries));
    }
  });
}

/** Keeps what is missing of a directory's texts; returns the versions that the baseline does not speak of. */
function keepDirectory(
  store: TextStore,
  pair: string,
  path: string,
  entries: Uint8Array,
  trees: [source: Tree, target: Tree],
  context: TaskContext,
): [name: string, version: KeptVersion][] {
  const wanted = decodeBaseline(entries);
  const versions = store.versions(pair, path);
  const [from, to] = trees.map((tree) => openIfThere(tree, path));
  const held = new Held(store, pair, path);
  const kept = new Set<KeptVersion>();
  for (const [name, entry] of wanted) {
    if (entry.type !== "file") continue;
    const known = versions.get(name) ?? [];
    let version = known.find((version) => isOf(version, entry));
    if (version === undefined) {
      context.checkpoint();
      const file = readVersion(name, entry, from, to);
      version = file && known.find((version) => isKept(version, file));
      if (file !== undefined && version === undefined) held.add(file);
    }
    if (version !== undefined) kept.add(version);
  }
  held.end();
  return without(versions, (_, version) => kept.has(version));
}

/** The versions but those that stay. */
function without(
  versions: Map<string, KeptVersion[]>,
  stays: (name: string, version: KeptVersion) => boolean,
): [name: string, version: KeptVersion][] {
  return [...versions].flatMap(([name, all]) =>
    all.filter((version) => !stays(name, version)).map((version): [string, KeptVersion] => [name, version])
  );
}

/** Whether a version is that of a baseline's entry. */
function isOf(version: KeptVersion, entry: BaselineEntry): boolean {
  return isKept(version, { ...entry, hash: entry.fingerprint?.hash });
}

/** Whether a version is the wanted one: by its hash where both have one, for an edit may leave size and time as they were. */
function isKept(version: KeptVersion, { size, mtime, mtimeNs, hash }: KeptVersion): boolean {
  const isSame = version.size === size && version.mtime === mtime && version.mtimeNs === mtimeNs;
  return isSame && (hash === undefined || isSameHash(version.hash, hash));
}

/** Undefined where neither side has it any more. */
function readVersion(
  name: string,
  { size, mtime, mtimeNs, targetMtime, targetMtimeNs, fingerprint }: BaselineEntry,
  from: Descriptor | undefined,
  to: Descriptor | undefined,
): KeptFile | undefined {
  const version = { name, size, mtime, mtimeNs, hash: fingerprint?.hash };
  if (size > MOST_BYTES) return { ...version, text: undefined };
  const sides = [[from, { size, mtime, mtimeNs }], [to, { size, mtime: targetMtime, mtimeNs: targetMtimeNs }]] as const;
  for (const [directory, state] of sides) {
    if (directory === undefined) continue;
    const outcome = readTextIfReadable(directory, name, state);
    if ("text" in outcome) {
      const hash = digestOf(outcome.text);
      if (version.hash === undefined || isSameHash(hash, version.hash)) return { ...version, hash, text: outcome.text };
    } else if (outcome.reason === "binary") {
      return { ...version, text: undefined };
    }
  }
  return undefined;
}

/**
 * After a run that keeps no texts: forgets those of versions that both sides have in common no longer. Does nothing for a pair that has
 * none.
 */
export function dropTexts(
  { texts, pair, baseline }: TextPlace & { baseline: string },
  context: TaskContext,
): void {
  if (!fs.existsSync(texts) || !fs.existsSync(baseline)) return;
  using rows = new BaselineRows(baseline);
  withTexts(texts, (store) => {
    const gone: string[] = [];
    for (const path of [...store.directories(pair)]) {
      context.checkpoint();
      const entries = rows.read(path);
      if (entries === undefined) {
        gone.push(path);
        continue;
      }
      const digest = store.digest(pair, path);
      if (digest !== undefined && digestOf(entries).equals(digest)) continue;
      const wanted = decodeBaseline(entries);
      const dropped = without(store.versions(pair, path), (name, version) => {
        const entry = wanted.get(name);
        return entry?.type === "file" && isOf(version, entry);
      });
      if (dropped.length > 0) store.settle(pair, path, dropped, undefined);
    }
    if (gone.length > 0) store.forgetDirectories(pair, gone);
  });
}

function openIfThere(tree: Tree, path: string): Descriptor | undefined {
  try {
    return tree.directory(path);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES")) return undefined;
    throw error;
  }
}

function digestOf(entries: Uint8Array) {
  return createHash("sha256").update(entries).digest();
}

/** Opens the store for a piece of work; one that is damaged is begun anew. */
function withTexts<T>(path: string, work: (store: TextStore) => T): T {
  try {
    using store = new TextStore(path);
    return work(store);
  } catch (error) {
    if (!isDamage(error)) throw error;
    removeDatabase(path);
    using store = new TextStore(path);
    return work(store);
  }
}

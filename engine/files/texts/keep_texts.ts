import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname } from "node:path/posix";
import { MOST_BYTES, readTextIfReadable } from "./read_text.ts";
import { type KeptFile, type KeptVersion, TextStore } from "./text_store.ts";
import { type BaselineEntry, decodeBaseline } from "../baseline.ts";
import { BaselineRows } from "../baseline_store.ts";
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
 */
export async function keepTexts(run: Run): Promise<void> {
  const { tasks, baseline, workers, request, pass } = run;
  const { sourceDirectory, targetDirectory } = request;
  const [source, target] = pass === "back" ? [targetDirectory, sourceDirectory] : [sourceDirectory, targetDirectory];
  const place = textPlace(baseline);
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

export interface UnkeptInput extends TextPlace {
  baseline: string;
  /** The last directory that was found before; undefined at the beginning. */
  after: string | undefined;
}

/** Finds directories whose texts are not kept as the baseline is. `after` is undefined where these were the last. */
export function findUnkept(
  { texts, pair, baseline, after }: UnkeptInput,
  context: TaskContext,
): { directories: string[]; after: string | undefined } {
  // One that was found damaged is gone, and the next run begins a new one.
  if (!fs.existsSync(baseline)) return { directories: [], after: undefined };
  using rows = new BaselineRows(baseline);
  return withTexts(texts, (store) => {
    if (after === undefined) {
      const gone = [...store.directories(pair)].filter((path) => rows.read(path) === undefined);
      if (gone.length > 0) store.forgetDirectories(pair, gone);
      store.collect((pair) => fs.existsSync(`${dirname(baseline)}/${pair}.db`));
    }
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

export interface KeepInput extends TextPlace {
  /** As the baseline sees them. */
  source: string;
  target: string;
  baseline: string;
  directories: string[];
}

/**
 * Keeps what is missing of some directories' texts. A file that is not any more what the baseline says on either side, or cannot be read,
 * has none: its next conflict has no common version.
 */
export function keepDirectories(input: KeepInput, context: TaskContext): void {
  const { texts, pair, baseline, directories } = input;
  using rows = new BaselineRows(baseline);
  using source = openRoot(input.source, "source");
  using target = openRoot(input.target, "target");
  withTexts(texts, (store) => {
    for (const path of directories) {
      context.checkpoint();
      const entries = rows.read(path);
      if (entries !== undefined) keepDirectory(store, pair, path, entries, [source, target], context);
    }
  });
}

function keepDirectory(
  store: TextStore,
  pair: string,
  path: string,
  entries: Uint8Array,
  trees: [source: Tree, target: Tree],
  context: TaskContext,
): void {
  const wanted = decodeBaseline(entries);
  const versions = store.versions(pair, path);
  const gone = [...versions.keys()].filter((name) => wanted.get(name)?.type !== "file");
  const [from, to] = trees.map((tree) => openIfThere(tree, path));
  let held: KeptFile[] = [];
  let bytes = 0;
  for (const [name, entry] of wanted) {
    if (entry.type !== "file" || isKept(versions.get(name), entry)) continue;
    context.checkpoint();
    const file = readVersion(name, entry, from, to);
    if (file === undefined) gone.push(name);
    else held.push(file);
    bytes += file?.text?.length ?? 0;
    if (bytes < MOST_HELD) continue;
    store.put(pair, path, held, [], undefined);
    [held, bytes] = [[], 0];
  }
  store.put(pair, path, held, gone, digestOf(entries));
}

/** Whether a version's text is kept. Where an edit may have left size and time as they were, only the hash tells. */
function isKept(version: KeptVersion | undefined, { size, mtime, mtimeNs, fingerprint }: BaselineEntry): boolean {
  const isSame = version?.size === size && version.mtime === mtime && version.mtimeNs === mtimeNs;
  return isSame && (fingerprint === undefined || isSameHash(version.hash, fingerprint.hash));
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

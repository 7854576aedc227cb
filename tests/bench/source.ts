import { run } from "./command.ts";
import { Contents } from "./contents.ts";
import type { BenchOptions } from "./options.ts";
import { progress } from "./print.ts";
import { makeTree } from "./tree.ts";
import { TREE_VERSION } from "./tree_plan.ts";

export type TreeSource = Pick<BenchOptions, "directory" | "temp" | "seed" | "files">;

const MIB = 1024 * 1024;

/** The tree to measure on: the directory by name, or the generated one, made once for each seed and count and then reused. */
export async function originalTree(options: TreeSource, signal: AbortSignal): Promise<string> {
  if (options.directory !== undefined) {
    const { isDirectory } = await Deno.stat(options.directory);
    if (!isDirectory) throw new Error(`Cannot measure on ${options.directory}: it is no directory`);
    return options.directory;
  }
  const path = `${options.temp}/syncline-bench-tree-v${TREE_VERSION}-seed${options.seed}-files${options.files}`;
  try {
    await Deno.stat(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    progress(`making a tree of ${options.files} files`);
    await publish(path, (partial) => makeTree(partial, options, signal));
  }
  return path;
}

/** A tree appears under its name only when it is complete. */
async function publish(path: string, make: (partial: string) => Promise<void>): Promise<void> {
  const partial = await Deno.makeTempDir({ dir: path.slice(0, path.lastIndexOf("/")), prefix: "syncline-bench-new-" });
  try {
    await make(partial);
    await Deno.rename(partial, path);
  } catch (error) {
    await Deno.remove(partial, { recursive: true });
    throw error;
  }
}

/** Copies the tree to where it may be changed, leaves out what is no file, directory or link, and reads it once. */
export async function workingCopy(original: string, copy: string, signal: AbortSignal): Promise<void> {
  progress("copying and reading the tree");
  await run(["cp", "-a", `${original}/.`, copy], { signal });
  await run(["find", copy, "-type", "b,c,p,s", "-delete"], { signal });
  await readAll(copy, signal);
}

/** Reads every file below a directory, so that the page cache has it. */
export async function readAll(directory: string, signal: AbortSignal): Promise<void> {
  await run(["sh", "-c", 'find "$0" -type f -exec cat {} + >/dev/null', directory], { signal });
}

/** Writes a file of this size, a whole number of MiB; no two MiB of it are alike. */
export async function makeLargeFile(path: string, bytes: number, signal: AbortSignal): Promise<void> {
  progress(`making a file of ${bytes / MIB} MiB`);
  const contents = new Contents(1);
  const piece = new Uint8Array(MIB);
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let at = 0; at < bytes; at += MIB) {
    signal.throwIfAborted();
    contents.write(at / MIB, MIB, piece);
    for (let written = 0; written < MIB;) written += await file.write(piece.subarray(written));
  }
}

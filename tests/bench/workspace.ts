import { statfs } from "node:fs/promises";
import { run } from "./command.ts";
import { progress } from "./print.ts";

/** ext4 passes over inodes freed in the last 60 s, or 360 s while their block waits for write-back. */
const SETTLE_MS = 360_000;
const MANY_ENTRIES = 10_000;
const STAMP = "syncline-bench-last-removal";

export interface Need {
  bytes: number;
  entries: number;
}

/**
 * The directory of one bench run, removed at its end. Nothing is removed before: what is deleted between timed runs
 * makes ext4's next ones two to three times slower, since it then skips the freed inodes one by one.
 */
export class Workspace implements AsyncDisposable {
  readonly #temp: string;
  readonly #keep: boolean;
  readonly path: string;

  private constructor(temp: string, path: string, keep: boolean) {
    this.#temp = temp;
    this.path = path;
    this.#keep = keep;
  }

  /** `temp` must exist. Throws where the file system has less room than needed. */
  static async create(temp: string, need: Need, keep: boolean): Promise<Workspace> {
    await checkRoom(temp, need);
    for await (const { name } of Deno.readDir(temp)) {
      if (name.startsWith("syncline-bench-run-")) progress(`left by another or an unfinished bench: ${temp}/${name}`);
    }
    return new Workspace(temp, await Deno.makeTempDir({ dir: temp, prefix: "syncline-bench-run-" }), keep);
  }

  /** Makes a directory in it. */
  async directory(name: string): Promise<string> {
    const path = `${this.path}/${name}`;
    await Deno.mkdir(path, { recursive: true });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#keep) {
      progress(`kept: ${this.path}`);
      return;
    }
    progress("removing the copies");
    const before = (await statfs(this.#temp)).ffree;
    await run(["rm", "-rf", this.path]);
    const removed = (await statfs(this.#temp)).ffree - before;
    if (removed > MANY_ENTRIES) await Deno.writeTextFile(`${this.#temp}/${STAMP}`, `${removed} entries\n`);
  }
}

async function checkRoom(directory: string, need: Need): Promise<void> {
  const { bavail, bsize, ffree, files } = await statfs(directory);
  const free = bavail * bsize;
  if (free < need.bytes) {
    throw new Error(`Cannot start: ${gigabytes(need.bytes)} are needed in ${directory}, ${gigabytes(free)} are free`);
  }
  // Some file systems have no fixed number of inodes and report none at all.
  if (files > 0 && ffree < need.entries) {
    throw new Error(`Cannot start: ${need.entries} inodes are needed in ${directory}, ${ffree} are free`);
  }
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Milliseconds until what an earlier bench removed below `temp` no longer slows this one down; 0 where nothing does. */
export async function settleTime(temp: string, now = Date.now()): Promise<number> {
  try {
    const { mtime } = await Deno.stat(`${temp}/${STAMP}`);
    return Math.max(0, (mtime?.getTime() ?? 0) + SETTLE_MS - now);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Waits for {@link settleTime}. */
export async function settle(temp: string, signal: AbortSignal): Promise<void> {
  const milliseconds = await settleTime(temp);
  if (milliseconds === 0) return;
  progress(`waiting ${Math.ceil(milliseconds / 1000)} s until the file system forgets what the last bench removed`);
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
  signal.throwIfAborted();
}

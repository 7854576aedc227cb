import { addressOf, errno, libc } from "../../engine/posix/libc.ts";
import { Contents } from "./contents.ts";
import { planTree, type TreeOptions, type TreePlan } from "./tree_plan.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const BATCH = 500;

/**
 * Makes the tree that {@link planTree} lays out in `root`, which must exist and be empty. Other events are served between
 * batches; an abort leaves what was made so far.
 */
export async function makeTree(root: string, options: TreeOptions, signal?: AbortSignal): Promise<void> {
  const plan = planTree(options);
  const writer = new TreeWriter(root, plan, options.seed);
  for (let from = 0; from < plan.files.length; from += BATCH) {
    writer.writeFiles(from, from + BATCH);
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
  }
  writer.finish();
}

class TreeWriter {
  readonly #root: string;
  readonly #plan: TreePlan;
  readonly #contents: Contents;
  readonly #buffer: Uint8Array<ArrayBuffer>;

  constructor(root: string, plan: TreePlan, seed: number) {
    this.#root = root;
    this.#plan = plan;
    this.#contents = new Contents(seed);
    this.#buffer = new Uint8Array(plan.files.reduce((largest, file) => Math.max(largest, file.size), 0));
    for (const directory of plan.directories) Deno.mkdirSync(`${root}/${directory.path}`);
  }

  writeFiles(from: number, to: number): void {
    for (const { path, size, content, mode, mtime } of this.#plan.files.slice(from, to)) {
      this.#contents.write(content, size, this.#buffer);
      Deno.writeFileSync(`${this.#root}/${path}`, this.#buffer.subarray(0, size), { createNew: true });
      Deno.chmodSync(`${this.#root}/${path}`, mode);
      setTime(`${this.#root}/${path}`, mtime);
    }
  }

  finish(): void {
    for (const { path, destination, mtime } of this.#plan.symlinks) {
      Deno.symlinkSync(destination, `${this.#root}/${path}`);
      setTime(`${this.#root}/${path}`, mtime);
    }
    for (const { path, existing } of this.#plan.hardLinks) {
      Deno.linkSync(`${this.#root}/${existing}`, `${this.#root}/${path}`);
    }
    // Last, since making an entry changes its directory's time.
    for (const { path, mode, mtime } of this.#plan.directories) {
      Deno.chmodSync(`${this.#root}/${path}`, mode);
      setTime(`${this.#root}/${path}`, mtime);
    }
  }
}

const pathBuffer = new Uint8Array(8192);
const timeBuffer = new BigInt64Array(16);

/** Sets access and modification time, of a link itself. By the C library: `Deno.utime` stops at milliseconds. */
function setTime(path: string, [seconds, nanoseconds]: [number, number]): void {
  const { read, written } = new TextEncoder().encodeInto(path, pathBuffer.subarray(0, -1));
  if (read < path.length) throw new RangeError(`Cannot set the time of a path of ${path.length} characters: too long`);
  pathBuffer[written] = 0;
  timeBuffer.set([BigInt(seconds), BigInt(nanoseconds), BigInt(seconds), BigInt(nanoseconds)]);
  const result = libc.utimensat(
    AT_FDCWD,
    addressOf(pathBuffer.buffer),
    addressOf(timeBuffer.buffer),
    AT_SYMLINK_NOFOLLOW,
  );
  if (result !== 0) throw new Error(`Cannot set the time of ${path}: errno ${errno()}`);
}

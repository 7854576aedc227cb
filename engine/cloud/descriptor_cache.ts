import { close, type Descriptor, type Stat, statOf } from "../posix/mod.ts";

/** Few, because each keeps the space of a file that was deleted meanwhile. */
const MOST_OPEN = 16;
const IDLE_MS = 5_000;

export interface OpenFile {
  readonly descriptor: Descriptor;
  readonly stat: Stat;
  readonly path: string;
  users: number;
  usedSinceTick: boolean;
  isCached: boolean;
}

/**
 * Files of this thread that are kept open, so that reading many ranges of one costs two system calls a range. A file whose
 * name was deleted or given to another since is noticed: that changes its inode's change time or its number of links.
 */
export class DescriptorCache {
  readonly #files = new Map<string, OpenFile>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** The open file of a path; `open` opens it. Give it back to {@link release}. */
  acquire(path: string, open: () => Descriptor): OpenFile {
    let file = this.#files.get(path);
    if (file !== undefined) {
      this.#remove(file);
      if (!isSame(file.stat, statOf(file.descriptor))) {
        if (file.users === 0) close(file.descriptor);
        file = undefined;
      }
    }
    file ??= opened(path, open());
    this.#add(file);
    file.users++;
    file.usedSinceTick = true;
    return file;
  }

  release(file: OpenFile): void {
    if (--file.users === 0 && !file.isCached) close(file.descriptor);
  }

  /** Forgets a path that is about to be deleted. */
  forget(path: string): void {
    const file = this.#files.get(path);
    if (file !== undefined) this.#drop(file);
  }

  #add(file: OpenFile): void {
    file.isCached = true;
    this.#files.set(file.path, file);
    if (this.#files.size > MOST_OPEN) this.#drop(this.#files.values().next().value as OpenFile);
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#tick(), IDLE_MS);
      this.#timer.unref();
    }
  }

  #remove(file: OpenFile): void {
    file.isCached = false;
    this.#files.delete(file.path);
  }

  #drop(file: OpenFile): void {
    this.#remove(file);
    if (file.users === 0) close(file.descriptor);
  }

  #tick(): void {
    for (const file of [...this.#files.values()]) {
      if (!file.usedSinceTick && file.users === 0) this.#drop(file);
      file.usedSinceTick = false;
    }
    if (this.#files.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function opened(path: string, descriptor: Descriptor): OpenFile {
  try {
    return { descriptor, stat: statOf(descriptor), path, users: 0, usedSinceTick: true, isCached: false };
  } catch (error) {
    close(descriptor);
    throw error;
  }
}

function isSame(before: Stat, now: Stat): boolean {
  return now.links > 0 && before.ctime === now.ctime && before.ctimeNs === now.ctimeNs && before.links === now.links;
}

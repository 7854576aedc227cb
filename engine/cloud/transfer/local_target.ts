import { basename, dirname } from "node:path/posix";
import { EngineError } from "../../errors.ts";
import * as posix from "../../posix/mod.ts";
import { localError } from "./local_error.ts";

const TEMPORARY = /^\.syncline-[0-9a-f-]{36}\.part$/;
const CREATE = posix.O_RDWR | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW;

/**
 * Where a local file is to appear: the directory above it, held open, with what is on its way there. No link is followed. Blocks, so it
 * belongs in a worker.
 */
export class LocalTarget implements Disposable {
  readonly #directory: posix.Descriptor;
  readonly #name: string;

  /** @param path resolved. @param make makes the directories that are missing. @throws EngineError */
  constructor(readonly path: string, { make = true }: { make?: boolean } = {}) {
    this.#name = basename(path);
    try {
      this.#directory = posix.openPassage(dirname(path), make ? openOrMake : posix.openPassageAt);
    } catch (error) {
      throw localError(error, path);
    }
  }

  /** @throws EngineError `invalid` where a directory or something else that is no file is in the way */
  refuseOther(): void {
    const there = this.#run(() => posix.statIfPresent(this.#directory, this.#name));
    if (there === undefined || there.type === "file") return;
    const details = `localPath: ${this.path} is a ${there.type}; name a file.`;
    throw new EngineError("invalid", "The local file cannot be used", details);
  }

  /** A new file of a size, which takes no space yet, under a name that only this program uses. */
  create(size: number): { name: string; file: posix.Descriptor } {
    const name = `.syncline-${crypto.randomUUID()}.part`;
    return this.#run(() => {
      const file = posix.openAt(this.#directory, name, CREATE, 0o666);
      posix.truncate(file, size);
      return { name, file };
    });
  }

  /** A file of {@link create}; undefined where it is gone or another. */
  open(name: string, size: number): posix.Descriptor | undefined {
    if (!TEMPORARY.test(name)) return undefined;
    return this.#run(() => {
      const there = posix.statIfPresent(this.#directory, name);
      if (there?.type !== "file" || there.size !== size) return undefined;
      return posix.openAt(this.#directory, name, posix.O_RDWR | posix.O_NOFOLLOW);
    });
  }

  /** Gives the file its name, durably, in place of what had it. */
  async place(name: string, file: posix.Descriptor): Promise<void> {
    try {
      await posix.flushLater(file);
      posix.renameAt(this.#directory, name, this.#directory, this.#name);
      const readable = posix.openDirectoryAt(this.#directory, ".");
      try {
        await posix.flushLater(readable);
      } finally {
        posix.close(readable);
      }
    } catch (error) {
      throw localError(error, this.path);
    }
  }

  discard(name: string): void {
    if (!TEMPORARY.test(name)) return;
    this.#run(() => {
      if (posix.statIfPresent(this.#directory, name)?.type === "file") posix.unlinkAt(this.#directory, name);
    });
  }

  #run<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw localError(error, this.path);
    }
  }

  [Symbol.dispose](): void {
    posix.close(this.#directory);
  }
}

function openOrMake(parent: posix.Descriptor, part: string): posix.Descriptor {
  try {
    return posix.openPassageAt(parent, part);
  } catch (error) {
    if (!posix.hasCode(error, "ENOENT")) throw error;
  }
  posix.makeDirectoryAt(parent, part, 0o777);
  return posix.openPassageAt(parent, part);
}

import { basename, dirname } from "node:path/posix";
import * as posix from "../posix/mod.ts";
import { invalidFile, mergeFileError } from "./file_error.ts";

const FIELD = "outputFile";
const CREATE = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW;

/**
 * Where a merge is written: the directory above it, held open, so that no link can lead elsewhere. What has the name keeps it until the
 * new file is whole and on the disk; the new one then has its permissions and, where this process may give it, its owner. Blocks, so
 * it belongs in a worker.
 */
export class OutputFile implements Disposable {
  readonly #path: string;
  readonly #name: string;
  readonly #directory: posix.Descriptor;
  readonly #former: posix.Stat | undefined;

  /**
   * @param path resolved; the directory above it must be there
   * @throws EngineError `not-found`, `forbidden`; `invalid` where something else than a file has the name
   */
  constructor(path: string) {
    this.#path = path;
    this.#name = basename(path);
    try {
      this.#directory = posix.openPassage(dirname(path));
    } catch (error) {
      throw mergeFileError(error, FIELD, path);
    }
    try {
      this.#former = posix.statIfPresent(this.#directory, this.#name);
      const type = this.#former?.type ?? "file";
      if (type !== "file") throw invalidFile(`${FIELD}: ${path} is a ${type}; name a file.`);
    } catch (error) {
      this[Symbol.dispose]();
      throw mergeFileError(error, FIELD, path);
    }
  }

  /** @throws EngineError */
  async write(bytes: Uint8Array): Promise<void> {
    const temporary = `.syncline-${crypto.randomUUID()}.part`;
    try {
      const file = posix.openAt(this.#directory, temporary, CREATE, this.#former === undefined ? 0o666 : 0o600);
      try {
        posix.writeFrom(file, bytes, 0);
        this.#describe(file, temporary);
        await posix.flushLater(file);
        posix.renameAt(this.#directory, temporary, this.#directory, this.#name);
      } catch (error) {
        posix.unlinkAt(this.#directory, temporary);
        throw error;
      } finally {
        posix.close(file);
      }
      await this.#flushName();
    } catch (error) {
      throw mergeFileError(error, FIELD, this.#path);
    }
  }

  #describe(file: posix.Descriptor, temporary: string): void {
    if (this.#former === undefined) return;
    const { uid, gid, permissions } = this.#former;
    const own = posix.statOf(file);
    if ((own.uid !== uid || own.gid !== gid) && posix.mayChangeOwner()) {
      posix.chownAt(this.#directory, temporary, uid, gid);
    }
    posix.chmodOf(file, permissions);
  }

  async #flushName(): Promise<void> {
    const directory = posix.openDirectoryAt(this.#directory, ".");
    try {
      await posix.flushLater(directory);
    } finally {
      posix.close(directory);
    }
  }

  [Symbol.dispose](): void {
    posix.close(this.#directory);
  }
}

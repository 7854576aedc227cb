import { basename, dirname } from "node:path/posix";
import { EngineError } from "../../errors.ts";
import * as posix from "../../posix/mod.ts";
import type { ByteSource } from "../body.ts";
import { localError } from "./local_error.ts";

/** What tells that a file is the one that it was. */
export interface FileStamp {
  identity: string;
  size: number;
  mtime: number;
  mtimeNs: number;
}

/** A local file that goes up. No link is followed on the way to it. Blocks, so it belongs in a worker. */
export class LocalFile implements ByteSource, Disposable {
  readonly size: number;
  readonly #file: posix.Descriptor;

  /** @throws EngineError `not-found`, `forbidden`, `invalid` for what is no file */
  constructor(readonly path: string) {
    try {
      const directory = posix.openPassage(dirname(path));
      try {
        this.#file = posix.openAt(directory, basename(path), posix.O_RDONLY | posix.O_NOFOLLOW | posix.O_NONBLOCK);
      } finally {
        posix.close(directory);
      }
    } catch (error) {
      throw localError(error, path);
    }
    const stat = posix.statOf(this.#file);
    this.size = stat.size;
    if (stat.type === "file") return;
    posix.close(this.#file);
    throw new EngineError(
      "invalid",
      "The local file cannot be used",
      `localPath: ${path} is a ${stat.type}, not a file.`,
    );
  }

  /** As it is now. */
  stamp(): FileStamp {
    const { identity, size, mtime, mtimeNs } = posix.statOf(this.#file);
    return { identity, size, mtime, mtimeNs };
  }

  /** @throws EngineError `conflict` */
  refuseChanged(stamp: FileStamp): void {
    if (!sameStamp(this.stamp(), stamp)) throw changedFile(this.path);
  }

  read(into: Uint8Array<ArrayBuffer>, offset: number): Promise<void> {
    try {
      if (posix.readInto(this.#file, into, offset) < into.length) throw changedFile(this.path);
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(localError(error, this.path));
    }
  }

  [Symbol.dispose](): void {
    posix.close(this.#file);
  }
}

/** The error of a file that is another than the one that was begun with. */
export function changedFile(path: string): EngineError {
  const details = `localPath: ${path} changed while it was uploaded. Upload it again once it is at rest.`;
  return new EngineError("conflict", "The local file changed", details);
}

export function sameStamp(a: FileStamp, b: FileStamp): boolean {
  return a.identity === b.identity && a.size === b.size && a.mtime === b.mtime && a.mtimeNs === b.mtimeNs;
}

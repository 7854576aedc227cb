import { createHash } from "node:crypto";
import { findEntry } from "./browse.ts";
import { asEngineError } from "../repository/failure.ts";
import type { EntryPlace, VersionContent } from "../operations.ts";
import { loadSource } from "./reading.ts";
import { openRepository } from "../repository/repository.ts";
import { tarOf } from "./tar.ts";
import { type StreamSource, taskStream } from "./task_stream.ts";
import {
  At,
  type Content,
  type DirectoryEntry,
  type Entry,
  type FileEntry,
  isDirectory,
  isSymlink,
} from "../trees/tree_entry.ts";
import type { BackupServices } from "../types.ts";
import { readVersion } from "../versions/version.ts";
import { type DataSource, VersionData } from "../versions/version_data.ts";
import { openStore } from "../../cloud/open_store.ts";
import { EngineError } from "../../errors.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** What a task reads of a file, bytes. */
const PIECE = 4 * 2 ** 20;
const CACHE = 8 * 2 ** 20;

export interface FindEntryInput {
  source: DataSource;
  versionId: string;
  path: string;
}

/** Finds an entry of a version. @throws EngineError `not-found` */
export async function findEntryTask(input: FindEntryInput, context: TaskContext): Promise<Entry> {
  const { access } = input.source;
  const data = new VersionData(input.source, { cacheBytes: 0, signal: context.signal });
  const { root } = await readVersion(access, openStore(access.location), input.versionId);
  return await findEntry(data.tree, root, input.path);
}

export interface ReadContentInput {
  source: DataSource;
  content: Content;
  offset: number;
  length: number;
}

/** Reads a part of a file. */
export async function readContentTask(input: ReadContentInput, context: TaskContext): Promise<Uint8Array<ArrayBuffer>> {
  const data = new VersionData(input.source, { cacheBytes: CACHE, signal: context.signal });
  return await data.read(input.content, input.offset, input.length, context);
}

/**
 * A file of a version by ranges of bytes, or a directory as a tar archive; nothing touches the disk.
 * @throws EngineError `not-found`; `invalid` for a symbolic link
 */
export async function openContent(place: EntryPlace, services: BackupServices): Promise<VersionContent> {
  const { repository, versionId, path } = place;
  try {
    const access = await openRepository(repository, services.password);
    await using tasks = services.pool.job({ name: "content", priority: "interactive" });
    const source = await loadSource(access, tasks);
    const entry = await tasks.run("backup.find", { source, versionId, path });
    if (isSymlink(entry)) {
      const details = `${JSON.stringify(path)} is a symbolic link, to ${JSON.stringify(entry[At.target])}`;
      throw new EngineError("invalid", "A symbolic link has no content", details);
    }
    return isDirectory(entry) ? directoryContent(entry, place, services) : fileContent(entry, place, services);
  } catch (error) {
    throw asEngineError(error);
  }
}

function fileContent(entry: FileEntry, { repository }: EntryPlace, services: BackupServices): VersionContent {
  const [size, content] = [entry[At.size], entry[At.content]];
  return {
    type: "file",
    name: entry[At.name],
    size,
    etag: digest([size, content]),
    read: ({ offset, length }, signal) => {
      if (offset < 0 || length < 0 || offset + length > size) {
        throw new RangeError(`Cannot read the range ${offset} to ${offset + length} of a file of ${size} bytes`);
      }
      return taskStream(repository, services, signal, (from) => readRange(from, content, offset, length));
    },
  };
}

async function* readRange({ source, tasks }: StreamSource, content: Content, offset: number, length: number) {
  for (let at = offset; at < offset + length;) {
    const wanted = Math.min(PIECE, offset + length - at);
    const bytes = await tasks.run("backup.read", { source, content, offset: at, length: wanted });
    if (bytes.length < wanted) {
      throw new EngineError(
        "damaged",
        "The backup repository is damaged",
        "The file's content is shorter than its size",
      );
    }
    yield bytes;
    at += wanted;
  }
}

function directoryContent(entry: DirectoryEntry, place: EntryPlace, services: BackupServices): VersionContent {
  const { repository, path } = place;
  return {
    type: "directory",
    name: entry[At.name],
    // The archive also has the metadata that the pages hold, and each name begins with that of the directory.
    etag: digest(["tar", path, entry]),
    tar: (signal) => taskStream(repository, services, signal, (from) => tarOf(from, entry)),
  };
}

/** Equal only where the value is: ids of chunks tell their bytes. */
function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 40);
}

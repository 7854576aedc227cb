/** For tests of what reads versions: a backup in a few lines, in this thread, with chunks of a fixed length. */
import type { RepositoryAccess } from "../repository/access.ts";
import { chunkId } from "../crypto/chunk_id.ts";
import { writeIndexSegment } from "../packs/index_segment.ts";
import { PackWriter } from "../packs/pack_writer.ts";
import type { Content, DirectoryEntry, Entry, Extra } from "../trees/tree_entry.ts";
import { byName, encodeList, encodePage, endsPage, splitContent } from "../trees/tree_page.ts";
import { type Version, writeVersion } from "../versions/version.ts";
import { openStore } from "../../cloud/open_store.ts";
import {
  close,
  type Descriptor,
  Listing,
  O_NOFOLLOW,
  O_RDONLY,
  openAt,
  openDirectoryAt,
  readDirectory,
  readInto,
  readXattrs,
  seek,
  SEEK_DATA,
  SEEK_HOLE,
  statOf,
  Tree,
} from "../../posix/mod.ts";

export interface SmallBackupOptions {
  /** Bytes. Default 4,096. */
  chunk?: number;
  /** Fields of the version that are to be others. */
  version?: Partial<Version>;
  /** Names of files and directories whose chunks or pages are left out, as if they were lost. */
  lose?: string[];
  /** Lines of the list of changes. */
  changes?: [change: string, path: string][];
}

/** Stores a directory as a version. */
export async function smallBackup(
  access: RepositoryAccess,
  directory: string,
  options: SmallBackupOptions = {},
): Promise<Version> {
  const backup = new SmallBackup(access, options.chunk ?? 4096, options.lose ?? []);
  using tree = new Tree(directory);
  const root = await backup.directory(tree.root, "");
  const changes = options.changes === undefined ? null : await backup.changes(options.changes);
  return await backup.finish(root, directory, changes, options.version);
}

class SmallBackup {
  readonly #access: RepositoryAccess;
  readonly #chunk: number;
  readonly #data: PackWriter;
  readonly #tree: PackWriter;
  readonly #stored = new Set<string>();
  readonly #counts = { totalSize: 0, fileCount: 0, directoryCount: 0, linkCount: 0 };

  constructor(access: RepositoryAccess, chunk: number, readonly lose: string[]) {
    this.#access = access;
    this.#chunk = chunk;
    this.#data = new PackWriter(access, openStore(access.location), "data");
    this.#tree = new PackWriter(access, openStore(access.location), "tree");
  }

  async #store(packs: PackWriter, bytes: Uint8Array, name = ""): Promise<string> {
    const id = chunkId(this.#access, bytes);
    if (!this.#stored.has(id.toHex()) && !this.lose.includes(name)) await packs.add(id, bytes);
    this.#stored.add(id.toHex());
    return id.toHex();
  }

  async directory(descriptor: Descriptor, name: string): Promise<DirectoryEntry> {
    const listing = readDirectory(descriptor, new Listing());
    const indices = listing.names.map((_, index) => index)
      .sort((a, b) => byName(listing.names[a], listing.names[b]));
    const pages: string[] = [];
    let page: Entry[] = [];
    for (const index of indices) {
      const entry = await this.#entry(descriptor, listing, index);
      if (entry === undefined) continue;
      page.push(entry);
      if (!endsPage(entry[0], page.length)) continue;
      pages.push(await this.#store(this.#tree, encodePage(page), name));
      page = [];
    }
    if (page.length > 0 || pages.length === 0) pages.push(await this.#store(this.#tree, encodePage(page), name));
    const stat = statOf(descriptor);
    const { permissions, uid, gid, mtime, mtimeNs, ctime, ctimeNs, identity } = stat;
    const inode = identity.split(":")[2];
    if (name !== "") this.#counts.directoryCount++;
    const entry: DirectoryEntry = [name, "d", permissions, uid, gid, mtime, mtimeNs, ctime, ctimeNs, inode, pages];
    const xattrs = attributes(descriptor);
    if (xattrs !== undefined) entry.push({ xattrs });
    return entry;
  }

  async #entry(parent: Descriptor, listing: Listing, i: number): Promise<Entry | undefined> {
    const name = listing.names[i];
    const type = listing.type(i);
    if (type === "directory") {
      const descriptor = openDirectoryAt(parent, name);
      try {
        return await this.directory(descriptor, name);
      } finally {
        close(descriptor);
      }
    }
    const common = [
      listing.permissions(i),
      listing.uid(i),
      listing.gid(i),
      listing.mtime(i),
      listing.mtimeNs(i),
      listing.ctime(i),
      listing.ctimeNs(i),
      listing.inode(i),
    ] as const;
    if (type === "symlink") {
      this.#counts.linkCount++;
      return [name, "l", ...common, listing.links.get(i) as string];
    }
    if (type !== "file") return undefined;
    const file = openAt(parent, name, O_RDONLY | O_NOFOLLOW);
    try {
      const extra: Extra = {};
      if (listing.hardLinks(i) > 1) extra.link = statOf(file).identity;
      const xattrs = attributes(file);
      if (xattrs !== undefined) extra.xattrs = xattrs;
      const content = await this.#content(file, listing.size(i), name);
      this.#counts.fileCount++;
      this.#counts.totalSize += listing.size(i);
      const entry: Entry = [name, "f", ...common, listing.size(i), content];
      if (Object.keys(extra).length > 0) entry.push(extra);
      return entry;
    } finally {
      close(file);
    }
  }

  async #content(file: Descriptor, size: number, name: string): Promise<Content> {
    const items: (string | number)[] = [];
    const lengths: number[] = [];
    for (let at = 0; at < size;) {
      const found = seek(file, at, SEEK_DATA);
      const start = found < 0 ? size : Math.min(found, size);
      if (start > at) {
        items.push(start - at);
        lengths.push(start - at);
      }
      const hole = start < size ? seek(file, start, SEEK_HOLE) : size;
      const end = hole < 0 ? size : Math.min(hole, size);
      for (at = start; at < end;) {
        const bytes = new Uint8Array(Math.min(this.#chunk, end - at));
        readInto(file, bytes, at);
        items.push(await this.#store(this.#data, bytes, name));
        lengths.push(bytes.length);
        at += bytes.length;
      }
    }
    return await this.#lists(items, lengths);
  }

  async #lists(items: (string | number)[], lengths: number[]): Promise<Content> {
    const parts = splitContent(items, lengths);
    if (parts === undefined) return items;
    const content: Content = [];
    for (const part of parts) content.push([await this.#store(this.#tree, encodeList(part.items)), part.bytes]);
    return content;
  }

  async changes(lines: [string, string][]): Promise<Content> {
    const bytes = new TextEncoder().encode(lines.map((line) => JSON.stringify(line) + "\n").join(""));
    const items: string[] = [];
    const lengths: number[] = [];
    for (let at = 0; at < bytes.length; at += this.#chunk) {
      const chunk = bytes.subarray(at, at + this.#chunk);
      items.push(await this.#store(this.#tree, chunk));
      lengths.push(chunk.length);
    }
    return await this.#lists(items, lengths);
  }

  async finish(
    root: DirectoryEntry,
    source: string,
    changes: Content | null,
    fields: Partial<Version> = {},
  ): Promise<Version> {
    const store = openStore(this.#access.location);
    const packs = [...await this.#data.finish(), ...await this.#tree.finish()];
    await writeIndexSegment(this.#access, store, packs);
    const version: Version = {
      format: 1,
      versionId: crypto.randomUUID(),
      createdAt: new Date().toISOString(),
      host: "here",
      source,
      root,
      description: "",
      isFullBackup: true,
      parentVersionId: null,
      ...this.#counts,
      newBytes: 0,
      storedBytes: 0,
      changedFileCount: 0,
      deletedFileCount: 0,
      changes,
      errors: [],
      errorCount: 0,
      skippedCount: 0,
      durationMs: 0,
      software: "test",
      ...fields,
    };
    await writeVersion(this.#access, store, version);
    return version;
  }
}

function attributes(file: Descriptor): Extra["xattrs"] {
  const found = readXattrs(file).map(([name, value]): [string, string] => [name, value.toBase64()]);
  return found.length === 0 ? undefined : found;
}

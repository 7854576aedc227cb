import { ChangeList } from "./change_list.ts";
import { ChunkIndex } from "../packs/chunk_index.ts";
import { ChunkReader } from "../packs/chunk_reader.ts";
import { ClaimSet, type ClaimSetData } from "./claim_set.ts";
import { addList, type ContentList, emptyList } from "../trees/content_list.ts";
import { DirectoryRefs } from "./directory_refs.ts";
import type { StoredPack } from "../packs/pack_table.ts";
import { PackWriter } from "../packs/pack_writer.ts";
import { parseRecords } from "./record_writer.ts";
import type { RunInput } from "./scan.ts";
import { Change, isPending, Mark, type NewPage, type Removed, type SamePage, type ScanRecord } from "./scan_record.ts";
import { Spool, type SpoolRange } from "./spool.ts";
import type { StoredFile } from "./store_files.ts";
import { At, type Entry, type FileEntry, isDirectory } from "../trees/tree_entry.ts";
import { TreeReader } from "../trees/tree_reader.ts";
import { TreeWriter } from "../trees/tree_writer.ts";
import { openStore } from "../../cloud/open_store.ts";
import type { TaskContext } from "../../../workers/types.ts";

/** What became of a large file; `entry` is null where it is not in the version. */
export interface StoredLarge {
  ordinal: number;
  entry: FileEntry | null;
  /** Its parts in order, each the JSON of a {@link ContentList}. */
  content: SpoolRange[];
}

/** A segment with what became of its pending files. */
export interface StoredSegment {
  range: SpoolRange;
  parts: SpoolRange[];
  large: StoredLarge[];
}

/** A directory whose first pages lie in a segment that is not built yet. */
export interface OpenDirectory {
  /** Ids of its pages, the last one first. */
  pages: string[];
  changed: boolean;
}

export interface TreesInput {
  run: RunInput;
  claims: ClaimSetData;
  /** Memory of the {@link DirectoryRefs}. */
  refs: SharedArrayBuffer;
  /** The last one first. */
  segments: StoredSegment[];
  open: OpenDirectory;
  /** Whether the source has an earlier version. */
  hasParent: boolean;
  sliceMs: number;
}

export interface TreesOutput {
  packs: StoredPack[];
  /** How many segments were built. */
  done: number;
  open: OpenDirectory;
  /** The source's own pages; null as long as they are not built, or the parent version's. */
  root: string[] | null;
  /** Chunks of the list of changes. */
  changes: string[];
  /** Files and links added or modified, and the first of them. */
  changed: number;
  changedFiles: string[];
  /** Files that the parent version has and that could not be read now. */
  lost: number;
  newBytes: number;
}

const CACHE = 8 << 20;

/** Builds the pages of directories from the last segment to the first, so children before their parents. */
export async function buildTrees(input: TreesInput, context: TaskContext): Promise<TreesOutput> {
  const { access } = input.run;
  const deadline = performance.now() + input.sliceMs;
  const store = openStore(access.location);
  using spool = new Spool(input.run.spool, context.counters);
  await using packs = new PackWriter(access, store, "tree");
  const index = new ChunkIndex(input.run.index);
  const writer = new TreeWriter(access, index, new ClaimSet(input.claims), packs);
  const reader = new TreeReader(new ChunkReader(access, store, index, { cacheBytes: CACHE, signal: context.signal }));
  const changes = new ChangeList(input.hasParent ? writer : undefined);
  const refs = new DirectoryRefs(input.refs, spool);
  const builder = new TreeBuilder(spool, refs, reader, writer, changes, input.open, context);
  let done = 0;
  do await builder.build(input.segments[done++]); while (done < input.segments.length && performance.now() < deadline);
  await changes.end();
  return {
    packs: await packs.finish(),
    done,
    open: builder.open,
    root: refs.get(0) as string[] | undefined ?? null,
    changes: changes.chunks,
    changed: changes.count,
    changedFiles: changes.files,
    lost: builder.lost,
    newBytes: writer.newBytes,
  };
}

class TreeBuilder {
  lost = 0;

  constructor(
    private readonly spool: Spool,
    private readonly refs: DirectoryRefs,
    private readonly reader: TreeReader,
    private readonly writer: TreeWriter,
    private readonly changes: ChangeList,
    public open: OpenDirectory,
    private readonly context: TaskContext,
  ) {}

  async build({ range, parts, large }: StoredSegment): Promise<void> {
    const records = parseRecords(this.spool.read(range));
    const files: StoredFile[] = [];
    for (const part of parts) files.push(...JSON.parse(this.spool.read(part)) as StoredFile[]);
    for (const file of large) files[file.ordinal] = this.#large(file);
    for (let i = records.length - 1, end = files.length; i >= 0; i--) {
      this.context.checkpoint();
      const record = records[i];
      if (record[0] === "page") end = await this.#newPage(record, files, end);
      else await this.#other(record);
    }
  }

  async #other(record: Exclude<ScanRecord, NewPage>): Promise<void> {
    switch (record[0]) {
      case "same":
        return await this.#samePage(record);
      case "removed":
        return await this.#removed(record);
      case "gone":
        return this.refs.setGone(record[1]);
    }
  }

  #large({ entry, content }: StoredLarge): StoredFile {
    if (entry === null) return null;
    const list = emptyList();
    for (const part of content) addList(list, JSON.parse(this.spool.read(part)) as ContentList);
    entry[At.content] = list.items;
    return { entry, lengths: list.lengths };
  }

  /** @param end number of pending files of the segment up to this page. @returns the same without this page */
  async #newPage(record: NewPage, files: StoredFile[], end: number): Promise<number> {
    const [, directory, marks, firstChild, path, found, changes] = record;
    const start = end - found.reduce((sum, entry) => isPending(entry) ? sum + 1 : sum, 0);
    const entries: Entry[] = [];
    let [ordinal, child] = [start, firstChild];
    for (let i = 0; i < found.length; i++) {
      const one = found[i];
      const entry = isPending(one)
        ? await this.#stored(files[ordinal++])
        : isDirectory(one)
        ? this.#directory(one, child++)
        : one;
      const name = typeof one === "string" ? one : one[0];
      const place = path === "" ? name : `${path}/${name}`;
      if (entry !== undefined) {
        entries.push(entry);
        if (changes[i] !== Change.none) {
          await this.changes.add(changes[i] === Change.added ? "added" : "modified", place, isDirectory(entry));
        }
      } else if (changes[i] !== Change.added) {
        this.lost++;
        await this.changes.add("removed", place, false);
      }
    }
    await this.#addPage(directory, marks, await this.writer.page(entries), true);
    return start;
  }

  async #stored(file: StoredFile): Promise<Entry | undefined> {
    if (file === null) return undefined;
    if (Array.isArray(file)) return file;
    const { entry, lengths } = file;
    entry[At.content] = await this.writer.content(entry[At.content] as (string | number)[], lengths);
    return entry;
  }

  /** A directory's entry with the pages that it has now; undefined where it is gone. */
  #directory<T extends Entry>(entry: T, number: number): T | undefined {
    const pages = this.refs.get(number);
    if (pages === "gone") return undefined;
    if (pages !== undefined) entry[At.pages] = pages;
    if ((entry[At.pages] as string[]).length === 0) {
      throw new Error(`Cannot build the page of a directory: ${number} has no pages`);
    }
    return entry;
  }

  async #samePage([, directory, marks, firstChild, children, id]: SamePage): Promise<void> {
    let changed = false;
    for (let child = firstChild; child < firstChild + children; child++) changed ||= this.refs.has(child);
    if (!changed) return await this.#addPage(directory, marks, id, false);
    let child = firstChild;
    const entries: Entry[] = [];
    for (const entry of await this.reader.page(id)) {
      const now = isDirectory(entry) ? this.#directory(entry, child++) : entry;
      if (now !== undefined) entries.push(now);
    }
    await this.#addPage(directory, marks, await this.writer.page(entries), true);
  }

  /** Pages of one directory come one after the other, the last one first. */
  #addPage(directory: number, marks: number, id: string, changed: boolean): void {
    if ((marks & Mark.last) !== 0) this.open = { pages: [], changed: (marks & Mark.kept) === 0 };
    this.open.pages.push(id);
    this.open.changed ||= changed;
    if ((marks & Mark.first) === 0) return;
    if (this.open.changed) this.refs.set(directory, this.open.pages.reverse());
    this.open = { pages: [], changed: false };
  }

  async #removed([, path, files, directories]: Removed): Promise<void> {
    const prefix = path === "" ? "" : `${path}/`;
    for (const name of files) await this.changes.add("removed", prefix + name, false);
    for (const name of directories) await this.changes.add("removed", prefix + name, true);
  }
}

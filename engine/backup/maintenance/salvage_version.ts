import type { RepositoryAccess } from "../repository/access.ts";
import { chunkId } from "../crypto/chunk_id.ts";
import { ChunkIndex, type ChunkIndexData } from "../packs/chunk_index.ts";
import { ChunkReader } from "../packs/chunk_reader.ts";
import { ContentCheck } from "./content_check.ts";
import { Losses, type LossesData } from "./losses.ts";
import { asLostChunk } from "./lost_chunk.ts";
import type { StoredPack } from "../packs/pack_table.ts";
import { PackWriter } from "../packs/pack_writer.ts";
import { At, type DirectoryEntry, type Entry, isDirectory, isFile } from "../trees/tree_entry.ts";
import { encodePage } from "../trees/tree_page.ts";
import { TreeReader } from "../trees/tree_reader.ts";
import type { Version } from "../versions/version.ts";
import { openStore } from "../../cloud/open_store.ts";
import type { TaskContext } from "../../../workers/types.ts";

export interface SalvageInput {
  access: RepositoryAccess;
  index: ChunkIndexData;
  losses: LossesData;
  version: Version;
}

export interface SalvageOutput {
  /** The root's new pages; null where nothing of the version is left. */
  pages: string[] | null;
  hasChanges: boolean;
  counts: Pick<Version, "totalSize" | "fileCount" | "directoryCount" | "linkCount">;
  packs: StoredPack[];
}

const CACHE = 32 << 20;

/** Stores a version's tree once more, without the files and parts of directories that are lost. @throws StoreError */
export async function salvageVersion(input: SalvageInput, context: TaskContext): Promise<SalvageOutput> {
  await using writer = new PackWriter(input.access, openStore(input.access.location), "tree");
  return await new Salvage(input, writer, context).run();
}

class Salvage {
  readonly #index: ChunkIndex;
  readonly #trees: TreeReader;
  readonly #contents: ContentCheck;
  readonly #written = new Set<string>();
  readonly #counts = { totalSize: 0, fileCount: 0, directoryCount: 0, linkCount: 0 };

  constructor(
    private readonly input: SalvageInput,
    private readonly writer: PackWriter,
    private readonly context: TaskContext,
  ) {
    this.#index = new ChunkIndex(input.index);
    const options = { cacheBytes: CACHE, signal: context.signal };
    this.#trees = new TreeReader(
      new ChunkReader(input.access, openStore(input.access.location), this.#index, options),
    );
    this.#contents = new ContentCheck(this.#index, new Losses(this.#index, input.losses), this.#trees);
  }

  async run(): Promise<SalvageOutput> {
    const { root, changes } = this.input.version;
    const pages = await this.#directory(root[At.pages]);
    const hasChanges = changes !== null && await this.#contents.ofContent(changes) === undefined;
    const { fileCount, directoryCount, linkCount } = this.#counts;
    const isEmpty = fileCount + directoryCount + linkCount === 0;
    return { pages: isEmpty ? null : pages, hasChanges, counts: this.#counts, packs: await this.writer.finish() };
  }

  async #directory(ids: string[]): Promise<string[]> {
    const pages: string[] = [];
    for (const id of ids) {
      this.context.checkpoint();
      const entries = await this.#page(id);
      if (entries === undefined) continue;
      const kept: Entry[] = [];
      for (const entry of entries) {
        const left = await this.#entry(entry, id);
        if (left !== undefined) kept.push(left);
      }
      const isSame = kept.length === entries.length && kept.every((entry, i) => entry === entries[i]);
      if (isSame) pages.push(id);
      else if (kept.length > 0) pages.push(await this.#store(encodePage(kept)));
    }
    return pages.length > 0 ? pages : [await this.#store(encodePage([]))];
  }

  async #page(id: string): Promise<Entry[] | undefined> {
    if (this.#contents.ofChunk(id) !== undefined) return undefined;
    try {
      return await this.#trees.page(id);
    } catch (error) {
      if (asLostChunk(error, id) === undefined) throw error;
      return undefined;
    }
  }

  /** What is left of an entry: itself where nothing of it is lost. */
  async #entry(entry: Entry, page: string): Promise<Entry | undefined> {
    if (isDirectory(entry)) {
      this.#counts.directoryCount++;
      const pages = await this.#directory(entry[At.pages]);
      if (pages.length === entry[At.pages].length && pages.every((id, i) => id === entry[At.pages][i])) return entry;
      const changed: DirectoryEntry = [...entry];
      changed[At.pages] = pages;
      return changed;
    }
    if (isFile(entry)) {
      if (await this.#contents.ofFile(entry, page) !== undefined) return undefined;
      this.#counts.fileCount++;
      this.#counts.totalSize += entry[At.size];
    } else this.#counts.linkCount++;
    return entry;
  }

  async #store(page: Uint8Array): Promise<string> {
    const id = chunkId(this.input.access, page);
    const hex = id.toHex();
    if (this.#contents.ofChunk(hex) !== undefined && !this.#written.has(hex)) await this.writer.add(id, page);
    this.#written.add(hex);
    return hex;
  }
}

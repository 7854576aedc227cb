import type { RepositoryAccess } from "../repository/access.ts";
import { Bitmap } from "./bitmap.ts";
import { ChunkIndex, type ChunkIndexData } from "../packs/chunk_index.ts";
import { ChunkReader } from "../packs/chunk_reader.ts";
import { asLostChunk, type LostChunk } from "./lost_chunk.ts";
import { At, type Content, type Entry, isDirectory, isFile } from "../trees/tree_entry.ts";
import { TreeReader } from "../trees/tree_reader.ts";
import { parseList } from "../trees/tree_page.ts";
import { openStore } from "../../cloud/open_store.ts";
import type { TaskContext } from "../../../workers/types.ts";

export interface MarkInput {
  access: RepositoryAccess;
  index: ChunkIndexData;
  /** A bit for each entry of the index; those of a page that is set was or is being walked by somebody. */
  used: SharedArrayBuffer;
  /** Ids of tree pages. */
  pages: string[];
  contents: Content[];
  /** Pages after which the task hands back what it has not walked. */
  budget: number;
}

export interface MarkOutput {
  /** Pages that remain to be walked. */
  pending: string[];
  /** What is referred to and is not in the index or, of the tree, cannot be read; at most {@link MOST_LOST}. */
  lost: LostChunk[];
  /** Pages that were walked. */
  pages: number;
}

export const MOST_LOST = 1_000;
const CACHE = 32 << 20;

/** Marks every chunk that tree pages need, and those below them. A page that many directories share is walked once. */
export async function mark(input: MarkInput, context: TaskContext): Promise<MarkOutput> {
  return await new Marking(input, context).run();
}

class Marking {
  readonly #index: ChunkIndex;
  readonly #used: Bitmap;
  readonly #chunks: ChunkReader;
  readonly #trees: TreeReader;
  readonly #pending: string[];
  readonly #lost: LostChunk[] = [];

  constructor(private readonly input: MarkInput, private readonly context: TaskContext) {
    const { access, index, used, pages } = input;
    this.#index = new ChunkIndex(index);
    this.#used = new Bitmap(used);
    const options = { cacheBytes: CACHE, signal: context.signal };
    this.#chunks = new ChunkReader(access, openStore(access.location), this.#index, options);
    this.#trees = new TreeReader(this.#chunks);
    this.#pending = [...pages];
  }

  async run(): Promise<MarkOutput> {
    for (const content of this.input.contents) await this.#content(content);
    let pages = 0;
    while (this.#pending.length > 0 && pages < this.input.budget) {
      this.context.checkpoint();
      if (await this.#page(this.#pending.pop() as string)) pages++;
    }
    return { pending: this.#pending, lost: this.#lost, pages };
  }

  async #page(id: string): Promise<boolean> {
    if (!this.#mark(id)) return false;
    const entries = await this.#read(id, () => this.#trees.page(id));
    for (const entry of entries ?? []) await this.#entry(entry, id);
    return true;
  }

  async #entry(entry: Entry, page: string): Promise<void> {
    if (isDirectory(entry)) this.#pending.push(...entry[At.pages]);
    else if (isFile(entry)) {
      const bytes = await this.#content(entry[At.content]);
      const size = entry[At.size];
      if (bytes !== undefined && bytes !== size) {
        this.#note({ id: page, pack: undefined, reason: `a file's content has ${bytes} bytes instead of ${size}` });
      }
    }
  }

  /** Marks a content's chunks and lists and returns how many bytes it stands for; undefined where something is lost. */
  async #content(content: Content): Promise<number | undefined> {
    let total: number | undefined = 0;
    for (const item of content) {
      const bytes = Array.isArray(item) ? await this.#list(...item) : this.#part(item);
      total = total === undefined || bytes === undefined ? undefined : total + bytes;
    }
    return total;
  }

  #part(item: string | number): number | undefined {
    if (typeof item === "number") return item;
    this.#mark(item);
    const entry = this.#index.findHex(item);
    return entry < 0 ? undefined : this.#index.lengthOf(entry);
  }

  async #list(id: string, bytes: number): Promise<number | undefined> {
    if (!this.#mark(id)) return this.#index.findHex(id) < 0 ? undefined : bytes;
    const items = await this.#read(id, async () => parseList(await this.#chunks.read(id), id));
    if (items === undefined) return undefined;
    let total: number | undefined = 0;
    for (const item of items) {
      const part = this.#part(item);
      total = total === undefined || part === undefined ? undefined : total + part;
    }
    return total;
  }

  /** Whether this is the first to come to a chunk. */
  #mark(id: string): boolean {
    const entry = this.#index.findHex(id);
    if (entry >= 0) return this.#used.add(entry);
    this.#note({ id, pack: undefined, reason: `chunk ${id} is in no index segment` });
    return false;
  }

  async #read<T>(id: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      const lost = asLostChunk(error, id);
      if (lost === undefined) throw error;
      this.#note(lost);
    }
  }

  #note(lost: LostChunk): void {
    if (this.#lost.length < MOST_LOST) this.#lost.push(lost);
  }
}

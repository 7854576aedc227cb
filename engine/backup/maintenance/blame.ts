import type { RepositoryAccess } from "../repository/access.ts";
import { Bitmap } from "./bitmap.ts";
import { ChunkIndex, type ChunkIndexData } from "../packs/chunk_index.ts";
import { ChunkReader } from "../packs/chunk_reader.ts";
import { type Cause, ContentCheck } from "./content_check.ts";
import { Losses, type LossesData } from "./losses.ts";
import { asLostChunk } from "./lost_chunk.ts";
import { At, type Entry, isDirectory, isFile } from "../trees/tree_entry.ts";
import { TreeReader } from "../trees/tree_reader.ts";
import type { Version } from "../versions/version.ts";
import { openStore } from "../../cloud/open_store.ts";
import { displayName } from "../../posix/mod.ts";
import type { TaskContext } from "../../../workers/types.ts";

export interface BlameInput {
  access: RepositoryAccess;
  index: ChunkIndexData;
  losses: LossesData;
  version: Version;
  /** A bit for each entry of the index; those of tree pages below which nothing is lost, so that no version walks them again. */
  sound: SharedArrayBuffer;
}

/** What one thing that is lost costs a version. */
export interface Blame extends Cause {
  /** Paths below the source, directories with a `/` at their end; at most {@link MOST_FILES}. */
  files: string[];
  fileCount: number;
}

export const MOST_FILES = 100;
/** The path that stands for a version's list of changes. */
const CHANGES = "(list of changes)";
const CACHE = 32 << 20;

/** Finds out what a version has lost. Nothing where it is whole. */
export async function blame(input: BlameInput, context: TaskContext): Promise<Blame[]> {
  return await new Blaming(input, context).run();
}

class Blaming {
  readonly #index: ChunkIndex;
  readonly #sound: Bitmap;
  readonly #trees: TreeReader;
  readonly #contents: ContentCheck;
  readonly #found = new Map<string, Blame>();

  constructor(private readonly input: BlameInput, private readonly context: TaskContext) {
    this.#index = new ChunkIndex(input.index);
    this.#sound = new Bitmap(input.sound);
    const options = { cacheBytes: CACHE, signal: context.signal };
    this.#trees = new TreeReader(
      new ChunkReader(input.access, openStore(input.access.location), this.#index, options),
    );
    this.#contents = new ContentCheck(this.#index, new Losses(this.#index, input.losses), this.#trees);
  }

  async run(): Promise<Blame[]> {
    const { root, changes } = this.input.version;
    await this.#directory("", root[At.pages]);
    const cause = changes === null ? undefined : await this.#contents.ofContent(changes);
    if (cause !== undefined) this.#note(cause, CHANGES);
    return [...this.#found.values()];
  }

  /** Whether nothing below a directory is lost. @param path with a `/` at its end, but for the root's. */
  async #directory(path: string, pages: string[]): Promise<boolean> {
    let isSound = true;
    for (const id of pages) {
      const entry = this.#index.findHex(id);
      if (entry >= 0 && this.#sound.has(entry)) continue;
      this.context.checkpoint();
      const entries = await this.#page(path, id);
      let isPageSound = entries !== undefined;
      for (const child of entries ?? []) {
        if (!await this.#entry(path, id, child)) isPageSound = false;
      }
      if (isPageSound) this.#sound.add(entry);
      else isSound = false;
    }
    return isSound;
  }

  async #page(path: string, id: string): Promise<Entry[] | undefined> {
    const known = this.#contents.ofChunk(id);
    if (known !== undefined) return this.#note(known, path || "/");
    try {
      return await this.#trees.page(id);
    } catch (error) {
      const lost = asLostChunk(error, id);
      if (lost === undefined) throw error;
      return this.#note({ object: lost.pack ?? id, reason: lost.reason }, path || "/");
    }
  }

  async #entry(path: string, page: string, entry: Entry): Promise<boolean> {
    const at = path + displayName(entry[At.name]);
    if (isDirectory(entry)) return await this.#directory(`${at}/`, entry[At.pages]);
    const cause = isFile(entry) ? await this.#contents.ofFile(entry, page) : undefined;
    if (cause !== undefined) this.#note(cause, at);
    return cause === undefined;
  }

  #note(cause: Cause, path: string): undefined {
    let blame = this.#found.get(cause.object);
    if (blame === undefined) this.#found.set(cause.object, blame = { ...cause, files: [], fileCount: 0 });
    if (blame.files.length < MOST_FILES) blame.files.push(path);
    blame.fileCount++;
  }
}

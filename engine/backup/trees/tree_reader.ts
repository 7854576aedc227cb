import type { ChunkReader } from "../packs/chunk_reader.ts";
import { At, type Content, type DirectoryEntry, type Entry, isDirectory } from "./tree_entry.ts";
import { parseList, parsePage } from "./tree_page.ts";

/** Reads a version's tree, page by page. Errors are those of {@link ChunkReader.read}, and EngineError `damaged`. */
export class TreeReader {
  readonly #chunks: ChunkReader;

  constructor(chunks: ChunkReader) {
    this.#chunks = chunks;
  }

  async page(id: string): Promise<Entry[]> {
    return parsePage(await this.#chunks.read(id), id);
  }

  /** A directory's entries in order, a page at a time. */
  async *pages(directory: DirectoryEntry): AsyncGenerator<Entry[]> {
    for (const id of directory[At.pages]) yield await this.page(id);
  }

  /** A file's chunks and holes in order, lists resolved, a list at a time. */
  async *content(content: Content): AsyncGenerator<(string | number)[]> {
    let run: (string | number)[] = [];
    for (const item of content) {
      if (!Array.isArray(item)) {
        run.push(item);
        continue;
      }
      if (run.length > 0) yield run;
      run = [];
      yield parseList(await this.#chunks.read(item[0]), item[0]);
    }
    if (run.length > 0) yield run;
  }

  /**
   * The entry at a path below a directory, undefined where there is none.
   * @param path parts joined by `/`, `""` for the directory itself.
   */
  async find(root: DirectoryEntry, path: string): Promise<Entry | undefined> {
    let entry: Entry = root;
    for (const part of path === "" ? [] : path.split("/")) {
      if (!isDirectory(entry)) return undefined;
      const found: Entry | undefined = await this.#child(entry, part);
      if (found === undefined) return undefined;
      entry = found;
    }
    return entry;
  }

  async #child(directory: DirectoryEntry, name: string): Promise<Entry | undefined> {
    for await (const page of this.pages(directory)) {
      if (page.length === 0 || page[page.length - 1][At.name] < name) continue;
      return page.find((entry) => entry[At.name] === name);
    }
    return undefined;
  }
}
